"""Step-up: what a session left open somewhere must not do without its person proving who they are again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import quote, urlsplit

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.errors import Forbidden
from shipworthy.kernel.http.origin import SAFE_METHODS
from shipworthy.kernel.language import _

CONFIRM_PATH = "/account/confirm"  # the page that asks for the proof and leads back


class ProofTooOld(Forbidden):
    """The person may do this, once they have proven again who they are."""

    def __init__(self) -> None:
        super().__init__("session.step_up", _("Confirm that it is you first, then do this again."))


def check_proof(ctx: Ctx, *, within_s: int | None) -> None:
    """Errors: ProofTooOld where the session's last proof of its person is older than `within_s`."""
    if within_s is not None:
        proven_at = ctx.user.proven_at
        if proven_at is None or ctx.now() - proven_at > timedelta(seconds=within_s):
            raise ProofTooOld


def confirm_address(method: str, path: str, headers: Mapping[str, str], *, host: str) -> str:
    """Return where to prove it, with the way back: this page, or the one whose form was sent."""
    back = path if method in SAFE_METHODS else page_before(headers, host)
    return f"{CONFIRM_PATH}?next={quote(back, safe='/')}"


def page_before(headers: Mapping[str, str], host: str) -> str:
    """Return the path of the page a form was sent from, where the browser tells and it is ours."""
    try:
        parts = urlsplit(headers.get("referer", ""))
    except ValueError:
        return ""
    return parts.path if parts.netloc.lower() == host else ""
