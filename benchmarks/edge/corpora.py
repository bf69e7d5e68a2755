"""Corpora that nobody here wrote: attacks and texts of people, each with where it is put.

`gotestwaf` (wallarm/gotestwaf, MIT) is the one that web application firewalls are compared with; `wapiti` are the payloads of
a scanner, from its wheel. Texts of people are gotestwaf's own false positives, and real prose and business texts of the test
data. None is committed here; one that is absent is left out, and the report says how to get it.
"""

from __future__ import annotations

import base64
import configparser
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

import yaml

from benchmarks.peers import python_peer

WAPITI = "wapiti3==3.2.3"
DATA = Path(os.environ.get("SHIPWORTHY_TEST_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
_SEARCH_CHARS_MAX = 100
_PLACES = {
    "URLParam": "query",
    "URLPath": "path",
    "Header": "header",
    "UserAgent": "user-agent",
    "HTMLForm": "form",
    "HTMLMultipartForm": "multipart",
    "JSONRequest": "json",
    "JSONBody": "json",
    "XMLBody": "xml",
    "SOAPBody": "xml",
    "RequestBody": "json",
}


@dataclass(frozen=True)
class Case:
    """One text at one place. `written` is how it goes into a URL or a form; None: as it is, encoded once."""

    corpus: str
    kind: str
    place: str
    text: str
    is_attack: bool


def found_corpora() -> tuple[list[Case], list[str]]:
    """Return the cases, and what is absent with how to get it."""
    cases, absent = [], []
    for name, read, how in (
        ("gotestwaf", _gotestwaf, "set SHIPWORTHY_GOTESTWAF to a checkout of github.com/wallarm/gotestwaf"),
        ("wapiti", _wapiti, f"{WAPITI} could not be installed"),
        ("prose", _prose, "set SHIPWORTHY_TEST_DATA to the test data (wxr, xrechnung)"),
    ):
        found = list(read())
        cases += found
        if not found:
            absent.append(f"corpus {name} was left out: {how}")
    return cases, absent


def _gotestwaf() -> Iterator[Case]:
    home = os.environ.get("SHIPWORTHY_GOTESTWAF")
    folder = Path(home) / "testcases" if home else DATA / "gotestwaf" / "testcases"
    for path in sorted(folder.rglob("*.yml")):
        # Its own reader takes an escaped apostrophe for an apostrophe, which YAML does not know.
        said = yaml.safe_load(path.read_text(encoding="utf-8").replace("\\'", "'"))
        for payload in said["payload"]:
            for encoder in said["encoder"]:
                for place in said["placeholder"]:
                    if isinstance(place, str) and place in _PLACES:
                        is_attack = "false-pos" not in path.parts
                        text = _encoded(str(payload), encoder)
                        yield Case("gotestwaf", said.get("type", "text"), _PLACES[place], text, is_attack)


def _encoded(payload: str, encoder: str) -> str:
    if encoder == "Base64Flat":
        return base64.b64encode(payload.encode()).decode().rstrip("=")
    return payload  # "URL" and "Plain" are how a client sends it anyway


def _wapiti() -> Iterator[Case]:
    peer = python_peer("wapiti", "--no-deps", WAPITI)  # its data only: it is not run
    if peer is None:
        return
    for path in sorted(peer.parents[1].glob("lib/python*/site-packages/wapitiCore/data/attacks/*.ini")):
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        parser.read(path, encoding="utf-8")
        for section in parser.sections():
            for line in parser[section].get("payload", "").splitlines():
                text = _filled(line.strip())
                if text and text != "None":
                    for place in ("query", "form", "json"):
                        yield Case("wapiti", path.stem, place, text, is_attack=True)


def _filled(payload: str) -> str:
    """Fill what a scanner fills in: its own host, a marker, a value that was there."""
    for name, value in {
        "[EXTERNAL_ENDPOINT]": "http://scanner.example/", "[PROTO_ENDPOINT]": "http", "[DOMAIN_ENDPOINT]": "scanner.example",
        "[VALUE]": "x", "[DIRVALUE]": "x", "[FILE_NAME]": "x", "[FILE_NOEXT]": "x", "[EXT]": "txt", "[TAB]": "\t", "[LF]": "\n",
        "[CR]": "\r", "[FF]": "\f", "[NULL]": "\0", "[TIME]": "7", "[RANDOM]": "4711", "__XSS__": "w7k3p", "[PATH_ID]": "1", "[LOWER]": "x",
    }.items():  # fmt: skip
        payload = payload.replace(name, value)
    return payload


def _prose() -> Iterator[Case]:
    """Sentences that people published, and names, notes and terms of real invoices."""
    texts: set[str] = set()
    for export in sorted((DATA / "wxr").glob("*.xml")):
        for element in ElementTree.parse(export).iter():
            if element.tag.endswith("encoded") and element.text:
                plain = re.sub(r"<[^>]*>|\[[^\]]*\]", " ", element.text)
                texts |= {" ".join(part.split()) for part in re.split(r"(?<=[.!?])\s|\n\n", plain)}
            elif element.tag.endswith(("title", "creator", "description", "category")) and element.text:
                texts.add(element.text.strip())
    for invoice in sorted((DATA / "xrechnung").rglob("*.xml")):
        texts |= {t.strip() for t in ElementTree.parse(invoice).getroot().itertext() if " " in t.strip()}
    for nth, text in enumerate(text for text in sorted(texts) if 2 < len(text) <= 2_000):
        # Each text at one place; nobody searches for a paragraph.
        places = ("query", "form", "json") if len(text) <= _SEARCH_CHARS_MAX else ("form", "json")
        yield Case("prose", "text", places[nth % len(places)], text, is_attack=False)


def path_of(text: str) -> str:
    """Return a path that ends in a text, as gotestwaf writes it: only what a URL cannot hold is encoded."""
    return "/" + quote(text.lstrip("/"), safe="/%:@!$&'()*+,;=-._~|{}[]`^\\")
