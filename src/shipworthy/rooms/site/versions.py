"""Versions of a page: a change names the version it was made from, or is refused.

The version is the ETag. Two people who edit one page cannot overwrite each other unseen.
Source:  RFC 9110, 13.1.1 (If-Match) and RFC 6585, 3 (428).
"""

from __future__ import annotations

import re

from shipworthy.kernel.errors import Refusal
from shipworthy.kernel.language import _

_ETAG = re.compile(r'"([0-9]{1,9})"')


class Stale(Refusal):
    """The page was saved since it was read."""

    kind = "precondition"

    def __init__(self, version: int | None = None) -> None:
        super().__init__(
            "site.stale",
            _("Somebody saved this page after you opened it. Load it again, then make your change."),
        )
        self.version = version  # the one that stands now


class VersionNeeded(Refusal):
    """A change came without saying what it is a change of."""

    kind = "precondition_needed"

    def __init__(self) -> None:
        super().__init__(
            "site.version_needed",
            _("Send the page's ETag as If-Match, so that nobody's change is overwritten unseen."),
        )


def etag(version: int) -> tuple[str, str]:
    """Return the header that names this version."""
    return ("etag", f'"{version}"')


def version_of(if_match: str | None) -> int | None:
    """Return the version an If-Match header names; None where it names none, or any (`*`).

    Errors:  Stale for what was never an ETag of ours.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    found = _ETAG.fullmatch(if_match.strip())
    if found is None:
        raise Stale()
    return int(found[1])


def require_version(seen: int | None, *, now: int) -> None:
    """Pass when the page is still as it was seen, or when the caller does not mind. Errors: Stale."""
    if seen is not None and seen != now:
        raise Stale(now)
