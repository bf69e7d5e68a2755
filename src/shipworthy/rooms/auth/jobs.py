"""Mail: written and sent by the worker, so that no request waits for a mail server."""

from __future__ import annotations

import uuid

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.language import _, mark, speak
from shipworthy.kernel.queue.job import JobKind
from shipworthy.rooms.auth.catalogue import q
from shipworthy.rooms.auth.letters import MAIL_JOB
from shipworthy.rooms.auth.recovery.leaving import ERASE_JOB, erase
from shipworthy.rooms.auth.tokens import mint, mint_code


async def send_mail(ctx: Ctx, source: str) -> None:
    """Send the mail of one offer. The row that says so is in the same transaction, so a job that
    runs again finds it; only a worker that dies between sending and committing sends twice, and then
    with the same Message-ID."""
    token_id = uuid.UUID(source)
    if await ctx.db.maybe(q.mail_claim, token_id=token_id, now=ctx.now()) is None:
        return
    offer = await ctx.db.maybe(q.token_to_mail, token_id=token_id)
    if offer is None or offer["purpose"] == "nothing":
        return
    speak(offer["language"])
    template, subject = _LETTERS[offer["purpose"]]
    app_name = ctx.runtime.settings.app.name
    await ctx.runtime.mailer.send(
        to=offer["email_raw"],
        subject=_(subject, app=app_name),
        text=ctx.runtime.pages.render(template, _said(ctx, offer)).decode(),
        message_key=str(token_id),
    )


_LETTERS = {
    "sign_up": ("auth/mail/confirm.txt", mark("Confirm your address for {app}")),
    "identity_code": ("auth/mail/identity_code.txt", mark("Your code for {app}")),
    "identity_linked": ("auth/mail/identity_linked.txt", mark("A new way to sign in at {app}")),
    "identity_removed": ("auth/mail/identity_removed.txt", mark("A way to sign in at {app} was removed")),
    "confirm_code": ("auth/mail/confirm_code.txt", mark("Your code for {app}")),
    "factor_added": ("auth/mail/factor_added.txt", mark("Your sign-in at {app} has changed")),
    "factor_removed": ("auth/mail/factor_removed.txt", mark("Your sign-in at {app} has changed")),
    "passkey_copied": ("auth/mail/passkey_copied.txt", mark("A passkey at {app} was refused")),
    "program_replayed": ("auth/mail/program_replayed.txt", mark("A program at {app} was ended")),
    "signed_in_after_failures": (
        "auth/mail/signed_in_after_failures.txt",
        mark("A sign-in at {app} after failed tries"),
    ),
    "account_exists": ("auth/mail/account_exists.txt", mark("You already have an account at {app}")),
    "reset": ("auth/mail/reset.txt", mark("A new password for {app}")),
    "reset_unconfirmed": ("auth/mail/reset_unconfirmed.txt", mark("Your sign-up at {app} is not finished")),
    "password_reset": ("auth/mail/password_reset.txt", mark("Your password at {app} was changed")),
    "address_change": ("auth/mail/address_change.txt", mark("Confirm your new address for {app}")),
    "address_taken": ("auth/mail/address_taken.txt", mark("This address has an account at {app}")),
    "address_changed": ("auth/mail/address_changed.txt", mark("Your address at {app} was changed")),
    "invitation": ("auth/mail/invitation.txt", mark("You are invited to {app}")),
    "leaving": ("auth/mail/leaving.txt", mark("Your account at {app} will be deleted")),
}
# Where the link of a letter leads; the others have none that a token opens.
_LINKS = {
    "sign_up": "/verify",
    "reset": "/reset",
    "address_change": "/address",
    "address_changed": "/address/undo",
    "leaving": "/leaving/undo",
    "invitation": "/invitation",
}


def _said(ctx: Ctx, offer: Record) -> dict[str, object]:
    """What a letter may say: its own words, and the addresses and the code that belong to it."""
    code = mint_code(ctx.runtime.signing_key, realm_id=ctx.scope.realm_id, token_id=offer["token_id"])
    token = mint(ctx.runtime.signing_key, realm_id=ctx.scope.realm_id, token_id=offer["token_id"])
    words: dict[str, str] = offer["words"]
    return {
        **words,
        "app": ctx.runtime.settings.app.name,
        "link": f"{offer['origin']}{_LINKS.get(offer['purpose'], '/login')}?token={token}",
        "login": f"{offer['origin']}/login",
        "signup": f"{offer['origin']}/signup",
        "forgot": f"{offer['origin']}/forgot",
        "account": f"{offer['origin']}/account",
        "code": f"{code[:4]} {code[4:]}",
        "provider": words.get("label") or words.get("provider", ""),
        "hours": ctx.runtime.settings.auth.verify_ttl_s // 3600,
        "days": ctx.runtime.settings.auth.undo_ttl_s // 86_400,
        "minutes": ctx.runtime.settings.auth.reset_ttl_s // 60,
    }


JOBS = (
    JobKind(
        kind=MAIL_JOB,
        handler=send_mail,
        title="Mail a link, a code, or word of what was changed",
        writes="auth_mail",
        source_column="token_id",
        triggered_by="POST /signup",
    ),
    JobKind(
        kind=ERASE_JOB,
        handler=erase,
        title="Erase an account that was deleted, once the time to take it back is over",
        triggered_by="POST /account/leave",
    ),
)
