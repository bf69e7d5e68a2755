"""What stands in the way of publishing a page, and what would make it better."""
