"""The whole app as people meet it: `shipworthy new`, `shipworthy up`, and a real browser."""

from __future__ import annotations

import base64
import re
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import shipworthy
from shipworthy.contract.target import Handle
from shipworthy.local.mails import list_mails
from shipworthy.rooms.auth.factors.totp import STEP_S, code_at
from tests.support.browser import WAIT_TIMEOUT_MS, chromium, visitor
from tests.support.postgres import open_directory
from tests.support.up import scaffold, up

pytestmark = [pytest.mark.product, pytest.mark.browser, pytest.mark.xdist_group("product")]

HAS_SITE = (Path(shipworthy.__file__).parent / "rooms" / "site" / "room.py").is_file()
PHONE_PX, DESK_PX = 375, 1280
PASSWORD = "a lantern over quiet water"


@dataclass(frozen=True)
class App:
    """The running app: its address as people type it, its inbox, and its handle."""

    url: str
    mail: Path
    handle: Handle


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def app(browser: Any) -> Iterator[App]:
    with open_directory() as folder:
        home = scaffold(folder / "studio", rooms="invoicing,site" if HAS_SITE else "invoicing")
        with up(home, "--port", "0", handle=folder / "handle.json") as running:
            handle = running.handle
            port = handle.base_url.rpartition(":")[2]
            yield App(f"http://localhost:{port}", home / ".shipworthy" / "mail", handle)


@pytest.mark.parametrize("width_px", [DESK_PX, PHONE_PX])
def test_a_stranger_signs_up_and_sends_a_first_invoice(browser: Any, app: App, width_px: int) -> None:
    from playwright.sync_api import expect

    expect.set_options(timeout=WAIT_TIMEOUT_MS)
    email = f"ada-{width_px}@sample.example"
    with visitor(browser, width_px=width_px, base_url=app.url) as (tab, _):
        _sign_up(tab, app, email)
        _sign_out(tab)
        _sign_in(tab, email, PASSWORD)
        expect(tab.get_by_role("heading", name="No invoices yet")).to_be_visible()

        tab.goto("/customers/new")
        tab.get_by_label("Name", exact=True).fill("Harbour Office Ltd")
        tab.get_by_label("City").fill("Hamburg")
        tab.get_by_role("button", name="Save customer").click()
        expect(tab.get_by_text("Harbour Office Ltd is now a customer.")).to_be_visible()

        tab.get_by_role("link", name="New invoice").click()
        _write_line(tab, 0, "Concept", quantity="1.5", price="95.00")
        tab.get_by_role("button", name="Add line").click()
        _write_line(tab, 1, "Style guide", quantity="3", price="20.00")
        # 1.5 x 95.00 + 3 x 20.00 = 202.50 net; 19 % of it is 38.475, so 38.48 of tax.
        expect(tab.locator("#totals .grand dd")).to_have_text("€240.98")
        tab.get_by_role("button", name="Save draft").click()
        expect(tab.get_by_role("heading", level=1)).to_have_text("Draft invoice")
        expect(tab.locator("#totals .grand dd")).to_have_text("€240.98")

        tab.get_by_role("button", name="Issue invoice").click()
        tab.get_by_role("dialog").get_by_role("button", name="Issue invoice").click()
        expect(tab.get_by_role("heading", level=1)).to_have_text(re.compile(r"Invoice \d{4}-00001"))
        link = tab.get_by_role("link", name="PDF")
        expect(link).to_be_visible()  # the page asks again by itself until the worker has made it
        pdf = tab.request.get(link.get_attribute("href"))
        assert (pdf.status, pdf.headers["content-type"]) == (200, "application/pdf")
        assert pdf.body().startswith(b"%PDF-")

        tab.goto("/account")
        expect(tab.get_by_role("listitem").filter(has_text="This session")).to_contain_text("Chrome on")
        _sign_out(tab)
        tab.goto("/invoices")
        expect(tab.get_by_role("heading", level=1)).to_have_text("Sign in")


@pytest.mark.parametrize("width_px", [DESK_PX, PHONE_PX])
def test_an_account_is_recovered_moved_taken_back_and_left(browser: Any, app: App, width_px: int) -> None:
    from playwright.sync_api import expect

    email, moved = f"kim-{width_px}@sample.example", f"kim.new-{width_px}@sample.example"
    with visitor(browser, width_px=width_px, base_url=app.url) as (tab, _):
        _sign_up(tab, app, email)
        _sign_out(tab)
        tab.goto("/login")
        tab.get_by_role("link", name="Forgot your password?").click()
        tab.get_by_label("E-mail address").fill(email)
        tab.get_by_role("button", name="Mail me a link").click()
        expect(tab.get_by_role("heading", level=1)).to_have_text("Check your mail")
        tab.goto(_link_mailed_to(app, email, "/reset"))
        tab.get_by_label("New password").fill("nine loud drummers")
        tab.get_by_role("button", name="Set the password").click()
        expect(tab.get_by_role("heading", level=1)).to_have_text("What opens your account")

        tab.goto("/account")
        tab.get_by_role("link", name="Change your address").click()
        tab.get_by_label("New e-mail address").fill(moved)
        tab.get_by_role("button", name="Mail the link").click()
        expect(tab.get_by_text("We have mailed a link to that address.")).to_be_visible()
        tab.goto(_link_mailed_to(app, moved, "/address"))
        tab.get_by_role("button", name="Use this address").click()
        expect(tab.get_by_text("Your address is changed, and everything else is signed out.")).to_be_visible()
        expect(tab.get_by_role("main")).to_contain_text(moved)

        tab.goto(_link_mailed_to(app, email, "/address/undo"))
        tab.get_by_role("button", name="Restore this address").click()
        expect(tab.get_by_role("heading", level=1)).to_have_text("Choose a new password")
        tab.get_by_label("New password").fill(PASSWORD)
        tab.get_by_role("button", name="Set the password").click()
        expect(tab.get_by_role("heading", level=1)).to_have_text("What opens your account")

        tab.goto("/account")
        tab.get_by_role("link", name="Delete your account").click()
        tab.get_by_role("button", name="Delete my account").click()
        tab.get_by_role("dialog").get_by_role("button", name="Delete my account").click()
        expect(tab.get_by_role("heading", level=1)).to_have_text("Your account is closed")
        tab.goto(_link_mailed_to(app, email, "/leaving/undo"))
        tab.get_by_role("button", name="Keep my account").click()
        expect(tab.get_by_text("Your account stays.")).to_be_visible()
        _sign_in(tab, email, PASSWORD)


@pytest.mark.parametrize("width_px", [DESK_PX, PHONE_PX])
def test_the_owner_finds_invoices_by_status_and_page(browser: Any, app: App, width_px: int) -> None:
    from playwright.sync_api import expect

    owner = app.handle.tenants[0]
    with visitor(browser, width_px=width_px, base_url=app.url) as (tab, _):
        _sign_in(tab, owner.email, owner.password)
        tabs, rows = tab.get_by_role("navigation", name="Status"), tab.locator("tbody tr")
        for status, shown in (
            ("Draft", "Draft"),
            ("Open", "Open|Overdue"),
            ("Paid", "Paid"),
            ("Void", "Void"),
        ):
            tabs.get_by_role("link", name=status).click()
            expect(tabs.locator("[aria-current=page]")).to_contain_text(status)
            badges = rows.locator(".badge").all_inner_texts()
            assert badges and all(re.fullmatch(shown, badge) for badge in badges), badges

        _write_drafts(tab, app.url, 20)  # with the fourteen of the example data: more than one page
        tab.goto("/invoices")
        first = _addresses(rows)
        assert tab.get_by_role("link", name="Previous").count() == 0
        tab.get_by_role("link", name="Next").click()
        expect(tab.get_by_role("link", name="Previous")).to_be_visible()
        second = _addresses(rows)
        assert second and not set(first) & set(second)
        tab.get_by_role("link", name="Previous").click()
        expect(tab.get_by_role("link", name="Next")).to_be_visible()
        assert _addresses(rows) == first


@pytest.mark.parametrize("width_px", [DESK_PX, PHONE_PX])
def test_every_screen_of_the_owner_is_sound(browser: Any, app: App, width_px: int) -> None:
    owner = app.handle.tenants[0]
    with visitor(browser, width_px=width_px, base_url=app.url) as (tab, _):
        for door in (
            "/login",
            "/signup",
            "/signup/sent",
            "/signup/again",
            "/forgot",
            "/forgot/sent",
            "/leaving",
        ):
            assert tab.goto(door).status == 200
        _sign_in(tab, owner.email, owner.password)
        screens = [
            "/account",
            "/account/factors",
            "/account/confirm",
            "/account/ways-in",
            "/account/address",
            "/account/leave",
            "/invoices/new",
            "/customers",
            "/customers/new",
            *(("/pages",) if HAS_SITE else ()),
        ]
        for status in ("draft", "open", "paid", "void"):
            tab.goto(f"/invoices?status={status}")
            screens.append(_addresses(tab.locator("tbody tr"))[0])
        tab.goto("/customers")
        screens.append(_addresses(tab.locator("tbody tr"))[0])
        for screen in screens:
            assert tab.goto(screen).status == 200, screen


def test_an_app_and_a_passkey_open_an_account_and_the_policy_lets_the_script_run(
    browser: Any, app: App
) -> None:
    from playwright.sync_api import expect

    owner = app.handle.tenants[1]
    with visitor(browser, width_px=DESK_PX, base_url=app.url) as (tab, watch):
        _plug_in_authenticator(tab)
        _sign_in(tab, owner.email, owner.password)
        tab.goto("/account/factors")
        tab.get_by_role("button", name="Set up").click()
        secret = base64.b32decode(tab.locator("code.secret").inner_text().replace(" ", ""))
        tab.get_by_label("Code the app shows now").fill(code_at(secret, int(time.time()) // STEP_S))
        tab.get_by_role("button", name="Turn on").click()
        expect(tab.get_by_role("heading", level=1)).to_have_text("Keep these recovery codes")
        with tab.expect_download() as download:
            tab.get_by_role("link", name="Download as text").click()
        codes = download.value.path().read_text(encoding="utf-8").splitlines()
        assert len(codes) == 10

        tab.goto("/account/factors")
        tab.get_by_label("Name of the new passkey").fill("Work laptop")
        tab.get_by_role("button", name="Add a passkey").click()
        expect(tab.get_by_role("listitem").filter(has_text="Work laptop")).to_contain_text("never used")
        _sign_out(tab)
        tab.get_by_role("button", name="Sign in with a passkey").click()
        tab.wait_for_url(lambda url: "/login" not in url)
        _sign_out(tab)

        tab.get_by_label("E-mail address").fill(owner.email)
        tab.get_by_label("Password", exact=True).fill(owner.password)
        tab.get_by_role("button", name="Sign in", exact=True).click()
        expect(tab.get_by_role("heading", level=1)).to_have_text("One more step")
        watch.expected.add((401, f"{app.url}/login/second"))
        tab.get_by_label("Code from your authenticator app").fill("not a code")
        tab.get_by_role("button", name="Continue").click()
        expect(tab.get_by_role("alert").filter(visible=True)).to_contain_text("not right")
        tab.get_by_label("Code from your authenticator app").fill(codes[0])
        tab.get_by_role("button", name="Continue").click()
        tab.wait_for_url(lambda url: "/login" not in url)

        tab.goto("/account/confirm?next=/account/factors")
        tab.get_by_role("button", name="Use a passkey").click()
        expect(tab.get_by_text("9 of 10 left")).to_be_visible()


@pytest.mark.skipif(not HAS_SITE, reason="the website room is not there")
@pytest.mark.parametrize("width_px", [DESK_PX, PHONE_PX])
def test_a_page_is_written_published_changed_and_taken_down(browser: Any, app: App, width_px: int) -> None:
    from playwright.sync_api import expect

    owner, path = app.handle.tenants[0], f"/spring-offer-{width_px}"
    public = f"{app.handle.site_url}{path}"
    with visitor(browser, width_px=width_px, base_url=app.url) as (tab, watch):
        _sign_in(tab, owner.email, owner.password)
        tab.goto("/pages/new")
        tab.get_by_label("Title").fill("Spring offer")
        tab.get_by_label("Address").fill(path)
        tab.locator("[name=blocks-0-body]").fill("Call us before **May**.")
        tab.get_by_role("button", name="Save draft").click()
        expect(tab.get_by_text("Draft saved.")).to_be_visible()
        editor = tab.url

        there = tab.request.get(f"{editor}/preview", max_redirects=0).headers["location"]
        watch.sandboxed |= {there, there.partition("?")[0]}
        tab.goto(there)
        expect(tab.get_by_role("main")).to_contain_text("Call us before May.")
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")  # no script could tell
        watch.expected.add((404, public))
        assert tab.goto(public).status == 404  # nobody sees a draft

        tab.goto(editor)
        tab.get_by_role("button", name="Publish", exact=True).click()
        expect(tab.get_by_text("Published. Visitors see this version now.")).to_be_visible()
        watch.expected.clear()
        assert tab.goto(public).status == 200
        expect(tab.get_by_role("main")).to_contain_text("Call us before May.")

        tab.goto(editor)
        tab.locator("[name=blocks-0-body]").fill("Call us before **June**.")
        tab.get_by_role("button", name="Publish", exact=True).click()
        expect(tab.get_by_text("Published. Visitors see this version now.")).to_be_visible()
        tab.goto(public)
        expect(tab.get_by_role("main")).to_contain_text("Call us before June.")

        tab.goto(editor)
        tab.get_by_role("button", name="Unpublish").click()
        tab.get_by_role("dialog").get_by_role("button", name="Unpublish").click()
        expect(tab.get_by_text("Unpublished.")).to_be_visible()
        watch.expected.add((404, public))
        assert tab.goto(public).status == 404


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("<p>sound</p>", None),
        ("<div style='width: 900px'>wide</div>", "scrolls sideways"),
        ("<img src='/missing.png'>", "404 for GET"),
        ("<img src='http://127.0.0.1:1/refused.png'>", "ERR_"),
        ("<script src='/policed.js'></script>", "Content Security Policy"),
        ("<meta name=x><script src='/throws.js'></script>", "uncaught: "),
    ],
)
def test_the_watch_notices_what_is_broken(browser: Any, body: str, complaint: str | None) -> None:
    def answer(route: Any) -> None:
        name = route.request.url.rpartition("/")[2]
        if name == "throws.js":
            route.fulfill(content_type="text/javascript", body="throw new Error('oh')")
        elif name == "":
            policy = (
                {}
                if "throws" in body or "style" in body
                else {"content-security-policy": "script-src 'none'"}
            )
            page = f"<!doctype html><link rel=icon href='data:,'>{body}"
            route.fulfill(content_type="text/html", body=page, headers=policy)
        elif "refused" in name:
            route.abort("connectionrefused")
        else:
            route.fulfill(status=404)

    def visit() -> None:
        with visitor(browser, width_px=PHONE_PX) as (tab, _):
            tab.route("**/*", answer)
            tab.goto("http://127.0.0.1:1/")

    if complaint is None:
        visit()
        return
    with pytest.raises(AssertionError, match=re.escape(complaint)):
        visit()


def _sign_up(tab: Any, app: App, email: str) -> None:
    from playwright.sync_api import expect

    tab.goto("/signup")
    tab.get_by_label("Organisation").fill("Sample Works")
    tab.get_by_label("Your name").fill("Ada Sample")
    tab.get_by_label("E-mail address").fill(email)
    tab.get_by_label("Password", exact=True).fill(PASSWORD)
    tab.get_by_role("button", name="Create account").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Check your mail")

    tab.goto(_link_mailed_to(app, email))
    tab.get_by_label("Password", exact=True).fill(PASSWORD)
    tab.get_by_role("button", name="Confirm and sign in").click()
    expect(tab.get_by_text("Your address is confirmed. Welcome, Ada Sample.")).to_be_visible()


def _link_mailed_to(app: App, email: str, path: str = "/verify") -> str:
    deadline = time.monotonic() + WAIT_TIMEOUT_MS / 1000
    while time.monotonic() < deadline:
        for mail in list_mails(app.mail):
            if mail.to == email and (link := re.search(rf"http://[^/\s]+{path}\?token=\S+", mail.text)):
                return link[0]
        time.sleep(0.05)
    raise AssertionError(f"no link was mailed to {email}")


def _sign_in(tab: Any, email: str, password: str) -> None:
    tab.goto("/login")
    tab.get_by_label("E-mail address").fill(email)
    tab.get_by_label("Password", exact=True).fill(password)
    tab.get_by_role("button", name="Sign in", exact=True).click()
    tab.wait_for_url(lambda url: "/login" not in url)  # wherever the first entry of the menu leads


def _plug_in_authenticator(tab: Any) -> None:
    """Give the tab a device that makes passkeys and verifies whoever uses it."""
    devtools = tab.context.new_cdp_session(tab)
    devtools.send("WebAuthn.enable")
    device = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": device})


def _sign_out(tab: Any) -> None:
    if tab.viewport_size["width"] == PHONE_PX:
        tab.locator("summary[aria-label=Menu]").click()
    tab.locator("button[title='Sign out']:visible").click()
    tab.get_by_text("You are signed out.").wait_for()


def _write_line(tab: Any, number: int, what: str, *, quantity: str, price: str) -> None:
    for field, text in (("description", what), ("quantity", quantity), ("unit_price", price)):
        tab.locator(f"[name=lines-{number}-{field}]").fill(text)


def _write_drafts(tab: Any, origin: str, count: int) -> None:
    """Write them as a program would, in the tab's session."""
    listed = tab.request.get("/api/customers").json()["customers"]
    line = {"description": "Concept", "quantity": "1", "unit_price": "95.00", "tax_rate_bp": 1900}
    body = {"customer_id": listed[0]["customer_id"], "currency": "EUR", "lines": [line]}
    for _ in range(count):
        headers = {"Idempotency-Key": str(uuid.uuid4()), "Origin": origin}
        assert tab.request.post("/api/invoices", data=body, headers=headers).status == 201


def _addresses(rows: Any) -> list[str]:
    return [link.get_attribute("href") for link in rows.locator("a.cover").all()]
