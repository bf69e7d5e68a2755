"""Cursors of this room's lists: where a part begins, as text that is opaque to callers.

They hold no secret: the tenant comes from the session, never from here.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from shipworthy.kernel.errors import Invalid
from shipworthy.kernel.language import _

Place = TypeVar("Place")


def closed(text: str) -> str:
    """Return the cursor that stands for this text."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def opened(cursor: str, read: Callable[[str], Place]) -> Place:
    """Return what `read` makes of a cursor's text; its ValueError says that no list of ours wrote it.

    Errors:  Invalid `site.cursor_invalid`.
    """
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
        return read(text)
    except (ValueError, OverflowError):
        raise Invalid(
            "site.cursor_invalid",
            _("This cursor is none of ours; leave it out to start from the beginning."),
            fields={"cursor": _("This is not a cursor of this list.")},
        ) from None


def moment_of(text: str) -> datetime:
    """Read a moment as `isoformat` wrote it. Errors: ValueError, also where it names no zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment.astimezone(UTC)
