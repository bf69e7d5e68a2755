"""What the headers of an answer must say so that a browser protects whoever reads it. Pure.

Each rule returns a `Lack`: what is wrong, and the header line that puts it right. Source: OWASP
Secure Headers and the HTTP headers cheat sheet; a rule they leave to taste is not judged here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

FOREIGN_ORIGIN = "https://elsewhere.example"  # RFC 2606: belongs to nobody
HSTS_AGE_S_MIN = 15_768_000  # half a year; less is forgotten between two visits
_CSP = (
    "Content-Security-Policy: default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
)
# Sources that let a script in from anywhere, or from the page's own text.
_ANYWHERE = {"*", "http:", "https:", "data:", "blob:"}
_TRUSTED = re.compile(r"^'(nonce-|sha(256|384|512)-)", re.IGNORECASE)
_NONCE = re.compile(r"'nonce-([^']+)'")
_VERSION = re.compile(r"\d")
_TELLTALES = ("server", "x-powered-by", "x-aspnet-version", "x-aspnetmvc-version", "x-generator")
_READ_BY_SCRIPTS = re.compile(r"csrf|xsrf", re.IGNORECASE)  # a double-submit token must be readable


@dataclass(frozen=True)
class Lack:
    """One thing a header should have said. `is_grave`: whoever abuses it reads what is not theirs."""

    what: str
    fix: str
    is_grave: bool = False


def page_lacks(headers: Mapping[str, str], *, is_https: bool, is_private: bool) -> list[Lack]:
    """Return what is wrong with the headers of a page; a private one is shown after signing in."""
    policies = policies_of(headers.get("content-security-policy", ""))
    return [
        *_script_lacks(policies),
        *_frame_lacks(policies, headers.get("x-frame-options", "")),
        *_referrer_lacks(headers.get("referrer-policy", ""), is_private=is_private),
        *answer_lacks(headers, is_https=is_https),
    ]


def answer_lacks(headers: Mapping[str, str], *, is_https: bool) -> list[Lack]:
    """Return what is wrong with the headers of any answer, page or not."""
    found = []
    if headers.get("x-content-type-options", "").strip().lower() != "nosniff":
        found.append(Lack("a browser may guess another content type", "Add X-Content-Type-Options: nosniff"))
    if is_https and _age_s(headers.get("strict-transport-security", "")) < HSTS_AGE_S_MIN:
        found.append(
            Lack(
                "a later visit may begin without TLS",
                "Add Strict-Transport-Security: max-age=31536000; includeSubDomains",
            )
        )
    for name in _TELLTALES:
        if _VERSION.search(value := headers.get(name, "")):
            found.append(
                Lack(f"{name} tells the version {value!r}", f"Remove the version from the header {name}")
            )
    return found


def cache_lacks(headers: Mapping[str, str]) -> list[Lack]:
    """Return what is wrong with the caching of an answer that belongs to one person."""
    said = {word.strip().partition("=")[0].lower() for word in headers.get("cache-control", "").split(",")}
    if said & {"no-store", "private"}:
        return []
    how = headers.get("cache-control") or "nothing"
    return [
        Lack(
            f"a shared cache may keep what one person sees (Cache-Control says {how})",
            "Add Cache-Control: private, no-store",
            is_grave="public" in said,
        )
    ]


def cors_lacks(headers: Mapping[str, str]) -> list[Lack]:
    """Return what is wrong when the answer to a request from `FOREIGN_ORIGIN` has these headers."""
    allowed = headers.get("access-control-allow-origin", "").strip()
    with_credentials = headers.get("access-control-allow-credentials", "").strip().lower() == "true"
    if allowed in (FOREIGN_ORIGIN, "null") and with_credentials:
        return [
            Lack(
                f"any website may read it in the name of its visitor (it answered {FOREIGN_ORIGIN} with "
                f"Access-Control-Allow-Origin: {allowed} and Allow-Credentials)",
                "Compare Origin with a list of your own hosts before repeating it in "
                "Access-Control-Allow-Origin",
                is_grave=True,
            )
        ]
    return []


def cookie_lacks(set_cookie: str, *, is_https: bool) -> list[Lack]:
    """Return what is wrong with one Set-Cookie value; nothing for one that deletes."""
    pair, *rest = [part.strip() for part in set_cookie.split(";")]
    name = pair.partition("=")[0]
    attributes = {key.strip().lower(): value.strip() for key, _, value in (a.partition("=") for a in rest)}
    if attributes.get("max-age") == "0":
        return []
    found = []
    if "httponly" not in attributes and not _READ_BY_SCRIPTS.search(name):
        found.append(Lack(f"scripts can read the cookie {name}", f"Set {name} with HttpOnly", is_grave=True))
    same_site = attributes.get("samesite", "").lower()
    if same_site not in ("lax", "strict"):
        found.append(
            Lack(f"other sites' requests carry the cookie {name}", f"Set {name} with SameSite=Lax or Strict")
        )
    if is_https and "secure" not in attributes:
        found.append(Lack(f"the cookie {name} travels without TLS too", f"Set {name} with Secure"))
    return found


def policies_of(header: str) -> list[dict[str, list[str]]]:
    """Return the policies of a Content-Security-Policy: directive -> sources. All of them apply."""
    policies = []
    for policy in header.split(","):
        words = [directive.split() for directive in policy.split(";") if directive.split()]
        if words:  # of a directive said twice the first one counts
            policies.append({name.lower(): sources for name, *sources in reversed(words)})
    return policies


def nonces_of(header: str) -> set[str]:
    """Return the nonces a policy names: one that is the same in two answers protects nothing."""
    return set(_NONCE.findall(header))


def _script_lacks(policies: Sequence[Mapping[str, Sequence[str]]]) -> list[Lack]:
    if not policies:
        return [Lack("no policy says which scripts may run", f"Add {_CSP}")]
    holes = [list(_holes(policy)) for policy in policies]
    if not all(holes):
        return []  # one policy without a hole is enough: the strictest counts
    return [
        Lack(
            f"its policy lets any script run ({', '.join(holes[0])})",
            f"In Content-Security-Policy replace {', '.join(holes[0])} by script-src 'self', with a nonce or "
            "hash for what stands in the page",
        )
    ]


def _holes(policy: Mapping[str, Sequence[str]]) -> Iterator[str]:
    scripts = policy.get("script-src", policy.get("default-src"))
    if scripts is None:
        yield "no script-src and no default-src"
        return
    sources = [source.lower() for source in scripts]
    is_trusting = any(_TRUSTED.match(source) for source in sources)
    if is_trusting:  # then browsers ignore 'unsafe-inline', and with 'strict-dynamic' hosts as well
        if "'strict-dynamic'" not in sources:
            yield from (source for source in sources if source in _ANYWHERE)
        return
    yield from (source for source in sources if source == "'unsafe-inline'" or source in _ANYWHERE)


def _frame_lacks(policies: Sequence[Mapping[str, Sequence[str]]], frame_options: str) -> list[Lack]:
    named = [policy["frame-ancestors"] for policy in policies if "frame-ancestors" in policy]
    if any(not _ANYWHERE & set(sources) for sources in named):
        return []
    if not named and frame_options.strip().upper() in ("DENY", "SAMEORIGIN"):
        return []
    return [
        Lack(
            "another site may show it in a frame",
            "Add frame-ancestors 'none' to Content-Security-Policy (or X-Frame-Options: DENY)",
        )
    ]


def _referrer_lacks(value: str, *, is_private: bool) -> list[Lack]:
    # A list names fallbacks for old browsers; the last one known counts. What today's browsers do
    # when nothing is said (strict-origin-when-cross-origin) is enough for a public page's address.
    last = value.rsplit(",", maxsplit=1)[-1].strip().lower()
    if last not in ("unsafe-url", "no-referrer-when-downgrade") and (last or not is_private):
        return []
    return [
        Lack(
            "its whole address goes along to other sites",
            "Add Referrer-Policy: strict-origin-when-cross-origin",
        )
    ]


def _age_s(value: str) -> int:
    found = re.search(r"max-age\s*=\s*\"?(\d{1,12})", value, re.IGNORECASE)
    return int(found.group(1)) if found else 0
