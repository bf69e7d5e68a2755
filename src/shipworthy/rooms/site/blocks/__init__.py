"""What a page is made of: typed, versioned blocks, checked when they come and rendered once."""
