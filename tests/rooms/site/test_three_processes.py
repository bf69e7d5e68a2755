"""Three web processes and random publishes: each shows what was published last, and none steps back.

How fast is a matter of `make proof NAME=publishes`; here only that it happens.
"""

from __future__ import annotations

import random

from tests.rooms.site.conftest import Author, Visitor, another_process, until


async def test_three_processes_show_each_of_many_publishes_and_never_an_older_one(acme: Author) -> None:
    chance = random.Random(7)
    pages = [await acme.show(f"Page {n}", f"/page-{n}", body="first") for n in range(3)]
    marks = ["first"] * len(pages)
    async with another_process(acme.app) as second, another_process(acme.app) as third:
        visitors = [Visitor(asgi, acme.host) for asgi in (acme.app.asgi, second, third)]
        for visitor in visitors:
            await visitor.until_hit("/page-0")
        for number in range(30):
            which = chance.randrange(len(pages))
            marks[which] = f"mark-{number}-"
            changes = {"path": f"/page-{which}-{number}"} if number % 5 == 4 else {}
            pages[which] = await acme.publish(await acme.edit(pages[which], body=marks[which], **changes))
            mine = await acme.visitor.text(pages[which]["path"])
            assert marks[which] in mine  # whoever publishes sees it at once
            for visitor in visitors:
                await until(
                    lambda v=visitor, w=which: v.ask(pages[w]["path"]),  # type: ignore[misc]
                    lambda answer, w=which: marks[w] in answer.text,  # type: ignore[misc]
                )
            other = chance.randrange(len(pages))
            for visitor in visitors:
                assert marks[other] in (await visitor.ask(pages[other]["path"])).text
