"""What was given out ends by itself, and there is never too much of it."""

from __future__ import annotations

from shipworthy.gauntlet.idp import grants
from shipworthy.gauntlet.idp.grants import CODE_TTL_S, Grant, Grants
from shipworthy.gauntlet.idp.registry import seeded_people


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def grant() -> Grant:
    return Grant(
        client_id="app",
        person=seeded_people(1)[0],
        redirect_uri="http://127.0.0.1:1/",
        scope=("openid",),
        nonce="",
        challenge="",
        authenticated_at=0,
    )


def test_a_code_ends_after_a_minute() -> None:
    clock = Clock()
    kept = Grants(clock)
    late, in_time = kept.code(grant()), kept.code(grant())
    clock.now += CODE_TTL_S - 1
    assert kept.redeem(in_time)
    clock.now += 2
    assert kept.redeem(late) is None


def test_the_oldest_make_room(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(grants, "KEPT_MAX", 3)
    kept = Grants(Clock())
    tokens = [kept.access_token(grant()) for _ in range(5)]
    assert [kept.bearer(token) is not None for token in tokens] == [False, False, True, True, True]
