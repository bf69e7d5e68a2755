"""Telling of an alert: a mail in plain words, a webhook that its receiver can verify.

Source:  Standard Webhooks (standardwebhooks.com): webhook-id, webhook-timestamp, webhook-signature "v1,<base64 of
HMAC-SHA256 over id.timestamp.body>".
"""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shipworthy.contract.manifest import Slo
from shipworthy.kernel.breaker import Breaker
from shipworthy.kernel.egress import Egress, ProviderFailed
from shipworthy.kernel.errors import Upstream
from shipworthy.kernel.mail.outbox import Mailer
from shipworthy.kernel.objectives.book import Alert, Notice
from shipworthy.kernel.settings import Settings

_WEBHOOK_TIMEOUT_S = 5.0


@dataclass(frozen=True, kw_only=True)
class Message:
    """What people are told: a mail's subject and text, a webhook's kind and data. `id` is the same at every try."""

    id: str
    kind: str
    subject: str
    text: str
    at_s: float  # since 1970: when what it tells of happened
    data: Mapping[str, Any]


class Ways:
    """The ways to people that [alerts] names: mails, and a webhook signed with `secret`."""

    def __init__(self, settings: Settings, *, secret: str, now: Callable[[], datetime]) -> None:
        self._settings, self._secret, self._now = settings, secret, now
        self._mailer = Mailer(settings.mail)
        self._egress = Egress(
            loopback_allowed=settings.http.public_scheme == "http",
            breaker=Breaker(clock=time.monotonic),
            timeout_s=_WEBHOOK_TIMEOUT_S,
        )

    @property
    def names(self) -> tuple[str, ...]:
        told = self._settings.alerts
        return (*(("mail",) if told.mail else ()), *(("webhook",) if told.webhook_url else ()))

    async def send(self, way: str, message: Message) -> None:
        """Send once; a repeat is recognisable by its id. Errors: Upstream, to be tried again."""
        if way == "mail":
            await self._mail(message)
        else:
            await self._post(message)

    async def _mail(self, message: Message) -> None:
        for number, to in enumerate(self._settings.alerts.mail):
            key = f"{message.id}.{number}"
            await self._mailer.send(to=to, subject=message.subject, text=message.text, message_key=key)

    async def _post(self, message: Message) -> None:
        facts = {
            "type": message.kind,
            "timestamp": datetime.fromtimestamp(message.at_s, UTC).isoformat(timespec="seconds"),
            "data": {**message.data, "app": self._settings.app.name, "summary": message.subject},
        }
        body = json.dumps(facts).encode()
        headers = signed_headers(self._secret, message.id, body, at_s=int(self._now().timestamp()))
        try:
            answer = await self._egress.send(self._settings.alerts.webhook_url, body, headers=headers)
        except ProviderFailed as failed:
            raise Upstream("alerts.unheard", f"The webhook of alerts did not take it. {failed}") from failed
        if answer.status >= 400:
            raise Upstream("alerts.unheard", f"The webhook of alerts did not take it. status {answer.status}")


class Teller:
    """Tells of alerts by the ways there are."""

    def __init__(
        self, settings: Settings, slos: Sequence[Slo], *, secret: str, now: Callable[[], datetime]
    ) -> None:
        self._settings, self._slos = settings, {slo.name: slo for slo in slos}
        self._ways = Ways(settings, secret=secret, now=now)

    @property
    def ways(self) -> tuple[str, ...]:
        return self._ways.names

    async def tell(self, notice: Notice, alert: Alert) -> None:
        """Tell once; a repeat is recognisable. Errors: Upstream, to be tried again."""
        subject, text = self.words(notice, alert)
        moment_s = alert.opened_s if notice.change == "opened" else alert.closed_s or alert.opened_s
        facts = {"alert": alert.id, "objective": alert.objective, "rule": alert.rule, "burn": alert.burn}
        message = Message(
            id=notice.id,
            kind=f"objective.{notice.change}",
            subject=subject,
            text=text,
            at_s=moment_s,
            data=facts,
        )
        await self._ways.send(notice.way, message)

    def words(self, notice: Notice, alert: Alert) -> tuple[str, str]:
        """Return subject and text for a person."""
        slo, app = self._slos.get(alert.objective), self._settings.app.name
        what = (slo.title or slo.name) if slo else alert.objective
        if notice.change == "closed":
            return f"{app}: {what} keeps its objective again", f'The error budget of "{what}" no longer burns too fast ({alert.rule}).\n'  # fmt: skip
        bound = (
            f"{slo.quantile:.0%} of requests within {slo.threshold_ms:g} ms"
            if slo
            else "not declared any more"
        )
        opened = datetime.fromtimestamp(alert.opened_s, UTC)
        return (
            f"{app}: {what} breaks its objective",
            f'The error budget of "{what}" burns {alert.burn:.1f} times too fast ({alert.rule}).\n'
            f"Objective: {bound}. Since {opened:%Y-%m-%d %H:%M} UTC.\n\n"
            f"How it stands:         shipworthy slo\n"
            f"Look after it:         shipworthy slo acknowledge {alert.id} --by NAME\n"
            f"Be quiet for an hour:  shipworthy slo silence {alert.objective} --for 1h --by NAME --reason WHY\n",
        )


def signed_headers(secret: str, message_id: str, body: bytes, *, at_s: int) -> dict[str, str]:
    """Return the headers by which a receiver knows that a message is ours, unchanged and fresh.

    While a secret is rotated there are two, parted by a comma, and a signature by each: a receiver that knows either
    believes it.
    """
    said = f"{message_id}.{at_s}.".encode() + body
    keys = [part.strip().encode() for part in secret.split(",") if part.strip()]
    digests = [hmac.digest(key, said, "sha256") for key in keys]
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(at_s),
        "webhook-signature": " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests),
    }
