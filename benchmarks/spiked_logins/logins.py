"""Run 2's journeys, offered by the load engine: sign-ins from everywhere, while one account is under attack.

The load engine reads this file by its path. Each visitor comes from an address of their own (the app trusts
this machine as its proxy), as at 500 different people's homes. `facts` hold "login", "oauth" and, of the
account under attack, "victim": email, password and the cookie of the browser they have signed in with.
"""

from __future__ import annotations

from typing import Any

from shipworthy.gauntlet.load.coded import Visit
from shipworthy.gauntlet.load.named import auth_spike

WRONG_SHARE = 0.05
LOCKED_OUT, LET_IN = "locked_out", "wrong_password_let_in"
_SIGNED_IN, _WRONG, _THROTTLED = 303, 401, 429  # 503 is a failure: whoever is shed was not served
_NETWORKS = 200  # of the attacker


async def password(v: Visit) -> None:
    """Sign in with the right password; one in twenty mistypes it first."""
    assert v.user is not None
    mistyped = v.rng.random() < WRONG_SHARE
    status = await _sent(v, v.user.email, "mistyped" if mistyped else v.user.password, home=_home(v, 10))
    if mistyped and status == _SIGNED_IN:
        v.observe(LET_IN)
    if not mistyped and status in (_WRONG, _THROTTLED):
        v.observe(LOCKED_OUT, str(status))


async def pkce(v: Visit) -> None:
    """Sign in through the provider; the whole way is one latency."""
    await auth_spike.pkce(v)


async def attack(v: Visit) -> None:
    """Guess at the one account, from a network of the attacker's."""
    victim = v.facts["victim"]
    home = f"203.0.{113 + v.n % 2}.{v.n % _NETWORKS + 1}"
    if await _sent(v, victim["email"], f"guess {v.n}", home=home) == _SIGNED_IN:
        v.observe(LET_IN)


async def victim(v: Visit) -> None:
    """The owner of that account signs in meanwhile, in a browser they have signed in with before."""
    victim = v.facts["victim"]
    status = await _sent(v, victim["email"], victim["password"], home="198.51.100.7", cookie=victim["cookie"])
    if status in (_WRONG, _THROTTLED):
        v.observe(LOCKED_OUT, f"the owner: {status}")


async def _sent(v: Visit, email: str, password: str, *, home: str, cookie: str = "") -> int:
    login: dict[str, Any] = v.facts["login"]
    method, _, path = login["route"].partition(" ")
    known = {"{email}": email, "{password}": password}
    headers = {"x-forwarded-for": home, **({"cookie": cookie} if cookie else {})}
    form = {name: known.get(value, value) for name, value in login["form"].items()}
    answer = await v.request(
        method, path, form=form, headers=headers, expect=(_SIGNED_IN, _WRONG, _THROTTLED)
    )
    return answer.status


def _home(v: Visit, net: int) -> str:
    return f"{net}.{v.n >> 16 & 255}.{v.n >> 8 & 255}.{v.n & 255}"
