"""An issued invoice on its way to the customer: links to its files."""
