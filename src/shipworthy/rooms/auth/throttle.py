"""Counting tries before they are judged, so that many at once never exceed the budget.

Three counters guard a password. A browser in which the owner has signed in before has a budget of
its own: nobody elsewhere can use it up and so lock the owner out. Everybody else has one for each
account and network, and shares one for the account. An address nobody has is counted the same way.
Source: OWASP, Device Cookies; CVE-2024-4629 (tries judged in parallel overran the budget).
"""

from __future__ import annotations

import hashlib
import ipaddress
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import Tx
from shipworthy.kernel.errors import TooMany
from shipworthy.rooms.auth.catalogue import q

# All untrusted networks together: NIST SP 800-63B allows at most 100 failures in a row.
_NETWORKS = 10
MAILS_PER_ADDRESS_MAX = 5  # a window; enough to find a lost mail, too few to fill an inbox
OTP_TRIES_MAX, OTP_WINDOW_S = 5, 600  # of six digits, three of which are right at any time
PROOFS_MAX = 5  # tries at one mailed code of eight digits
SIGN_UPS_PER_NETWORK_MAX = 60  # a window; an office may share one address


@dataclass(frozen=True, kw_only=True)
class Budget:
    """The counters one try is counted in. `near` first; `wide` only while near has room."""

    near: bytes
    near_max: int
    wide: bytes | None = None
    wide_max: int = 0
    window_s: int | None = None  # None: the setting


def login_budget(ctx: Ctx, *, account: str, device_id: uuid.UUID | None) -> Budget:
    """Return the budget for trying a password of `account` (its address, whether it exists or not)."""
    tries = ctx.runtime.settings.auth.login_failures_max
    if device_id is not None:
        return Budget(near=_bucket(ctx, "device", account, str(device_id)), near_max=tries)
    return Budget(
        near=_bucket(ctx, "network", account, network_of(ctx.client)),
        near_max=tries,
        wide=_bucket(ctx, "account", account),
        wide_max=tries * _NETWORKS,
    )


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


def proof_budget(ctx: Ctx, *, token_id: uuid.UUID) -> Budget:
    return Budget(near=_bucket(ctx, "proof", str(token_id)), near_max=PROOFS_MAX)


def sign_up_budget(ctx: Ctx) -> Budget:
    return Budget(near=_bucket(ctx, "sign-up", network_of(ctx.client)), near_max=SIGN_UPS_PER_NETWORK_MAX)


def network_of(client: str) -> str:
    """Return the network an address is counted with: /24 of IPv4, /64 of IPv6."""
    try:
        address = ipaddress.ip_address(client.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    prefix = 24 if address.version == 4 else 64
    return str(ipaddress.ip_network((address, prefix), strict=False))


async def reserve(ctx: Ctx, tx: Tx, budget: Budget) -> None:
    """Count one try now. Errors: TooMany `auth.throttled`, saying when the window is over.

    Raised in the transaction that counted, it takes the count back: a full bucket stays just full.
    Cost:    one statement, no disk flush.
    """
    wait_s = await wait_of(ctx, tx, budget)
    if wait_s:
        raise TooMany(
            "auth.throttled",
            f"Too many tries. Wait {max(1, ceil(wait_s / 60))} min, then try again.",
            retry_after_s=wait_s,
        )


async def wait_of(ctx: Ctx, tx: Tx, budget: Budget) -> int:
    """Count one try; return 0 when the budget has room, else the seconds until it has again."""
    window_s = budget.window_s or ctx.runtime.settings.auth.login_window_s
    now, window = ctx.now(), timedelta(seconds=window_s)
    row = await tx.one(
        q.bucket_reserve,
        near=budget.near,
        near_max=budget.near_max,
        wide=budget.wide,
        now=now,
        window_open=now - window,
    )
    if row["near_failures"] > budget.near_max:
        return _seconds_until(row["near_started_at"] + window, now)
    if budget.wide is not None and row["wide_failures"] > budget.wide_max:
        return _seconds_until(row["wide_started_at"] + window, now)
    return 0


async def give_back(tx: Tx, budget: Budget) -> None:
    """Take back a try that was not judged, or was right."""
    await tx.run(q.bucket_give_back, near=budget.near, wide=budget.wide)


async def purge(ctx: Ctx, tx: Tx) -> None:
    """Forget some counters whose window is over."""
    window_s = max(ctx.runtime.settings.auth.login_window_s, OTP_WINDOW_S)
    await tx.run(q.bucket_purge, window_open=ctx.now() - timedelta(seconds=window_s))


def _seconds_until(end: datetime, now: datetime) -> int:
    return max(1, ceil((end - now).total_seconds()))


def _bucket(ctx: Ctx, kind: str, *values: str) -> bytes:
    parts = (str(ctx.scope.realm_id), kind, *values)
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "surrogateescape")).digest()
