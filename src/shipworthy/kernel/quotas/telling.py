"""Telling of a budget: a mail to the tenant's owners and the operator, in the reader's language, and a signed webhook."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Record
from shipworthy.kernel.errors import Upstream
from shipworthy.kernel.language import LOCALES, Locale, _, day_text, speaking
from shipworthy.kernel.mail.outbox import MailRefused
from shipworthy.kernel.objectives.telling import Message, Ways
from shipworthy.kernel.queue.job import JobKind
from shipworthy.kernel.quotas.budget import q
from shipworthy.kernel.quotas.meters import METERS, renews_at
from shipworthy.kernel.quotas.notices import NOTICE_JOB, read_source
from shipworthy.kernel.quotas.words import amount_text
from shipworthy.kernel.runtime import Runtime
from shipworthy.kernel.settings import Settings
from shipworthy.kernel.telemetry.log import log

_WAYS = "quotas.ways"


def ways_of(settings: Settings) -> tuple[str, ...]:
    """Return how this installation tells: always by mail, and by webhook where [alerts] names one and it can be signed."""
    return ("mail", "webhook") if settings.alerts.webhook_url and _secret() else ("mail",)


async def tell_notice(ctx: Ctx, source: str) -> None:
    """Job `quota.notice`: tell once, this way; the row that says so is held until the commit. Errors: Upstream."""
    meter, period, kind, way = read_source(source)
    facts = {"meter": meter, "period": period, "kind": kind}
    notice = await ctx.db.maybe(q.usage_notice_lock, **facts)
    if notice is None or notice["mailed_at" if way == "mail" else "posted_at"] is not None:
        return
    tenant = await ctx.db.one(q.tenant_about, tenant_id=ctx.tenant_id)
    if way == "mail":
        await _mail(ctx, notice, tenant["name"], source)
    else:
        await _post(ctx, notice, tenant["name"], source)
    now = ctx.now()
    at = {"mailed_at": now if way == "mail" else None, "posted_at": now if way == "webhook" else None}
    await ctx.db.run(q.usage_notice_told, **facts, **at)


async def _mail(ctx: Ctx, notice: Record, tenant: str, source: str) -> None:
    settings = ctx.runtime.settings
    owners = await ctx.runtime.owners(ctx.db) if ctx.runtime.owners else []
    readers = dict.fromkeys(settings.alerts.mail, settings.app.locale)
    readers |= {mail: _locale(language, settings.app.locale) for mail, language in owners}
    for mail, locale in readers.items():
        with speaking(locale):
            subject, text = words_of(ctx, notice, tenant)
        key = f"{ctx.tenant_id.hex}.{source.replace('/', '.')}.{list(readers).index(mail)}"
        try:
            await ctx.runtime.mailer.send(to=mail, subject=subject, text=text, message_key=key)
        except MailRefused as refused:
            log.error("a mail about a budget was refused", extra={"reason": refused.message})


async def _post(ctx: Ctx, notice: Record, tenant: str, source: str) -> None:
    if not _secret():
        raise Upstream("alerts.unheard", "SHIPWORTHY_ALERTS_SECRET is not set; it signs what is posted.")
    subject, text = words_of(ctx, notice, tenant)
    kind = notice["kind"]
    expected, renews = notice["expected_at"], renews_at(METERS[notice["meter"]], notice["at"])
    message = Message(
        id=f"{ctx.tenant_id.hex}.{source.replace('/', '.')}",
        kind={"forecast": "quota.forecast", "full": "quota.used_up"}.get(kind, "quota.warned"),
        subject=subject,
        text=text,
        at_s=notice["at"].timestamp(),
        data={
            "tenant_id": str(ctx.tenant_id),
            "meter": notice["meter"],
            "used": notice["used"],
            "most": notice["most"],
            "percent": int(kind) if kind.isdigit() else None,
            "expected_at": expected.astimezone(UTC).isoformat(timespec="seconds") if expected else None,
            "renews_at": renews.isoformat() if renews else None,
        },
    )
    await _ways(ctx.runtime).send("webhook", message)


def words_of(ctx: Ctx, notice: Record, tenant: str) -> tuple[str, str]:
    """Return subject and text in the language that is spoken."""
    meter, app = METERS[notice["meter"]], ctx.runtime.settings.app.name
    facts = {
        "tenant": tenant,
        "what": _(meter.title),
        "used": amount_text(meter, notice["used"]),
        "most": amount_text(meter, notice["most"]),
    }
    if notice["kind"] == "forecast":
        day = _moment(notice["expected_at"])
        subject = _("{tenant}: {what} will be used up on {day}", **facts, day=day)
        first = _("If it goes on like this, {what} of {tenant} is used up on {day}.", **facts, day=day)
    elif notice["kind"] == "full":
        subject = _("{tenant}: {what} is used up", **facts)
        first = _("{what} of {tenant} is used up. What needs it waits, or is refused.", **facts)
    else:
        subject = _("{tenant}: {what} is {percent} % used", **facts, percent=notice["kind"])
        first = _("{what} of {tenant} is {percent} % used.", **facts, percent=notice["kind"])
    renews = renews_at(meter, notice["at"])
    begins = (
        _("It begins anew on {day}.", day=day_text(renews.date())) if renews else _("Deleting frees some.")
    )
    text = (
        f"{first}\n\n"
        + _("Used: {used} of {most}.", **facts)
        + f" {begins}\n"
        + _("Invoices are numbered and issued whatever this says; their PDFs may wait.")
        + "\n\n"
        + _("Look at it: {address}", address=f"{console_origin(ctx.runtime.settings)}/usage")
        + "\n"
        + _("More of it gives the operator of {app}.", app=app)
        + "\n"
    )
    return subject, text


def console_origin(settings: Settings) -> str:
    """Return where the console is, for a mail that answers no request."""
    http = settings.http
    is_default = http.public_port in (0, {"http": 80, "https": 443}[http.public_scheme])
    return f"{http.public_scheme}://{settings.app.hosts[0]}" + ("" if is_default else f":{http.public_port}")


def _moment(at: datetime) -> str:
    return f"{day_text(at.astimezone(UTC).date())}, {at.astimezone(UTC):%H:%M} UTC"


def _locale(language: str, otherwise: Locale) -> Locale:
    return next((locale for locale in LOCALES if locale == language), otherwise)


def _secret() -> str:
    return os.environ.get("SHIPWORTHY_ALERTS_SECRET", "")


def _ways(runtime: Runtime) -> Ways:
    ways: Ways = runtime.state.setdefault(_WAYS, Ways(runtime.settings, secret=_secret(), now=runtime.now))
    return ways


JOBS = (
    JobKind(
        kind=NOTICE_JOB,
        handler=tell_notice,
        title="Tell of a budget that is, or will be, used up",
        attempts_max=60,  # an hour of a mail server that is away
    ),
)
