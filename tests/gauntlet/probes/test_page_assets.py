"""What a page links is found, each once, with its whole address."""

from __future__ import annotations

from shipworthy.gauntlet.probes.page_assets import (
    Asset,
    assets_of_asset,
    assets_of_page,
    path_of,
    same_origin,
)

PAGE = "http://a.test:8/shop/start"


def addresses(html: str) -> list[str]:
    return [asset.url for asset in assets_of_page(html, page_url=PAGE)]


def test_stylesheets_scripts_and_preloads_count_and_icons_images_and_inline_ones_do_not() -> None:
    html = """<LINK REL="preload stylesheet" href="/a.css"><link rel=icon href=/i.png><img src=/p.png>
      <script>inline()</script><script src="b.js" defer></script><script src=b.js></script>
      <link rel=modulepreload href=/m.js><link rel=preload as=script href=/p.js><link rel=preload as=font href=/f>
      <link rel=stylesheet href="data:text/css,x">"""
    assert addresses(html) == [
        "http://a.test:8/a.css",
        "http://a.test:8/shop/b.js",
        "http://a.test:8/m.js",
        "http://a.test:8/p.js",
    ]


def test_a_base_moves_what_is_relative() -> None:
    assert addresses('<base href="/static/"><script src="b.js">') == ["http://a.test:8/static/b.js"]


def test_imports_are_followed_in_stylesheets_and_modules_only() -> None:
    css = '@import url("x.css"); @import "/y.css" screen; a{}'
    sheet = Asset(kind="stylesheet", url="http://a.test:8/s/a.css")
    assert [a.url for a in assets_of_asset(sheet, css)] == [
        "http://a.test:8/s/x.css",
        "http://a.test:8/y.css",
    ]
    js = 'import a from "./a.js";import {b,\n c} from "../b.js"; export * from "/c.js"; import("./later.js")'
    module = Asset(kind="module", url="http://a.test:8/s/m.js")
    assert [a.url.rpartition("/")[2] for a in assets_of_asset(module, js)] == ["a.js", "b.js", "c.js"]
    assert assets_of_asset(Asset(kind="script", url="http://a.test:8/s.js"), js) == []


def test_an_address_is_taken_apart_as_a_request_needs_it() -> None:
    assert path_of("http://a.test:8/x?y=1#z") == "/x?y=1"
    assert path_of("http://a.test:8") == "/"
    assert same_origin(PAGE, "http://a.test:8/other")
    assert not same_origin(PAGE, "https://a.test:8/other")
