"""The `gauntlet.toml` of a draft: what was seen, each line with where it was seen, and what is left to say.

Objectives are suggestions, and are called so. Pure: a draft in, a text out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from shipworthy.contract.manifest import Login
from shipworthy.contract.target import Credential, RouteSection
from shipworthy.gauntlet.capabilities import is_loopback
from shipworthy.gauntlet.discover.draft import Draft, Seen

PAGE_MS, ANSWER_MS = 150.0, 200.0  # p95 of the playbook: a page's first byte, an API's answer
PAGE_RATE_PER_S, ANSWER_RATE_PER_S = 10.0, 5.0
ELSEWHERE_RATE_PER_S = 1.0  # of either: five steps each, within what another machine may be asked
CRAWL_RATE_PER_S = 2.0
_JOURNEY_STEPS = 5
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def written(draft: Draft, people: Sequence[Credential] = (), *, workdir: str = ".") -> str:
    """Return the text of a gauntlet.toml; `workdir` is the app's folder, seen from the file's."""
    parts = [
        "# How the gauntlet examines this app. Written by `shipworthy init`; it is yours to change.\n"
        "# What is left out reads NOT MEASURED and lowers the printed coverage.\n",
        _target(draft, workdir),
        _login(draft.login, people),
        _people(draft, people),
        *_journeys(draft),
        *(_route(route) for route in _routes(draft)),
        _still_to_say(draft, people),
    ]
    return "\n".join(part for part in parts if part)


def _target(draft: Draft, workdir: str) -> str:
    lines = ["[target]", _line("name", draft.name or Seen("app", "no name was seen"))]
    if draft.start:
        lines.append(_line("start", draft.start))
        if workdir != ".":
            lines.append(f"workdir = {_value(workdir)}")
    elif draft.url:
        lines.append(_line("url", draft.url))
    if draft.health:
        lines.append(_line("health", draft.health))
    if draft.openapi:
        lines.append(_line("openapi", draft.openapi))
    if draft.database:
        lines.append(_line("database", draft.database))
    return "\n".join(lines) + "\n"


def _login(seen: Seen[Login] | None, people: Sequence[Credential]) -> str:
    if seen is None:
        return ""
    login = seen.value
    lines = [
        f"[login]  # seen: {_comment(seen.where)}",
        f"route = {_value(login.route)}",
        f"form = {_value(login.form)}",
        f"media = {_value(login.media)}",
    ]
    if login.page:
        lines.append(f"page = {_value(login.page)}  # its hidden fields go along, a CSRF token among them")
    was_seen = len(login.ok) == 1  # somebody signed in; else a form may answer with any of the usual
    ok = login.ok if login.media == "json" or was_seen else tuple(dict.fromkeys((*login.ok, 302)))
    lines.append(f"ok = {_value(list(ok))}  # what it answers when it lets somebody in")
    if was_seen:
        lines.append(f"refused = {_value(list(login.refused))}  # and when it does not")
    return "\n".join(lines) + "\n"


def _people(draft: Draft, people: Sequence[Credential]) -> str:
    if people:
        sections = [
            f"[[credential]]\nemail = {_value(one.email)}\npassword = {_value(one.password)}\ntenant = {_value(one.tenant)}\n"
            for one in people
        ]
        return "\n".join(sections)
    if draft.login is None:
        return ""
    return (
        "# Two people of two tenants, whom the app knows already: with one, what needs a session is examined; with\n"
        "# two, that neither reaches what is the other's. `marker` is text that stands in this tenant's data only.\n"
        '# [[credential]]\n# email = "ann@sample.example"\n# password = "…"\n# tenant = "Ann"\n# marker = "…"\n'
    )


def _journeys(draft: Draft) -> Iterator[str]:
    pages = list(draft.pages.value) if draft.pages else []
    is_elsewhere = draft.url is not None and not is_loopback(urlsplit(draft.url.value).hostname or "")
    answers = [route for route in _routes(draft) if route.method == "GET" and route.path not in pages]
    public = [route for route in answers if route.auth == "public"]
    if pages or draft.sitemap:
        yield _slo("page", "Pages", PAGE_MS)
    if public:
        yield _slo("api", "Answers of the API", ANSWER_MS)
    if pages:
        rate = ELSEWHERE_RATE_PER_S if is_elsewhere else PAGE_RATE_PER_S
        yield _journey("pages", "page", rate, pages, draft.pages.where if draft.pages else "")
    if public:
        expected = {route.path: route.expect for route in public}
        yield _journey(
            "api",
            "api",
            ELSEWHERE_RATE_PER_S if is_elsewhere else ANSWER_RATE_PER_S,
            list(expected),
            draft.routes.where if draft.routes else "",
            expected,
        )
    if draft.sitemap:
        yield (
            f"[[load]]  # seen: {_comment(draft.sitemap.where)}; full runs only\n"
            f'kind = "crawl"\nrate_per_s = {CRAWL_RATE_PER_S}\nslos = {{ page = "page" }}\n'
        )


def _slo(name: str, title: str, threshold_ms: float) -> str:
    return (
        f"[[slo]]  # a suggestion: what do you promise?\nname = {_value(name)}\ntitle = {_value(title)}\n"
        f"quantile = 0.95\nthreshold_ms = {threshold_ms}\n"
    )


def _journey(
    name: str, slo: str, rate_per_s: float, paths: Sequence[str], where: str, expected: dict[str, tuple[int, ...]] | None = None
) -> str:  # fmt: skip
    steps = [
        f'  {{ method = "GET", path = {_value(path)}, expect = {_value(list((expected or {}).get(path, (200,))))} }},'
        for path in paths[:_JOURNEY_STEPS]
    ]
    return (
        f"[[journey]]  # seen: {_comment(where)}\nname = {_value(name)}\nslo = {_value(slo)}\n"
        f"rate_per_s = {rate_per_s}  # visits a second, each with all these steps\nlogin = false\n"
        "steps = [\n" + "\n".join(steps) + "\n]\n"
    )


def _routes(draft: Draft) -> list[RouteSection]:
    """Return the routes to write: those of a document, and pages it does not know."""
    known = list(draft.routes.value) if draft.routes else []
    taken = {(route.method, route.path) for route in known}
    pages = [RouteSection(path=path) for path in (draft.pages.value if draft.pages else ())]
    pages += [
        RouteSection(path=path, auth="session") for path in (draft.private.value if draft.private else ())
    ]
    return [*known, *(page for page in pages if (page.method, page.path) not in taken)]


def _route(route: RouteSection) -> str:
    lines = ["[[route]]", f"method = {_value(route.method)}", f"path = {_value(route.path)}"]
    if route.auth != "public":
        lines.append(f"auth = {_value(route.auth)}")
    if route.json is not None:
        lines.append(f"json = {_value(route.json)}")
    if route.expect != (200,):
        lines.append(f"expect = {_value(list(route.expect))}")
    return "\n".join(lines) + "\n"


def _still_to_say(draft: Draft, people: Sequence[Credential]) -> str:
    left = list(still_to_say(draft, people))
    if not left:
        return ""
    return (
        "# Still to say, if it is to be measured:\n"
        + "\n".join(f"# - {_comment(one)}" for one in left)
        + "\n"
    )


def still_to_say(draft: Draft, people: Sequence[Credential] = ()) -> Iterator[str]:
    """Return what no source could tell, a sentence each."""
    yield from draft.notes
    if draft.login is None:
        yield "No way to sign in was seen: add [login] and two [[credential]], or what needs a session is not examined."
    elif len(people) < 2:
        yield "Add two [[credential]] of two tenants, or what keeps tenants apart is not examined."
    if draft.database is None:
        yield "Give target.database (postgresql://…) if it uses PostgreSQL: repeated queries, plans and row security are then seen."
    if draft.start is None:
        yield "Give target.start instead of url, and the gauntlet starts the app itself: then its start, logs and memory are measured, too."


def _line(key: str, seen: Seen[str]) -> str:
    return f"{key} = {_value(seen.value)}  # {_comment(seen.where)}"


def _comment(text: str) -> str:
    """Return text that stays within its comment, whatever was seen."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _value(value: object) -> str:
    """Return a value as TOML. Its strings are JSON's, but for DEL, which TOML wants escaped."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        pairs = [f"{_key(str(k))} = {_value(v)}" for k, v in value.items() if v is not None]
        return "{ " + ", ".join(pairs) + " }" if pairs else "{}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(one) for one in value if one is not None) + "]"
    return json.dumps(value)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _value(name)
