"""What the images are, whoever runs them (the app's recipe: builder/scaffolds/app/Dockerfile.in)."""

from __future__ import annotations

UID = 10_001  # the user it runs as
PORT = 8000  # where its web listens
STATE_MIB, TEMP_MIB = 512, 64  # what it may write: the rest of it is read-only
POSTGRES, VALKEY = "postgres:18", "valkey/valkey:9"
