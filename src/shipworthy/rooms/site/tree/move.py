"""Moving a page: to another address, and every page below it along. What was published leaves a way behind.

The way names the page, not its next address: however often a page moves, one step leads to it.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.tx import CheckViolation, Record, UniqueViolation
from shipworthy.kernel.errors import Conflict, Invalid
from shipworthy.kernel.language import _
from shipworthy.rooms.site.addresses import HOME, PATH_CHARS_MAX, above
from shipworthy.rooms.site.catalogue import q
from shipworthy.rooms.site.changes import show_change

TOP = uuid.UUID(int=0)  # the parent of a page that stands at the top


@dataclass(frozen=True, slots=True)
class Branch:
    """A page's address and all those below it, as bounds in the order of bytes."""

    path: str

    @property
    def below(self) -> str:
        return f"{self.path}/"

    @property
    def beyond(self) -> str:
        """The first address behind the branch. "0" follows "/"; nothing is below the home page, which is "/"."""
        return "//" if self.path == HOME else f"{self.path}0"

    @property
    def bounds(self) -> dict[str, str]:
        return {"from_path": self.path, "below": self.below, "beyond": self.beyond}


async def move_page(ctx: Ctx, page: Record, path: str) -> None:
    """Give a page that is held another address, and keep those below it below it.

    Errors:  Conflict `site.path_taken`; Invalid `site.path_invalid` for an address too long, or below itself.
    """
    site_id, branch = page["site_id"], Branch(page["path"])
    # All of them are held first and in one order, so that two who move wait for one another and none is stuck.
    held = await ctx.db.all(q.branch_lock, site_id=site_id, **branch.bounds)
    await show_change(ctx, site_id)
    if len(held) > 1 and path.startswith(branch.below):
        raise _invalid(_("A page cannot move below itself. Move the pages below it first."))
    clash = await ctx.db.maybe(q.branch_clash, site_id=site_id, to_path=path, **branch.bounds)
    if clash is not None:
        raise taken(clash["path"])
    await ctx.db.run(q.redirect_leave, site_id=site_id, now=ctx.now(), **branch.bounds)
    try:
        for step_from, step_to in _steps(page, path):
            await ctx.db.run(
                q.branch_move,
                site_id=site_id,
                to_path=step_to,
                now=ctx.now(),
                **Branch(step_from).bounds,
            )
    except UniqueViolation:  # somebody took an address since we looked
        raise taken(path) from None
    except CheckViolation:
        raise _invalid(
            _(
                "With this address, that of a page below would have more than {count} characters.",
                count=PATH_CHARS_MAX,
            )
        ) from None
    await give_way(ctx, site_id, path)
    await settle(ctx, page["page_id"], site_id, path)


async def give_way(ctx: Ctx, site_id: uuid.UUID, path: str) -> None:
    """A page that is shown wins over what led elsewhere from its address, and so do those below it."""
    await ctx.db.run(q.redirect_give_way, site_id=site_id, **Branch(path).bounds)


async def settle(ctx: Ctx, page_id: uuid.UUID, site_id: uuid.UUID, path: str) -> None:
    """Hang a page below the nearest one above its address, and below it those that stood there."""
    placed = await ctx.db.one(q.page_settle, page_id=page_id, site_id=site_id, above=above(path))
    branch = Branch(path)
    await ctx.db.run(
        q.page_adopt,
        page_id=page_id,
        site_id=site_id,
        parent_id=placed["parent_id"],
        below=branch.below,
        beyond=branch.beyond,
    )


def taken(path: str) -> Conflict:
    message = _("Another page has the address {path}. Choose another one.", path=path)
    return Conflict("site.path_taken", message, fields={"path": message})


def _steps(page: Record, path: str) -> list[tuple[str, str]]:
    """Return one step, or two where the old and the new branch overlap: an address is never had twice."""
    there = page["path"]
    if not path.startswith(f"{there}/") and not there.startswith(f"{path}/"):
        return [(there, path)]
    aside = f"/{page['page_id']}"
    return [(there, aside), (aside, path)]


def _invalid(message: str) -> Invalid:
    return Invalid("site.path_invalid", message, fields={"path": message})
