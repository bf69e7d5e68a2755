"""A page as it would look, on the site's preview host, for whoever holds a token that is still good."""
