"""The screens' building blocks: nothing hostile gets through, nothing breaks the content
security policy, and every page works in a real browser at desk and phone width."""

from __future__ import annotations

import functools
import gzip
import hashlib
import html
import http.server
import re
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import minijinja
import pytest

from shipworthy.kernel.http.pages import KERNEL_TEMPLATES, Pages, whole
from shipworthy.kernel.http.problem import page_headers
from shipworthy.kernel.http.static import KERNEL_STATIC
from shipworthy.kernel.language import _, _n, other_languages
from tests.support.browser import chromium
from tests.support.gallery import DEMO_TEMPLATES, DEMOS, NONCE, context, demo_pages, write_gallery

HOSTILE = """'"><evil onpwn=1>&</textarea></script>{{ 7*7 }}"""
MACRO = re.compile(r"{%- macro (\w+)\((.*?)\) -%}(.*?){%- endmacro -%}", re.DOTALL)

# What a parameter of this name takes; all others take text. `h` is the hostile text.
SHAPES = {
    "attrs": '{"data-x": h}',
    "bars": '[{"label": h, "value": 3, "text": h}]',
    "columns": '[h, {"label": h, "align": "end"}]',
    "errors": "{h: h}",  # keys are the caller's field names, and may be anything
    "events": '[{"text": h, "when": h, "iso": h, "by": h}]',
    "fields": "{h: h}",
    "items": '[{"key": h, "href": h, "label": h, "icon": h, "section": h, "count": h}]',
    "labels": "{}",
    "level": "2",
    "messages": '[{"kind": "error", "text": h}]',
    "options": "[[h, h]]",
    "others": '[{"code": h, "name": h}]',
    "pairs": "[[h, h]]",
    "rows": "[[h, h]]",
    "size": "20",
    "total": "[h, h]",
    "user": '{"name": h, "email": h}',
    **dict.fromkeys(("checked", "fixed", "flush", "guard", "is_new", "mono", "required", "strong"), "true"),
}
SHOWS_NO_TEXT = {"icon", "stats", "row", "item_list", "form_actions", "idem_field"}


class Page(HTMLParser):
    """The elements of a document, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def all(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag in tags]

    @property
    def classes(self) -> set[str]:
        return {name for _, attributes in self.elements for name in (attributes.get("class") or "").split()}


@pytest.fixture(scope="module")
def gallery() -> dict[str, str]:
    pages = demo_pages()
    return {demo.name: pages.render(demo.template, context(demo)).decode() for demo in DEMOS}


def macros() -> dict[str, tuple[list[str], bool]]:
    """Every macro's parameters, and whether it has a caller."""
    text = (KERNEL_TEMPLATES / "components.html").read_text() + (KERNEL_TEMPLATES / "icons.html").read_text()
    return {
        name: ([part.split("=")[0].strip() for part in parameters.split(", ") if part], "caller" in body)
        for name, parameters, body in MACRO.findall(text)
    }


@pytest.mark.parametrize("name", macros())
def test_hostile_text_in_every_parameter_of_a_macro_stays_text(name: str) -> None:
    parameters, has_caller = macros()[name]
    arguments = ", ".join(f"{p}={SHAPES.get(p, 'h')}" for p in parameters)
    use = (
        f"{{% call ui.{name}({arguments}) %}}{{{{ h }}}}{{% endcall %}}"
        if has_caller
        else f"{{{{ ui.{name}({arguments}) }}}}"
    )
    shown = render('{% import "kernel/components.html" as ui %}' + use, h=HOSTILE)
    tags = {tag for tag, _ in Page(shown).elements}
    assert "evil" not in tags
    assert "<evil" not in shown
    assert not [a for _, attributes in Page(shown).elements for a in attributes if a.startswith("on")]
    assert HOSTILE in html.unescape(shown) or name in SHOWS_NO_TEXT


def test_hostile_text_in_the_kernels_own_variables_stays_text_on_every_page() -> None:
    hostile = {
        "lang": HOSTILE,
        "app": {"name": HOSTILE},
        "page": {"title": HOSTILE, "section": HOSTILE},
        "nonce": HOSTILE,
        "user": {"name": HOSTILE, "email": HOSTILE},
        "tenant": {"name": HOSTILE},
        "nav": [{"href": HOSTILE, "label": HOSTILE, "icon": HOSTILE, "section": HOSTILE}],
        "flash": [{"kind": HOSTILE, "text": HOSTILE}],
        "error": {
            "status": 500,
            "title": HOSTILE,
            "detail": HOSTILE,
            "fields": {HOSTILE: HOSTILE},
            "trace_id": HOSTILE,
        },
    }
    pages = demo_pages()
    for template in ("layout.html", "layout_public.html", "error.html"):
        shown = pages.render(f"kernel/{template}", hostile).decode()
        assert "<evil" not in shown
        assert html.unescape(shown).count(HOSTILE) >= 3


def test_every_template_of_the_kernel_is_rendered_and_asks_for_nothing_undefined() -> None:
    loaded: set[str] = set()
    strict = environment(loaded)
    for demo in DEMOS:
        strict.render_template(demo.template, **context(demo))
    assert {name for name in loaded if name.startswith("kernel/")} == {
        f"kernel/{p.name}" for p in KERNEL_TEMPLATES.iterdir()
    }


def test_what_nobody_defined_is_a_crash_and_no_empty_button(tmp_path: Path) -> None:
    pages = Pages({"t": tmp_path}, static_url=str)
    uses = {
        "button": "{{ ui.button(said) }}",
        "text": "{{ said }}",
        "part": "{{ user.said }}",
        "asked": '{% if said %}x{% endif %}{{ ui.button(said or "Save") }}',
    }
    for name, use in uses.items():
        (tmp_path / f"{name}.html").write_text('{% import "kernel/components.html" as ui %}' + use)
        if name == "asked":
            assert b">Save</button>" in pages.render(f"t/{name}.html", {"user": {}})
        else:
            with pytest.raises(minijinja.TemplateError, match="undefined"):
                pages.render(f"t/{name}.html", {"user": {}})


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Credit note CN-2026-00001", 'Credit note <span class="whole">CN-2026-00001</span>'),
        ("2026-00014 & <b>", '<span class="whole">2026-00014</span> &amp; &lt;b&gt;'),
        ("Well-known", "Well-known"),
        ("a-1-" + "x" * 40, "a-1-" + "x" * 40),
    ],
)
def test_a_number_stays_on_one_line_and_text_stays_text(text: str, shown: str) -> None:
    assert str(whole(text)) == shown


def test_no_page_holds_what_the_content_security_policy_forbids(gallery: dict[str, str]) -> None:
    for name, text in gallery.items():
        page = Page(text)
        attributes = {a for _, found in page.elements for a in found}
        assert "style" not in attributes, name
        assert not {a for a in attributes if a.startswith("on") or a.startswith("hx-on")}, name
        assert not page.all("style"), name
        assert all(script.get("src") for script in page.all("script")), name


def test_every_file_a_page_names_is_there(gallery: dict[str, str]) -> None:
    for text in gallery.values():
        page = Page(text)
        named = [a.get("src") or a.get("href") or "" for a in page.all("script", "link")]
        assert len(named) == (5 if "challenge.js" in text else 4)
        assert all((KERNEL_STATIC / n.removeprefix("static/")).is_file() for n in named), named


def test_every_form_that_changes_something_carries_an_idempotency_key(gallery: dict[str, str]) -> None:
    seen = 0
    for name, text in gallery.items():
        for attributes, body in re.findall(r"<form([^>]*)>(.*?)</form>", text, re.DOTALL):
            if 'method="post"' in attributes:
                seen += 1
                assert body.count('name="_idempotency_key"') == 1, (name, attributes)
    assert seen > len(gallery)


def test_every_control_has_a_label_and_every_id_is_used_once(gallery: dict[str, str]) -> None:
    for name, text in gallery.items():
        page = Page(re.sub(r"<template.*?</template>", "", text, flags=re.DOTALL))
        labelled = {label.get("for") for label in page.all("label")}
        controls = [
            c
            for c in page.all("input", "select", "textarea")
            if c.get("type") != "hidden" and "hidden" not in c
        ]
        assert all(c.get("id") in labelled or c.get("aria-label") for c in controls), name
        ids = [a["id"] for _, a in page.elements if "id" in a]
        assert len(ids) == len(set(ids)), name
        described = " ".join(a.get("aria-describedby") or "" for _, a in page.elements).split()
        assert set(described) <= set(ids), name


def test_a_text_area_keeps_a_text_that_begins_with_an_empty_line() -> None:
    shown = render(
        '{% import "kernel/components.html" as ui %}{{ ui.textarea("body", "Text", value=v) }}', v="\nfirst"
    )
    assert ">\n\nfirst</textarea>" in shown


def test_nothing_given_shows_as_nothing_and_zero_shows_as_zero() -> None:
    use = '{% import "kernel/components.html" as ui %}{{ ui.field("n", "N", value=v) }}'
    assert 'value=""' in render(use, v=None)
    assert 'value="0"' in render(use, v=0)


def test_an_error_of_a_line_leads_to_its_field() -> None:
    use = """{% import "kernel/components.html" as ui %}{{ ui.error_summary({"lines[1].price": "is missing"}) }}
             {{ ui.money_field("lines-1-price", "Price", "EUR") }}"""
    page = Page(render(use))
    assert (page.all("a")[0]["href"] or "")[1:] == page.all("input")[0]["id"]


def test_the_styles_know_every_class_of_the_pages_and_no_other(gallery: dict[str, str]) -> None:
    css = re.sub(r"/\*.*?\*/", "", (KERNEL_STATIC / "app.css").read_text(), flags=re.DOTALL)
    styled = set(re.findall(r"\.([a-z][\w-]*)", re.sub(r"{[^{}]*}", "", css)))
    used = set().union(*(Page(text).classes for text in gallery.values()))
    assert used - styled == set()
    assert styled - used == {"htmx-request"}  # which htmx sets while it waits


def test_the_styles_stay_small_and_the_library_is_the_published_one() -> None:
    assert len(gzip.compress((KERNEL_STATIC / "app.css").read_bytes(), 9)) < 9 * 1024
    assert len(gzip.compress((KERNEL_STATIC / "app.js").read_bytes(), 9)) < 3 * 1024
    digest = hashlib.sha256((KERNEL_STATIC / "htmx.min.js").read_bytes()).hexdigest()
    assert f"SHA-256 {digest}" in (KERNEL_STATIC / "LICENSES.txt").read_text()


# In a browser ------------------------------------------------------------------------------

PROBLEM = b"<!doctype html><title>x</title><main><p data-problem>Invoice 7 is already paid.</p></main>"
TOTALS = b'<dl class="totals" id="totals"><div class="grand"><dt>Total</dt><dd>answered</dd></div></dl>'


class Site(http.server.SimpleHTTPRequestHandler):
    """The gallery under the console's own headers; a POST answers what the test has put into `answer`."""

    answer: tuple[int, bytes] = (200, TOTALS)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        status, body = type(self).answer
        self.send_response(status)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(body)

    def end_headers(self) -> None:
        for name, value in page_headers(NONCE):
            self.send_header(name.decode(), value.decode())
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Stay quiet."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("gallery")
    write_gallery(folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Site, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


@pytest.fixture
def tab(browser: Any) -> Iterator[Any]:
    opened = browser.new_page(viewport={"width": 375, "height": 800})
    opened.set_default_timeout(10_000)
    yield opened
    opened.close()


@pytest.mark.browser
@pytest.mark.parametrize("width", [375, 1280])
def test_every_page_fits_its_window_and_says_nothing_on_the_console(
    browser: Any, site: str, width: int
) -> None:
    tab = browser.new_page(viewport={"width": width, "height": 800})
    complaints: list[str] = []
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    for demo in DEMOS:
        tab.goto(f"{site}/{demo.name}.html")
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, demo.name
        assert tab.evaluate("getComputedStyle(document.body).margin") == "0px", "the styles were not loaded"
        assert complaints == [], demo.name
    tab.close()


@pytest.mark.browser
@pytest.mark.parametrize("has_script", [True, False], ids=["with script", "without"])
def test_the_menu_of_a_phone_closes_by_a_tap_beside_it(browser: Any, site: str, has_script: bool) -> None:
    tab = browser.new_page(viewport={"width": 375, "height": 800}, java_script_enabled=has_script)
    tab.goto(f"{site}/invoices.html")
    assert not tab.is_visible(".menu-panel")
    tab.click(".menu > summary")
    assert tab.is_visible(".menu-panel")
    tab.mouse.click(100, 200)
    tab.wait_for_selector(".menu-panel", state="hidden")
    assert tab.url.endswith("/invoices.html")
    tab.close()


@pytest.mark.browser
def test_a_question_opens_as_a_dialog_and_no_takes_it_back(tab: Any, site: str) -> None:
    tab.goto(f"{site}/invoice_view.html")
    assert not tab.is_visible("#void")
    tab.click("text=Void >> nth=0")
    assert tab.evaluate("document.querySelector('#void').matches(':modal')")
    tab.click("#void >> text=Cancel")
    tab.wait_for_selector("#void", state="hidden")


@pytest.mark.browser
def test_lines_are_added_and_removed_and_no_name_comes_twice(tab: Any, site: str) -> None:
    tab.goto(f"{site}/invoice_editor.html")
    tab.click("text=Add line")
    assert tab.evaluate("document.activeElement.name") == "lines-3-description"
    tab.click("[data-remove-row] >> nth=1")
    tab.click("text=Add line")
    names = tab.evaluate("[...document.querySelectorAll('[name$=-quantity]')].map(field => field.name)")
    assert names == [f"lines-{n}-quantity" for n in (0, 2, 3, 4)]


@pytest.mark.browser
def test_what_does_nothing_without_script_is_not_there_without_one(browser: Any, site: str) -> None:
    tab = browser.new_page(java_script_enabled=False)
    for page, part in (("sign_in", "[data-reveal]"), ("invoice_editor", "[data-add-row]")):
        tab.goto(f"{site}/{page}.html")
        assert tab.locator(part).count() > 0 and not tab.locator(part).first.is_visible()
    tab.close()


@pytest.mark.browser
def test_a_password_is_shown_on_demand_and_hidden_again(tab: Any, site: str) -> None:
    tab.goto(f"{site}/sign_in.html")
    tab.click("[data-reveal]")
    assert tab.get_attribute("[name=password]", "type") == "text"
    tab.click("[data-reveal]")
    assert tab.get_attribute("[name=password]", "type") == "password"


@pytest.mark.browser
def test_totals_follow_the_lines_and_a_refusal_becomes_a_message(tab: Any, site: str) -> None:
    tab.goto(f"{site}/invoice_editor.html")
    Site.answer = (200, TOTALS)
    tab.fill("[name=lines-0-quantity]", "25")
    tab.wait_for_selector("#totals >> text=answered")
    Site.answer = (409, PROBLEM)
    tab.fill("[name=lines-0-quantity]", "26")
    tab.wait_for_selector(".toast >> text=Invoice 7 is already paid.")
    tab.click("[data-dismiss]")
    tab.wait_for_selector(".toast", state="detached")


@pytest.mark.browser
def test_a_form_that_comes_back_wrong_is_shown_and_a_lost_session_reloads_the_page(
    tab: Any, site: str
) -> None:
    tab.goto(f"{site}/invoice_editor.html")
    Site.answer = (422, TOTALS.replace(b"answered", b"wrong"))
    tab.fill("[name=lines-0-quantity]", "x")
    tab.wait_for_selector("#totals >> text=wrong")
    assert not tab.query_selector(".toast")
    Site.answer = (200, demo_pages().render("demo/sign_in.html", context(DEMOS[0])))
    tab.on("dialog", lambda dialog: dialog.accept())  # leaving with unsaved changes asks first
    with tab.expect_navigation():
        tab.fill("[name=lines-0-quantity]", "27")
    assert tab.input_value("[name=lines-0-quantity]") == "24"


@pytest.mark.browser
def test_a_form_is_sent_once_however_often_it_is_pressed(tab: Any, site: str) -> None:
    tab.goto(f"{site}/customer_form.html")
    press = "document.querySelector('main form').dispatchEvent(new Event('submit', {bubbles: true, cancelable: true}))"
    assert [tab.evaluate(press), tab.evaluate(press)] == [True, False]


def render(template: str, **data: Any) -> str:
    return environment(set()).render_str(template, "page.html", **data)


def environment(loaded: set[str]) -> Any:
    """The kernel's environment, except that a name nobody defined is an error, and it notes what it loads."""

    def load(name: str) -> str:
        loaded.add(name)
        folder, _, rest = name.partition("/")
        return ({"kernel": KERNEL_TEMPLATES, "demo": DEMO_TEMPLATES}[folder] / rest).read_text(
            encoding="utf-8"
        )

    strict = minijinja.Environment(
        loader=load, auto_escape_callback=lambda _name: "html", undefined_behavior="strict"
    )
    strict.add_global("_", _)
    strict.add_global("_n", _n)
    strict.add_global("other_languages", other_languages)
    strict.add_global("static", lambda name: f"static/{name}")
    strict.add_global("idem", lambda: "key")
    strict.add_filter("whole", whole)
    strict.add_filter("money", lambda minor, currency: f"{currency} {minor}")
    return strict
