"""Who has to show more before a password is judged: strangers from where lists of passwords come, while they come.

A browser its owner has signed in with before is never asked (its tries have a budget of their own), and nobody is shut out:
who solves the challenge goes on as always, counted by the throttle. Only strangers' sign-ins are watched.
"""

from __future__ import annotations

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.edge.challenge import Challenge
from shipworthy.kernel.edge.events import Happened
from shipworthy.kernel.edge.networks import is_here, network_of
from shipworthy.kernel.edge.refusals import ChallengeNeeded
from shipworthy.kernel.edge.suspicion import BITS
from shipworthy.kernel.edge.switches import CHALLENGE
from shipworthy.rooms.auth.addresses import read_address
from shipworthy.rooms.auth.devices import Browser
from shipworthy.rooms.auth.gate.networks import networks_of


def challenge_for(ctx: Ctx, browser: Browser) -> Challenge | None:
    """Return what this browser is asked to compute, to be shown in the form; None for nearly everybody."""
    bits = BITS[_level(ctx, browser)]
    if not bits or not ctx.is_on(CHALLENGE):
        return None
    return ctx.runtime.edge.challenges.make(bits=bits, now_s=ctx.now().timestamp())


def demand_proof(ctx: Ctx, browser: Browser, proof: str, *, email: str) -> None:
    """Let through who is not suspect, or has computed. Errors: ChallengeNeeded `edge.challenge`; nothing is judged then.

    Cost:    3 us.
    """
    level = _level(ctx, browser)
    if not level:
        return
    parts, network, now_s = ctx.runtime.edge, network_of(ctx.client), ctx.now().timestamp()
    if (solved := parts.challenges.solved(proof, bits=BITS[level], now_s=now_s)) is not None:
        if solved.was_refused:
            parts.suspicion.solved(network, now_s)
        return
    is_refused = ctx.is_on(CHALLENGE)
    _tell(
        ctx,
        "stuffing.suspect",
        "many accounts, many failures, or an attack on the whole house",
        f"level {level}",
        is_refused=is_refused,
    )
    if is_refused:
        parts.suspicion.challenged(network, parts.keys("account", email), now_s)
        raise ChallengeNeeded(parts.challenges.make(bits=BITS[level], now_s=now_s, is_refusal=True))


def sprung(ctx: Ctx, *, trap: str, email: str) -> bool:
    """Say whether a sign-in fell into a trap: the field nobody sees is filled in. An account that is a canary (a list it
    stands on is stolen) makes its caller suspect, and is then answered like any that does not exist."""
    address = read_address(email)
    canaries = ctx.runtime.settings.edge.canary_accounts
    if address is not None and address.canonical in canaries:
        _mark(ctx, "trap.account", "an account that exists only on stolen lists")
    if trap:
        _mark(ctx, "trap.field", "a field that people do not see was filled in")
    return bool(trap)


def watch(ctx: Ctx, browser: Browser, *, account: str, is_right: bool) -> None:
    """Take note of how a stranger's sign-in went."""
    if browser.token is not None:
        return
    seen, network, now_s = ctx.runtime.edge.suspicion, network_of(ctx.client), ctx.now().timestamp()
    if is_right:
        seen.succeeded(network, now_s)
    else:
        seen.failed(network, ctx.runtime.edge.keys("account", account), now_s)


def _level(ctx: Ctx, browser: Browser) -> int:
    if browser.token is not None or is_here(ctx.client):
        return 0
    network = network_of(ctx.client)
    is_known = networks_of(ctx.runtime).knows(network)
    return ctx.runtime.edge.suspicion.level(network, ctx.now().timestamp(), is_known=is_known)


def _mark(ctx: Ctx, rule: str, says: str) -> None:
    ctx.runtime.edge.suspicion.mark(network_of(ctx.client), ctx.now().timestamp())
    _tell(ctx, rule, says, "body", is_refused=False)


def _tell(ctx: Ctx, rule: str, says: str, part: str, *, is_refused: bool) -> None:
    happened = Happened(
        rule=rule, says=says, part=part, method="POST", path="/login", network=network_of(ctx.client)
    )
    ctx.runtime.edge.events.tell(happened, trace_id=ctx.trace_id, is_refused=is_refused)
