"""Another token and cookie for a session whose powers just changed.

Whoever changes how an account is opened (a password, an address, a linked sign-in, a factor) calls
`renew` in the transaction of the change and answers with the cookie: a token that was seen before the
change is worth nothing after it.
"""

from __future__ import annotations

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Tx
from shipworthy.kernel.errors import SignInNeeded
from shipworthy.kernel.http import cookies
from shipworthy.kernel.http.edge import SESSION_COOKIE
from shipworthy.kernel.language import _
from shipworthy.kernel.sessions.store import Acting
from shipworthy.kernel.settings import Settings


async def renew(
    ctx: Ctx,
    tx: Tx,
    *,
    email: str | None = None,
    amr: tuple[str, ...] | None = None,
    acting: Acting | None = None,
) -> str:
    """Renew the session that asks, in the transaction of the change; return the cookie to set.

    With `amr`, its person has just proven who they are, by these means in all; with `acting`, they act
    for another organisation. When it began and when it ends stay. Errors: SignInNeeded
    `session.missing` when it was ended meanwhile, which takes the change back.
    """
    session_id = ctx.user.session_id
    token = await ctx.runtime.sessions.renew(session_id, email=email, amr=amr, acting=acting, tx=tx)
    if token is None:
        raise SignInNeeded("session.missing", _("Sign in first, then try again."))
    return session_cookie(ctx.runtime.settings, token)


def session_cookie(settings: Settings, token: str) -> str:
    """Return the Set-Cookie value of a session."""
    return cookies.write(settings, SESSION_COOKIE, token, max_age_s=settings.sessions.absolute_ttl_s)
