"""A room of the app's own, written from its fields in `app.toml`: the same declarations as in our rooms."""
