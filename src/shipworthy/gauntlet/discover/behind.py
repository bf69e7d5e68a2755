"""What an app shows to whoever may sign in: how it lets them in and turns others away, and the pages behind the door.

Signs in once rightly and once wrongly, as the person that was named; follows links and sends no form besides.
"""

from __future__ import annotations

import re
from contextlib import AsyncExitStack
from dataclasses import replace
from urllib.parse import urljoin, urlsplit

from shipworthy.contract.manifest import Login
from shipworthy.contract.target import Credential
from shipworthy.gauntlet.discover.draft import Draft, Seen
from shipworthy.gauntlet.discover.looking import NothingThere, SeenPage, page_at
from shipworthy.gauntlet.http import Answer, HttpSession, Unanswered, sign_in
from shipworthy.gauntlet.ownership import reach

PAGES_MAX = 8
# Links that end the session or more than that; a well-made app asks before, but not all are.
_ENDS = re.compile(
    r"(log|sign)[\s_-]?(out|off)|abmelden|delete|remove|destroy|reset|cancel|unsubscribe", re.IGNORECASE
)


async def look_behind(url: str, seen: Seen[Login], person: Credential) -> Draft:
    """Return how the sign-in answers, and the pages that need a session. Errors: NothingThere, NotProven."""
    reached = await reach(url)
    async with AsyncExitStack() as stack:

        def session() -> HttpSession:
            made = HttpSession(url, addresses=reached.addresses, turns=reached.turns)
            stack.push_async_callback(made.close)
            return made

        mine, nobody = session(), session()
        try:
            right = await sign_in(mine, seen.value, person)
            wrong = await sign_in(session(), seen.value, replace(person, password=f"{person.password}-not"))
            if note := _not_told_apart(right, wrong, person):
                return Draft(notes=(note,))
            pages = await _private(mine, nobody, right)
        except Unanswered as silent:
            raise NothingThere(f"Signing in at {url} failed: {silent}.") from silent
    login = replace(seen.value, ok=(right.status,), refused=(wrong.status,))
    return Draft(
        login=Seen(login, f"{seen.where}; it lets in with {right.status} and refuses with {wrong.status}"),
        private=Seen(tuple(pages), f"the links that {person.email} sees") if pages else None,
    )


def _not_told_apart(right: Answer, wrong: Answer, person: Credential) -> str:
    if right.status == wrong.status:
        return (
            f"Signing in as {person.email} is answered {right.status}, and so is a wrong password: the gauntlet tells them "
            "apart by status. Check the password, or name a sign-in whose answers differ as [login]."
        )
    if right.status >= 400:
        return f"Signing in as {person.email} is answered {right.status}: is the password right?"
    return ""


async def _private(mine: HttpSession, nobody: HttpSession, right: Answer) -> list[str]:
    """Return the pages that links lead to and that answer nobody else."""
    there = urlsplit(urljoin(f"{mine.base_url}/", right.header("location")))
    is_here = f"{there.scheme}://{there.netloc}" == mine.base_url
    start = await page_at(mine, (there.path or "/") if is_here else "/")
    found = list[str]()
    linked = [path for path, text in start.links if "?" not in path and not _ENDS.search(f"{path} {text}")]
    for path in dict.fromkeys([start.path, *linked]):
        if len(found) >= PAGES_MAX:
            break
        page = start if path == start.path else await page_at(mine, path)
        if _is_shown(page, path) and not _is_shown(await page_at(nobody, path), path):
            found.append(path)
    return found


def _is_shown(page: SeenPage, path: str) -> bool:
    return page.is_html and page.path == path
