"""Whom a deploy calls when it needs a person, and by which ways: those of [alerts] in app.toml."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from shipworthy.cli.project import Project
    from shipworthy.delivery.pager import Page, Way
    from shipworthy.kernel.objectives.telling import Message, Ways


def alerts_secret(project: Project) -> str:
    """Return what signs the webhook of alerts. Errors: UsageError where there is a webhook and no secret."""
    secret = os.environ.get("SHIPWORTHY_ALERTS_SECRET", "")
    if project.settings.alerts.webhook_url and not secret:
        raise click.UsageError(
            "alerts.webhook_url is set: SHIPWORTHY_ALERTS_SECRET must be, too; it signs what is posted"
        )
    return secret


def ways_to_page(project: Project) -> dict[str, Way]:
    """Return the ways that [alerts] names. Errors: UsageError where the webhook's secret is missing."""
    from shipworthy.kernel.context import utc_now
    from shipworthy.kernel.objectives.telling import Ways

    secret = alerts_secret(project)
    ways = Ways(project.settings, secret=secret, now=utc_now)
    return {name: partial(_call, ways, name, project.settings.app.name) for name in ways.names}


async def _call(ways: Ways, name: str, app: str, page: Page) -> None:
    from shipworthy.delivery.pager import Unheard
    from shipworthy.kernel.errors import Refusal

    try:
        await ways.send(name, message_of(page, app=app))
    except Refusal as away:
        raise Unheard(away.message) from away


def message_of(page: Page, *, app: str) -> Message:
    """Return what a person reads at night: what holds, why, and what to do."""
    from shipworthy.kernel.context import utc_now
    from shipworthy.kernel.objectives.telling import Message

    text = (
        f"{page.reason}\n\n"
        f"Deploy {page.deploy} brings release {page.release} out over {page.previous}. It holds at {page.weight} %:\n"
        "the old version fails as well, so going back would not help. Nothing is decided without you.\n\n"
        "Look:     shipworthy slo\n"
        "Go back:  end `shipworthy deploy` (Ctrl-C, or SIGTERM): the old version serves alone.\n"
    )
    return Message(
        id=page.id,
        kind="deploy.holds",
        subject=f"{app}: a deploy holds and needs a person",
        text=text,
        at_s=utc_now().timestamp(),
        data={
            "deploy": page.deploy,
            "release": page.release,
            "previous": page.previous,
            "weight": page.weight,
            "reason": page.reason,
        },
    )
