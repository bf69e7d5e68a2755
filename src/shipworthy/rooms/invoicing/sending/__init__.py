"""An issued invoice on its way to the customer: links to its files, and mails with their history."""
