"""The pages of organisations say what they should, to those they should. Covers: web, roles."""

from __future__ import annotations

from tests.rooms.auth.orgs.conftest import Team, heading


async def test_every_page_has_a_heading_and_shows_names_as_text(team: Team) -> None:
    mia = await team.add("Mia <script>alert(1)</script>")
    hostile = '"><script>alert(1)</script>'
    await team.owner.post("/organisation/name", form={"organisation": hostile})
    for path, title in (
        ("/organisation", "Organisation"),
        ("/organisations", "Your organisations"),
        (f"/organisation/members/{mia}", "Mia &lt;script&gt;alert(1)&lt;/script&gt;"),
    ):
        page = await team.owner.get(path)
        assert (page.status, heading(page.text)) == (200, title)
        assert "<script>alert" not in page.text
    menu = (await team.owner.get("/organisations/menu")).text
    assert "<script>alert" not in menu and "Members" in menu


async def test_buttons_are_shown_to_those_who_may_press_them(team: Team) -> None:
    mia, _ = await team.add("Mia"), await team.add("Vic", "viewer")
    member, viewer = await team.signed_in("Mia"), await team.signed_in("Vic")
    assert "Save name" in (await team.owner.get("/organisation")).text
    assert "Save name" not in (await member.get("/organisation")).text
    assert "Save role" in (await team.owner.get(f"/organisation/members/{mia}")).text
    assert "Save role" not in (await member.get(f"/organisation/members/{mia}")).text
    assert "Members" not in (await viewer.get("/organisations/menu")).text
    assert "No organisation" not in (await viewer.get("/account")).text
