"""Seeing what an app is: from its folder, its OpenAPI document and its own answers to a `gauntlet.toml`."""
