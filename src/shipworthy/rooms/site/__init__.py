"""The website room: pages a person edits and publishes, first byte from memory."""
