"""What our code and templates say to people: every text that is marked for translation, and every one that is not.

Owns the rules of what counts as a text. Templates are read with patterns, code by its syntax tree.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import shipworthy

PACKAGE = Path(shipworthy.__file__).parent


@dataclass(frozen=True, order=True)
class Text:
    """One text, where it stands, its context, and its form for many things where it has one."""

    text: str
    many: str = ""
    context: str = ""
    where: str = ""

    @property
    def key(self) -> tuple[str, str]:
        return self.context, self.text


_LITERAL = r'"(?:[^"\\]|\\.)*"|' + r"'(?:[^'\\]|\\.)*'"
_CODE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
_SAID = re.compile(rf"(?<![\w.])_\(\s*({_LITERAL})(?:\s*,\s*context\s*=\s*({_LITERAL}))?")
_COUNTED = re.compile(rf"(?<![\w.])_n\(\s*({_LITERAL})\s*,\s*({_LITERAL})")
_LOOK = re.compile(
    rf"""(?:\bkind\s*=|"kind"\s*:)\s*(?:{_LITERAL})(?:\s+if\s+\w+\s+else\s+(?:{_LITERAL}))?"""
)  # how a button looks
_READ_ALOUD = re.compile(r'\b(?:aria-label|title|placeholder|alt)="([^"]*)"')
_TAG = re.compile(r"<!--.*?-->|<[^>]*>", re.DOTALL)
_ENTITY = re.compile(r"&\w+;")
_WORD = re.compile(r"[A-Za-zÀ-ÿ]{2}")
_SENTENCE = re.compile(r"^[A-Z][a-z]+(?:[ ,.:;'-]|$)|^[A-Z][A-Za-z]+ [a-z]|[a-z]{2} [A-Za-z]{2}")

# In code these take texts nobody reads on a page: manifests, programming errors, the log, letters to operators.
_NOT_SAID = {"route", "JobKind", "Flag", "Slo", "Sample", "Step", "TypeError", "ValueError", "AssertionError", "RuntimeError", "getLogger"}  # fmt: skip


def marked_in_template(source: str, where: str = "") -> Iterator[Text]:
    for code in _CODE.findall(_COMMENT.sub("", source)):
        for text, context in _SAID.findall(code):
            yield Text(_value(text), context=_value(context) if context else "", where=where)
        for one, many in _COUNTED.findall(code):
            yield Text(_value(one), many=_value(many), where=where)


def unmarked_in_template(source: str) -> Iterator[str]:
    """Words between tags, in attributes that are read aloud, and literals that read like a text."""
    source = _COMMENT.sub("", source)
    for code in _CODE.findall(source):
        rest = _LOOK.sub("", _COUNTED.sub("", _SAID.sub("", code)))
        rest = re.sub(rf"\bcontext\s*=\s*(?:{_LITERAL})", "", rest)
        yield from (
            value
            for value in map(_value, re.findall(_LITERAL, rest))
            if _SENTENCE.search(value) and not value.startswith("<")  # a drawing
        )
    bare = _CODE.sub("", source)
    yield from (value for value in _READ_ALOUD.findall(bare) if _WORD.search(value))
    bare = re.sub(r"<(script|style)\b.*?</\1>", "", bare, flags=re.DOTALL)
    yield from (
        line.strip()
        for line in _ENTITY.sub("", _TAG.sub("\n", bare)).splitlines()
        # Attributes that a macro writes stand between tags, as far as patterns can see.
        if _WORD.search(line) and '="' not in line
    )


def marked_in_code(source: str, where: str = "") -> Iterator[Text]:
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name, texts = _name(node), [a.value for a in node.args if _is_text(a)]
        if name in ("_", "mark", "Missing") and texts:
            context = next(
                (k.value.value for k in node.keywords if k.arg == "context" and _is_text(k.value)), ""
            )
            yield Text(texts[0], context=context, where=where)
        elif name == "_n" and len(texts) == 2:
            yield Text(texts[0], many=texts[1], where=where)
        elif name == "NavItem":
            yield from (Text(k.value.value, where=where) for k in node.keywords if k.arg == "label")


def unmarked_in_code(source: str) -> Iterator[str]:
    """Literals that read like a sentence and are neither marked nor documentation."""
    yield from _unmarked(ast.parse(source))


def _unmarked(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call) and _name(node) in {"_", "_n", "mark", "Missing", "NavItem", *_NOT_SAID}:
        return
    if isinstance(node, ast.Assert):
        yield from _unmarked(node.test)
        return
    if isinstance(node, ast.Assign) and all(
        isinstance(t, ast.Name) and t.id.endswith("EXAMPLE") for t in node.targets
    ):
        return
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # documentation
    if isinstance(node, ast.JoinedStr):
        whole = "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values)
        if _SENTENCE.search(whole) and not whole.lstrip().startswith("<"):  # markup
            yield whole
        return
    if _is_text(node) and re.search(r"^[A-Z][a-z]*[.,;:]? .*[a-z]", node.value):
        yield node.value
    for child in ast.iter_child_nodes(node):
        yield from _unmarked(child)


def all_marked() -> list[Text]:
    """Return every marked text of the package, in the order of its files."""
    found: list[Text] = []
    for path in sorted([*PACKAGE.rglob("*.html"), *PACKAGE.rglob("templates/**/*.txt")]):
        found += marked_in_template(path.read_text(encoding="utf-8"), str(path.relative_to(PACKAGE)))
    for path in sorted([*PACKAGE.glob("kernel/**/*.py"), *PACKAGE.glob("rooms/**/*.py")]):
        found += marked_in_code(path.read_text(encoding="utf-8"), str(path.relative_to(PACKAGE)))
    return found


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _value(literal: str) -> str:
    value: str = ast.literal_eval(literal)
    return value
