"""The rules about headers, one sound and one lacking example each."""

from __future__ import annotations

import pytest

from shipworthy.gauntlet.probes.header_rules import (
    FOREIGN_ORIGIN,
    Lack,
    answer_lacks,
    cache_lacks,
    cookie_lacks,
    cors_lacks,
    nonces_of,
    page_lacks,
)

SOUND = {
    "content-security-policy": "default-src 'self'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "server": "nginx",
}


def lacks(*, is_https: bool = False, is_private: bool = True, **changed: str) -> list[str]:
    headers = {**SOUND, **{name.replace("_", "-"): value for name, value in changed.items()}}
    return [lack.what for lack in page_lacks(headers, is_https=is_https, is_private=is_private)]


def test_a_sound_page_lacks_nothing() -> None:
    assert lacks() == []


@pytest.mark.parametrize(
    ("policy", "is_sound"),
    [
        ("script-src 'self'", True),
        ("script-src 'unsafe-inline'", False),
        ("script-src 'unsafe-inline' 'nonce-abc'", True),
        ("script-src 'unsafe-inline' 'sha256-abc='", True),
        ("script-src * 'nonce-abc'", False),
        ("script-src https: 'nonce-abc' 'strict-dynamic'", True),
        ("script-src *", False),
        ("default-src https:", False),
        ("default-src 'none'; script-src data:", False),
        ("style-src 'self'", False),
        ("style-src 'unsafe-inline'; default-src 'self'", True),
        ("script-src 'self'; script-src *", True),  # the first of two counts
        ("default-src *, script-src 'self'", True),  # of two policies the strictest
        ("", False),
    ],
)
def test_a_policy_must_not_let_any_script_run(policy: str, is_sound: bool) -> None:
    found = lacks(content_security_policy=policy, x_frame_options="DENY")
    assert (found == []) == is_sound, found


def test_a_page_must_not_be_framed_by_anybody() -> None:
    plain = "default-src 'self'"
    assert lacks(content_security_policy=plain) == ["another site may show it in a frame"]
    assert lacks(content_security_policy=plain, x_frame_options="sameorigin") == []
    assert lacks(content_security_policy=f"{plain}; frame-ancestors *", x_frame_options="DENY") != []


def test_a_private_page_says_where_its_address_may_go() -> None:
    assert lacks(referrer_policy="") == ["its whole address goes along to other sites"]
    assert lacks(referrer_policy="", is_private=False) == []
    assert lacks(referrer_policy="unsafe-url", is_private=False) != []
    assert lacks(referrer_policy="no-referrer, strict-origin-when-cross-origin") == []


def test_every_answer_is_judged_for_sniffing_tls_and_versions() -> None:
    assert lacks(x_content_type_options="") == ["a browser may guess another content type"]
    assert lacks(is_https=True) == ["a later visit may begin without TLS"]
    assert lacks(is_https=True, strict_transport_security="max-age=60") != []
    assert lacks(is_https=True, strict_transport_security="max-age=31536000") == []
    assert lacks(server="nginx/1.18.0") == ["server tells the version 'nginx/1.18.0'"]
    assert answer_lacks({"x-content-type-options": "nosniff"}, is_https=False) == []


def test_what_one_person_sees_is_kept_from_shared_caches() -> None:
    assert (
        cache_lacks({"cache-control": "private, max-age=5"})
        == cache_lacks({"cache-control": "no-store"})
        == []
    )
    assert [lack.is_grave for lack in cache_lacks({})] == [False]
    assert [lack.is_grave for lack in cache_lacks({"cache-control": "public, max-age=60"})] == [True]


def test_a_foreign_site_must_not_read_with_the_visitors_cookies() -> None:
    allow, credentials = "access-control-allow-origin", "access-control-allow-credentials"
    assert cors_lacks({allow: FOREIGN_ORIGIN, credentials: "true"})[0].is_grave
    assert cors_lacks({allow: "null", credentials: "true"}) != []
    assert cors_lacks({allow: "*"}) == cors_lacks({allow: FOREIGN_ORIGIN}) == cors_lacks({}) == []


def test_cookies_are_out_of_reach_for_scripts_and_other_sites() -> None:
    def what(cookie: str, *, is_https: bool = False) -> list[Lack]:
        return cookie_lacks(cookie, is_https=is_https)

    assert what("sid=1; Path=/; HttpOnly; SameSite=Lax") == []
    assert what("sid=1; HttpOnly; SameSite=Lax; Secure", is_https=True) == []
    assert "scripts can read the cookie sid" in what("sid=1; SameSite=Strict")[0].what
    assert what("csrftoken=1; SameSite=Lax") == []
    assert "other sites' requests carry" in what("sid=1; HttpOnly")[0].what
    assert what("sid=1; HttpOnly; SameSite=None") != []
    assert "without TLS" in what("sid=1; HttpOnly; SameSite=Lax", is_https=True)[0].what
    assert what("sid=; Max-Age=0") == []


def test_nonces_are_read_from_the_policy() -> None:
    assert nonces_of("script-src 'nonce-a1' 'self'; style-src 'nonce-b2'") == {"a1", "b2"}
