"""Secrets of an app's state directory: made once, readable by their owner only."""

from __future__ import annotations

import json
import os
import secrets as random
import uuid
from dataclasses import asdict, dataclass, field
from pathlib import Path

from shipworthy.kernel.db.migrate import LOGIN_ROLES

SECRETS_FILE = "secrets.json"


@dataclass(frozen=True)
class Secrets:
    """What an installation may not lose and nobody else may read."""

    realm_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    role_passwords: dict[str, str] = field(
        default_factory=lambda: {r: random.token_urlsafe(24) for r in LOGIN_ROLES}
    )
    signing_key: str = field(default_factory=lambda: random.token_urlsafe(32))


def load_secrets(state: Path) -> Secrets:
    """Return the secrets of a state directory, making them at the first call."""
    path = state / SECRETS_FILE
    if path.exists():
        return Secrets(**json.loads(path.read_text(encoding="utf-8")))
    secrets = Secrets()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(secrets), file)
    return secrets
