"""The page editor in a real browser, by keyboard alone: written, saved by itself, met by a second person, published."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from importlib import resources
from typing import Any

import pytest

from tests.product.test_browser import DESK_PX, PHONE_PX, App, _sign_in
from tests.support.browser import WAIT_TIMEOUT_MS, chromium, visitor
from tests.support.postgres import open_directory
from tests.support.up import scaffold, up

pytestmark = [pytest.mark.product, pytest.mark.browser, pytest.mark.xdist_group("product")]

_TABS_MAX = 120
_NAME = """() => {
  const at = document.activeElement;
  return at.getAttribute("aria-label") || at.labels?.[0]?.textContent || at.textContent || "";
}"""
_AXE = """async () => (await axe.run(document, { resultTypes: ["violations"], preload: false }))
  .violations.map((rule) => `${rule.id}: ${rule.nodes[0].html}`)"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def app(browser: Any) -> Iterator[App]:
    with open_directory() as folder:
        home = scaffold(folder / "studio", rooms="invoicing,site")
        with up(home, "--port", "0", handle=folder / "handle.json") as running:
            port = running.handle.base_url.rpartition(":")[2]
            yield App(f"http://localhost:{port}", home / ".shipworthy" / "mail", running.handle)


def reach(tab: Any, name: str) -> None:
    """Press Tab until what is called `name` has the focus."""
    for _ in range(_TABS_MAX):
        tab.keyboard.press("Tab")
        if tab.evaluate(_NAME).strip().startswith(name):
            return
    raise AssertionError(f"no Tab leads to {name!r}")


def press(tab: Any, name: str) -> None:
    reach(tab, name)
    tab.keyboard.press("Enter")


def is_saved(tab: Any, text: str = "Saved") -> None:
    from playwright.sync_api import expect

    expect(tab.locator("#save-state")).to_contain_text(text)


def violations(browser: Any, tab: Any, address: str) -> list[str]:
    """Run axe where no policy forbids it, light and dark."""
    script = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    context = browser.new_context(storage_state=tab.context.storage_state(), bypass_csp=True)
    try:
        page = context.new_page()
        page.goto(address)
        page.add_style_tag(content="* { transition: none !important; animation: none !important }")
        page.evaluate(script)
        found: list[str] = []
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            found += page.evaluate(_AXE)
        return found
    finally:
        context.close()


@pytest.mark.parametrize("width_px", [DESK_PX, PHONE_PX])
def test_a_page_is_written_by_keyboard_saved_by_itself_merged_and_published(
    browser: Any, app: App, width_px: int
) -> None:
    from playwright.sync_api import expect

    expect.set_options(timeout=WAIT_TIMEOUT_MS)
    owner, path = app.handle.tenants[0], f"/keys-{width_px}"
    with visitor(browser, width_px=width_px, base_url=app.url) as (tab, watch):
        _sign_in(tab, owner.email, owner.password)
        watch.sandboxed.add(f"http://preview.{app.handle.site_url.removeprefix('http://')}")
        tab.goto("/pages/new")
        reach(tab, "Title")
        tab.keyboard.type("By keyboard")
        reach(tab, "Address")
        tab.keyboard.type(path)
        reach(tab, "Text")
        tab.keyboard.type("Call us before May.")
        press(tab, "Save draft")
        expect(tab.get_by_text("Draft saved.")).to_be_visible()
        page_id = tab.url.rpartition("/")[2]

        press(tab, "Quote")
        expect(tab.get_by_role("textbox", name="Quote")).to_be_focused()
        tab.keyboard.type("They found the leak.")
        is_saved(tab, "Not saved yet")
        is_saved(tab)
        press(tab, "Cards")
        expect(tab.get_by_role("textbox", name="Heading")).to_be_focused()
        tab.keyboard.type("What we do")
        press(tab, "Add: Card")
        expect(tab.get_by_role("textbox", name="Title").last).to_be_focused()
        tab.keyboard.type("Bathrooms")
        tab.keyboard.press("Alt+ArrowUp")
        is_saved(tab, "Block 2 of 3: Cards")
        press(tab, "Delete: Cards")
        is_saved(tab, "Deleted")
        press(tab, "Undo")
        is_saved(tab, "Undone")
        tab.get_by_role("button", name="Insert below: Quote 3").focus()
        tab.keyboard.press("Enter")
        press(tab, "Divider")
        expect(tab.locator("[data-block]")).to_have_count(4)
        assert [b["type"] for b in _page(tab, page_id)["blocks"]] == ["text", "cards", "quote", "divider"]
        assert _page(tab, page_id)["blocks"][1]["data"]["cards"][0]["title"] == "Bathrooms"

        watch.expected.add((412, f"{app.url}/pages/{page_id}/autosave"))
        watch.expected.add((412, f"{app.url}/pages/{page_id}"))
        _second_person(tab, app.url, page_id, 0, body="Call us before July.")
        tab.get_by_role("textbox", name="Quote").focus()
        tab.keyboard.press("Control+End")
        tab.keyboard.type(" Twice.")
        is_saved(tab, "both are here")
        expect(tab.locator("[name=blocks-0-body]")).to_have_value("Call us before July.")
        expect(tab.get_by_role("textbox", name="Quote")).to_be_focused()

        _second_person(tab, app.url, page_id, 2, text="They found both leaks.")
        tab.keyboard.type(" Really.")
        expect(tab.locator(".is-conflict .theirs")).to_contain_text("They found both leaks.")
        expect(tab.get_by_role("textbox", name="Quote")).to_have_value("They found the leak. Twice. Really.")
        tab.keyboard.press("Control+s")
        expect(tab.locator(".is-conflict")).to_have_count(0)
        assert violations(browser, tab, tab.url) == []

        preview = tab.frame_locator("#preview")
        tab.locator("#preview").scroll_into_view_if_needed()
        expect(preview.get_by_role("main")).to_contain_text("They found the leak. Twice. Really.")
        press(tab, "Publish")
        is_saved(tab, "Published.")
        public = f"{app.handle.site_url}{path}"
        assert tab.goto(public).status == 200
        for text in ("Call us before July.", "Bathrooms", "They found the leak. Twice. Really."):
            expect(tab.get_by_role("main")).to_contain_text(text)
        assert violations(browser, tab, public) == []


def _page(tab: Any, page_id: str) -> Any:
    return tab.request.get(f"/api/pages/{page_id}").json()


def _second_person(tab: Any, origin: str, page_id: str, at: int, **data: str) -> None:
    """Somebody else changes one block."""
    page = _page(tab, page_id)
    page["blocks"][at]["data"] |= data
    body = {"title": page["title"], "path": page["path"], "blocks": page["blocks"]}
    headers = {"If-Match": f'"{page["version"]}"', "Origin": origin, "Idempotency-Key": uuid.uuid4().hex}
    assert tab.request.put(f"/api/pages/{page_id}", data=body, headers=headers).status == 200
