"""Programs that act for a person: short access tokens, and a refresh token that shows when it was copied."""
