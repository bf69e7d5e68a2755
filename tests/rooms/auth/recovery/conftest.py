"""What the flows of recovery share: the links that were mailed."""

from __future__ import annotations

import re

from tests.rooms.auth.conftest import AuthApp


async def link_mailed(auth: AuthApp, email: str, path: str) -> str:
    """Run the jobs and return the newest link to `path` mailed to this address, without its origin."""
    await auth.work()
    texts = [mail.text for mail in auth.mails if mail.to == email]
    links = [
        link for text in texts for link in re.findall(rf"http://localhost({path}\?token=[\w-]{{43}})\s", text)
    ]
    assert links, texts
    return links[-1]


def token_in(link: str) -> str:
    return link.partition("token=")[2]
