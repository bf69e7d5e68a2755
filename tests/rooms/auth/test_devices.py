"""What a browser is called, and the cookie it is known by."""

from __future__ import annotations

import pytest

from shipworthy.rooms.auth.devices import browser_name, is_handheld, known_token, new_token
from tests.rooms.auth.conftest import AuthApp

_APPLE = "AppleWebKit/605.1.15 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari/537.36",
            "Chrome on Windows",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari/537.36 Edg/141",
            "Edge on Windows",
        ),
        (
            f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) {_APPLE} Version/18.1 Mobile Safari/604.1",
            "Safari on iPhone",
        ),
        (
            f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_APPLE} Version/18.1 Safari/605.1.15",
            "Safari on Mac",
        ),
        (
            "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        ("curl/8.5.0", "curl"),
        ("", "Unknown browser"),
        ("<script>alert(1)</script>", "Unknown browser"),
    ],
)
def test_a_browser_is_named_as_its_owner_would(user_agent: str, name: str) -> None:
    assert browser_name(user_agent) == name


def test_a_phone_is_told_from_a_desk() -> None:
    assert is_handheld("Safari on iPhone")
    assert not is_handheld("Safari on Mac")


async def test_a_cookie_of_ours_is_known_by_itself_and_no_other(auth: AuthApp) -> None:
    home = await auth.signed_in()
    runtime, token = auth.running.runtime, home.cookies["device"]
    assert known_token(runtime, f"a=b; device={token}") == token
    assert token != new_token(runtime)
    tampered = token[:5] + ("A" if token[5] != "A" else "B") + token[6:]
    for other in ("", "A" * 43, tampered, token[:-1], token + "A", "\u00e9" * 43, token.swapcase()):
        assert known_token(runtime, f"device={other}") is None
    key, runtime.signing_key = runtime.signing_key, b"of another installation"
    assert known_token(runtime, f"device={token}") is None
    runtime.signing_key = key


async def test_a_cookie_that_is_not_ours_is_replaced_and_ours_is_kept(auth: AuthApp) -> None:
    client = auth.client()
    client.cookies["device"] = "A" * 43
    await auth.sign_in(client)
    issued = client.cookies["device"]
    assert issued != "A" * 43
    await auth.sign_in(client)
    assert client.cookies["device"] == issued
