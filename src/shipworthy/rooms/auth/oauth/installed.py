"""The providers of this installation, opened once a process from its settings and environment."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable

from shipworthy.kernel.breaker import Breaker
from shipworthy.kernel.egress import Egress
from shipworthy.kernel.errors import Missing
from shipworthy.kernel.runtime import Runtime
from shipworthy.kernel.settings import ProviderSection, Settings
from shipworthy.rooms.auth.oauth.github import GitHub
from shipworthy.rooms.auth.oauth.oidc import OpenId
from shipworthy.rooms.auth.oauth.providers import Provider, Secrets

STATE = "auth.oauth"
_LABELS = {"google": "Google", "github": "GitHub", "microsoft": "Microsoft"}


def start_providers(runtime: Runtime) -> None:
    """Open the providers of the settings; what their caches do is counted on /-/metrics."""
    looked = runtime.metrics.counter(
        "auth_oauth_keys_total", "Look-ups of a provider's keys, by where they were found.", "outcome"
    )
    read = runtime.metrics.counter(
        "auth_oauth_discovery_total",
        "Look-ups of what a provider says of itself, by where it was found.",
        "outcome",
    )
    used = runtime.metrics.counter(
        "auth_oauth_secrets_total", "Codes exchanged, by the variable of the secret that did.", "variable"
    )
    runtime.state[STATE] = open_providers(
        runtime.settings,
        count_discovery=lambda outcome: read.labels(outcome).inc(),
        count_keys=lambda outcome: looked.labels(outcome).inc(),
        count_secrets=lambda variable: used.labels(variable).inc(),
    )


async def stop_providers(runtime: Runtime) -> None:
    await asyncio.gather(*(provider.close() for provider in providers_of(runtime).values()))


def open_providers(
    settings: Settings,
    *,
    count_discovery: Callable[[str], None],
    count_keys: Callable[[str], None],
    count_secrets: Callable[[str], None],
) -> dict[str, Provider]:
    """Return the providers in their order, each with bounds and a breaker of its own."""
    opened = {}
    for name, section in settings.auth.providers.items():
        variable = variable_of(name)
        given = {key: os.environ.get(key, "") for key in (variable, f"{variable}_NEXT")}
        secrets = Secrets({key: value for key, value in given.items() if value}, count=count_secrets)
        opened[name] = _open(name, section, settings, secrets, count_discovery, count_keys)
    return opened


def providers_of(runtime: Runtime) -> dict[str, Provider]:
    """Return the process's providers, which the room's start put there."""
    providers: dict[str, Provider] = runtime.state[STATE]
    return providers


def provider_of(runtime: Runtime, name: str) -> Provider:
    """Errors: Missing."""
    try:
        return providers_of(runtime)[name]
    except KeyError:
        raise Missing("way to sign in") from None


def variable_of(name: str) -> str:
    """Return the environment variable of a provider's secret; its successor's ends in _NEXT."""
    return f"SHIPWORTHY_OAUTH_{name.upper().replace('-', '_')}_SECRET"


def _open(
    name: str,
    section: ProviderSection,
    settings: Settings,
    secrets: Secrets,
    count_discovery: Callable[[str], None],
    count_keys: Callable[[str], None],
) -> Provider:
    label = section.label or _LABELS.get(name, name.replace("-", " ").capitalize())
    egress = Egress(
        loopback_allowed=settings.http.public_scheme == "http", breaker=Breaker(clock=time.monotonic)
    )
    if section.kind == "github":
        return GitHub(section, name=name, label=label, secrets=secrets, egress=egress)
    return OpenId(
        section,
        name=name,
        label=label,
        secrets=secrets,
        egress=egress,
        clock=time.monotonic,
        count_discovery=count_discovery,
        count_keys=count_keys,
    )
