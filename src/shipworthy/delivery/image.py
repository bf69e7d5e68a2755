"""What the images are, whoever runs them (the app's recipe: builder/scaffolds/app/Dockerfile.in)."""

from __future__ import annotations

UID = 10_001  # the user it runs as
PORT = 8000  # where its web listens
STATE_MIB, TEMP_MIB = 512, 64  # what it may write: the rest of it is read-only
POSTGRES, VALKEY = "postgres:18", "valkey/valkey:9"
DRAIN_S = 45  # what the web gives its requests, and the moment until what stands before it knows
# The password stands in its environment, not in what a process list shows; the log on its volume survives a restart.
VALKEY_SERVES = (
    "printf 'requirepass %s\\nappendonly yes\\ndir /data\\n' \"$VALKEY_PASSWORD\" | valkey-server -"
)
