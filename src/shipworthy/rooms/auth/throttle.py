"""Counting tries before they are judged, so that many at once never exceed the budget.

A browser in which the owner has signed in before has a budget of its own: nobody elsewhere can use
it up and so lock the owner out. Everybody else is a stranger, and waits longer and longer: at one
account from one network, at one account from all networks together, and from one network that fails
at many accounts. An address nobody has is counted the same way.
Source: OWASP, Device Cookies; CVE-2024-4629 (tries judged in parallel overran the budget).
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Tx
from shipworthy.kernel.edge.networks import network_of
from shipworthy.kernel.errors import TooMany
from shipworthy.kernel.language import _
from shipworthy.rooms.auth.catalogue import q
from shipworthy.rooms.auth.devices import Browser

# All untrusted networks together: NIST SP 800-63B allows at most 100 failures in a row.
_NETWORKS = 10
# Accounts, not tries: an office behind one address has many people, and few who fail at the same time.
ACCOUNTS_PER_NETWORK_MAX = 30
_FORGOTTEN_AFTER_WINDOWS = 4  # of quiet (count_tries says the same); with the default an hour
MAILS_PER_ADDRESS_MAX = 5  # a window; enough to find a lost mail, too few to fill an inbox
INVITATIONS_MAX = 100  # of one organisation, a window
OTP_TRIES_MAX, OTP_WINDOW_S = 5, 600  # of six digits, three of which are right at any time
PROOFS_MAX = 5  # tries at one mailed code of eight digits
SIGN_UPS_PER_NETWORK_MAX = 60  # a window; an office may share one address


@dataclass(frozen=True, kw_only=True)
class Budget:
    """The counters one try is counted in: `near`; then, while that has room, `spread` and `wide`.

    A near counter that `grows` lets a try through after a pause, longer each time; one that does not
    lets `near_max` through in a window. `spread` counts once what near counts for the first time.
    """

    near: bytes
    near_max: int
    grows: bool = False
    spread: bytes | None = None
    wide: bytes | None = None
    wide_max: int = 0
    window_s: int | None = None  # None: the setting


def login_budget(ctx: Ctx, *, account: str) -> Budget:
    """Return a stranger's budget for trying a password of `account` (its address, whether it exists or not)."""
    tries, network = ctx.runtime.settings.auth.login_failures_max, network_of(ctx.client)
    return Budget(
        near=_bucket(ctx, "network", account, network),
        near_max=tries,
        grows=True,
        spread=_bucket(ctx, "accounts", network),
        wide=_bucket(ctx, "account", account),
        wide_max=tries * _NETWORKS,
    )


def device_budget(ctx: Ctx, *, account: str, browser: Browser) -> Budget:
    """Return the budget of a browser that the account's owner knows."""
    tries = ctx.runtime.settings.auth.login_failures_max
    return Budget(near=_bucket(ctx, "device", account, browser.token or ""), near_max=tries)


def password_budget(ctx: Ctx) -> Budget:
    """Return the budget for confirming a password in a running session."""
    tries = ctx.runtime.settings.auth.login_failures_max
    return Budget(near=_bucket(ctx, "session", str(ctx.user.session_id)), near_max=tries)


def otp_budget(ctx: Ctx, *, user_id: uuid.UUID, device_id: uuid.UUID | None) -> Budget:
    """Return the budget for trying codes at the second step, apart from the password's.

    A browser its owner has signed in with has one of its own; all others share one.
    """
    where = str(device_id) if device_id is not None else "elsewhere"
    return Budget(
        near=_bucket(ctx, "otp", str(user_id), where), near_max=OTP_TRIES_MAX, window_s=OTP_WINDOW_S
    )


def confirm_budget(ctx: Ctx) -> Budget:
    """Return the budget for trying codes in a running session."""
    bucket = _bucket(ctx, "otp-session", str(ctx.user.session_id))
    return Budget(near=bucket, near_max=OTP_TRIES_MAX, window_s=OTP_WINDOW_S)


def mail_budget(ctx: Ctx, *, account: str) -> Budget:
    return Budget(near=_bucket(ctx, "mail", account), near_max=MAILS_PER_ADDRESS_MAX)


def invitation_budget(ctx: Ctx) -> Budget:
    return Budget(near=_bucket(ctx, "invitation", str(ctx.tenant_id)), near_max=INVITATIONS_MAX)


def proof_budget(ctx: Ctx, *, token_id: uuid.UUID) -> Budget:
    return Budget(near=_bucket(ctx, "proof", str(token_id)), near_max=PROOFS_MAX)


def sign_up_budget(ctx: Ctx) -> Budget:
    return Budget(near=_bucket(ctx, "sign-up", network_of(ctx.client)), near_max=SIGN_UPS_PER_NETWORK_MAX)


async def reserve(ctx: Ctx, tx: Tx, budget: Budget) -> None:
    """Count one try now. Errors: TooMany `auth.throttled`, saying when the next one may be made.

    Raised in the transaction that counted, it takes the count back.
    Cost:    one statement, no disk flush.
    """
    refuse_for(await wait_of(ctx, tx, budget))


async def wait_of(ctx: Ctx, tx: Tx, budget: Budget) -> int:
    """Count one try; return 0 when the budget has room, else the seconds until it has again."""
    row = await tx.one(
        q.tries_count,
        near=budget.near,
        near_max=budget.near_max,
        grows=budget.grows,
        spread=budget.spread,
        spread_max=ACCOUNTS_PER_NETWORK_MAX,
        wide=budget.wide,
        wide_max=budget.wide_max,
        period=window(ctx) if budget.window_s is None else timedelta(seconds=budget.window_s),
        now=ctx.now(),
    )
    return seconds_of(row["wait"])


def refuse_for(wait_s: int) -> None:
    """Errors: TooMany `auth.throttled` when there is anything to wait for."""
    if wait_s:
        in_words = f"{wait_s} s" if wait_s < 60 else f"{ceil(wait_s / 60)} min"
        raise TooMany(
            "auth.throttled",
            _("Too many tries. Wait {time}, then try again.", time=in_words),
            retry_after_s=wait_s,
        )


async def give_back(tx: Tx, budget: Budget) -> None:
    """Take back a try that was not judged, or was right."""
    await tx.run(q.tries_give_back, **given_back(budget))


def given_back(budget: Budget) -> dict[str, bytes | int | None]:
    """Return what a statement that gives a try back needs to know of it."""
    return {
        "near": budget.near,
        "near_max": budget.near_max,
        "spread": budget.spread,
        "wide": budget.wide,
        "wide_max": budget.wide_max,
    }


async def purge(ctx: Ctx, tx: Tx) -> None:
    """Forget some counters that are over; each failure clears more than it adds. Of codes' and passwords'
    windows the longer one decides: a short one of passwords must not give tries at a code back early."""
    longest = max(window(ctx), timedelta(seconds=OTP_WINDOW_S))
    await tx.run(q.tries_purge, over=ctx.now() - _FORGOTTEN_AFTER_WINDOWS * longest)


def window(ctx: Ctx) -> timedelta:
    return timedelta(seconds=ctx.runtime.settings.auth.login_window_s)


def seconds_of(wait: timedelta) -> int:
    return ceil(wait.total_seconds())


def _bucket(ctx: Ctx, kind: str, *values: str) -> bytes:
    parts = (str(ctx.scope.realm_id), kind, *values)
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "surrogateescape")).digest()
