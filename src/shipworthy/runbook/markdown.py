"""Pages as Markdown: what is written is read back as the same page, byte for byte.

A head of `key: value` lines between two lines of ---, then prose. A step is a fenced block whose fence says what it
is: ```sh act expect=0 within=60s says="…". The paragraph above it is its title.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from shipworthy.runbook.page import KINDS, LANGUAGES, WITHIN_S, Page, PageInvalid, Stamp, Step

_VALUE = r"\"[^\"]*\"|'[^']*'|[^\s\"']+"
_FENCE = re.compile(rf"^```(\w+) (\w+)((?: +[a-z]+(?:=(?:{_VALUE}))?)*) *$")
_WORD = re.compile(rf"([a-z]+)(?:=({_VALUE}))?")
_KEYS = ("title", "kind", "subject", "incident", "blast", "escalate")
_STAMP_KEYS = ("date", "commit", "result", "page", "evidence", "detected_s", "repaired_s")


def parse(text: str, *, name: str) -> Page:
    """Return the page that `text` is. Errors: PageInvalid, naming the page and the line."""
    lines = text.splitlines()
    if not lines or lines[0] != "---" or "---" not in lines[1:]:
        raise PageInvalid(f"{name}: a page begins with a head between two lines of ---")
    end = lines.index("---", 1)
    head = _head(lines[1:end], name)
    body = "\n".join(lines[end + 1 :]).strip("\n") + "\n"
    if head["kind"] not in ("alert", "errors", "procedure"):
        raise PageInvalid(f"{name}: kind must be alert, errors or procedure, not {head['kind']!r}")
    return Page(
        name=name,
        body=body,
        steps=tuple(_steps(lines, end + 1, name)),
        stamp=_stamp(head.get("drilled", ""), name),
        **{key: head[key] for key in _KEYS},  # type: ignore[arg-type]
    )


def write(page: Page) -> str:
    """Return the page as text, its stamp in the head."""
    head = [f"{key}: {getattr(page, key)}" for key in _KEYS]
    if page.stamp:
        facts = {key: getattr(page.stamp, key) for key in _STAMP_KEYS}
        head.append(
            "drilled: " + " ".join(f"{key}={value}" for key, value in facts.items() if value is not None)
        )
    return "\n".join(["---", *head, "---", "", page.body])


def _head(lines: list[str], name: str) -> dict[str, str]:
    head = {}
    for number, line in enumerate(lines, 2):
        key, colon, value = line.partition(":")
        if not colon or key not in (*_KEYS, "drilled"):
            raise PageInvalid(f"{name}:{number}: {line!r} is no line of a head ({', '.join(_KEYS)})")
        head[key] = value.strip()
    if missing := [key for key in _KEYS if key not in head]:
        raise PageInvalid(f"{name}: its head does not say {', '.join(missing)}")
    return head


def _stamp(text: str, name: str) -> Stamp | None:
    if not text:
        return None
    facts: dict[str, Any] = dict(word.partition("=")[::2] for word in text.split())
    for key in ("detected_s", "repaired_s"):
        if key in facts:
            facts[key] = float(facts[key])
    try:
        return Stamp(**facts)
    except TypeError as broken:
        raise PageInvalid(f"{name}: its stamp cannot be read: {text!r}") from broken


def _steps(lines: list[str], begin: int, name: str) -> list[Step]:
    found, number = [], begin
    while number < len(lines):
        line = lines[number]
        if not line.startswith("```"):
            number += 1
            continue
        end = next((n for n in range(number + 1, len(lines)) if lines[n] == "```"), None)
        if end is None:
            raise PageInvalid(f"{name}:{number + 1}: this block does not end")
        fence = _FENCE.match(line)
        if fence is None and line[3:].split(" ")[0] in LANGUAGES and " " in line:
            raise PageInvalid(f"{name}:{number + 1}: this fence cannot be read: {line!r}")
        if fence is not None:
            found.append(_step(fence, lines, number, end, name))
        number = end + 1
    return found


def _step(fence: re.Match[str], lines: list[str], number: int, end: int, name: str) -> Step:
    language, kind = fence[1], fence[2]
    where = f"{name}:{number + 1}"
    if language not in LANGUAGES:
        raise PageInvalid(f"{where}: there is no language {language!r}; there are {', '.join(LANGUAGES)}")
    if kind not in KINDS:
        raise PageInvalid(f"{where}: there is no kind of step {kind!r}; there are {', '.join(KINDS)}")
    words = {key: value[1:-1] if value[:1] in ("'", '"') else value for key, value in _WORD.findall(fence[3])}
    if unknown := set(words) - {"expect", "says", "within", "owner"}:
        raise PageInvalid(
            f"{where}: a step knows expect, says, within and owner, not {', '.join(sorted(unknown))}"
        )
    text = "\n".join(lines[number + 1 : end]).strip()
    if not text:
        raise PageInvalid(f"{where}: this step does nothing")
    return Step(
        kind=kind,  # type: ignore[arg-type]
        language=language,  # type: ignore[arg-type]
        title=_title(lines, number) or kind,
        text=text,
        expect=words.get("expect", ""),
        says=words.get("says", ""),
        within_s=_seconds(words, where),
        as_owner="owner" in words,
    )


def _title(lines: list[str], number: int) -> str:
    """The first sentence of the paragraph above the block."""
    end = number
    while end and not lines[end - 1].strip():
        end -= 1
    begin = end
    while begin and lines[begin - 1].strip() and not lines[begin - 1].startswith(("#", "```", "---", "|")):
        begin -= 1
    sentence, _, _ = " ".join(lines[begin:end]).partition(". ")
    return sentence.strip().lstrip("-*0123456789. ").rstrip(".:")


def _seconds(words: Mapping[str, str], where: str) -> float:
    text = words.get("within", "")
    if not text:
        return WITHIN_S
    found = re.fullmatch(r"(\d+)(s|m)", text)
    if not found:
        raise PageInvalid(f"{where}: within={text} is not a time like 30s or 2m")
    return int(found[1]) * {"s": 1.0, "m": 60.0}[found[2]]
