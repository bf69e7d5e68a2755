"""Secrets from files: SHIPWORTHY_SIGNING_KEY_FILE names a file whose text is SHIPWORTHY_SIGNING_KEY.

As container platforms and systemd hand secrets over, so that none stands in a process list or a unit file. The text is taken
without the line break at its end. Once read, a secret is where it would be if it had come by the environment itself.
"""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from pathlib import Path

import click

FILE_BYTES_MAX = 64 * 1024
_ENDING = "_FILE"
# Other variables that end so name files that are no secrets (flags, the clock of a drill).
_SECRETS = re.compile(
    r"SHIPWORTHY_(SIGNING_KEY(_FORMER)?|FILES_KEYS|AUDIT_KEYS|ALERTS_SECRET|CDN_TOKEN|VALKEY_URL|OAUTH_[A-Z0-9_]+_SECRET(_NEXT)?"
    r"|DB_URL_[A-Z]+(_DIRECT)?)"
)


def read_secret_files(environment: MutableMapping[str, str]) -> None:
    """Set every secret that is named by a file.

    Errors:  a usage error for a file that cannot be read, and for a secret that is set both ways; neither says a secret.
    """
    for name in [name for name in environment if name.endswith(_ENDING)]:
        wanted = name.removesuffix(_ENDING)
        if not _SECRETS.fullmatch(wanted) or not environment[name]:
            continue
        if environment.get(wanted):
            raise click.UsageError(f"{wanted} and {name} are both set; set one of them")
        environment[wanted] = _text_of(Path(environment[name]), name)
        del environment[name]


def _text_of(path: Path, name: str) -> str:
    try:
        with path.open("rb") as file:
            text = file.read(FILE_BYTES_MAX + 1).decode("utf-8")
    except OSError as failed:
        raise click.UsageError(f"{name} names {path}, which cannot be read: {failed.strerror}") from None
    except UnicodeDecodeError:
        raise click.UsageError(f"{name} names {path}, which is not UTF-8 text") from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text or len(text) > FILE_BYTES_MAX or "\n" in text:
        raise click.UsageError(f"{name} names {path}, which must hold one line")
    return text
