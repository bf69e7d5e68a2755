"""The language a person chooses: on their account, and in this browser for who is not signed in."""

from __future__ import annotations

from shipworthy.kernel.audit.record import record, unchanged
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.http import cookies
from shipworthy.kernel.http.binding import Body
from shipworthy.kernel.http.reply import Redirect
from shipworthy.kernel.http.step_up import page_before
from shipworthy.kernel.language import LANGUAGE_COOKIE, Locale
from shipworthy.kernel.route import route
from shipworthy.rooms.auth.catalogue import q
from shipworthy.rooms.auth.landing import is_path_here

_KEPT_FOR_S = 365 * 24 * 3600


class ChosenLanguage(Body):
    language: Locale


async def choose_language(ctx: Ctx, chosen: ChosenLanguage) -> Redirect:
    """Keep the choice, and go back to the page it was made on.

    The account keeps it for all of its sessions and letters; the cookie, for a year, for the sign-in page.
    """
    if ctx.principal is None:
        unchanged(ctx)  # the choice is kept in the browser only
    else:
        async with ctx.begin() as tx:
            await tx.run(q.user_speak, user_id=ctx.user.user_id, language=chosen.language)
            await ctx.runtime.sessions.speak(ctx.user.user_id, language=chosen.language, tx=tx)
            detail = {"language": chosen.language}
            await record(ctx, "auth.language_chosen", of="user", id=ctx.user.user_id, detail=detail, tx=tx)
    cookie = cookies.write(ctx.runtime.settings, LANGUAGE_COOKIE, chosen.language, max_age_s=_KEPT_FOR_S)
    back = page_before(ctx.extra["headers"], ctx.host)
    return Redirect(back if is_path_here(back) else "/", cookies=(cookie,))


# Choosing twice is choosing once: it needs no key. Open to everybody, who choose for their own browser.
ROUTES = (
    route("POST", "/language", choose_language, auth="public", media="html", transaction=False, body=ChosenLanguage,
          effect="change", audit="auth.language_chosen", body_bytes_max=1_024,
          title="Choose a language", example={"language": "en"}, queries_max=5),
)  # fmt: skip
