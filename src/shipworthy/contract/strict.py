"""Strict decoding of JSON-like data into dataclasses, with errors a person can act on.

Owns: unknown keys, missing keys and wrong types, each named with its path, its line in the
source file where that can be known, and the nearest known name. Knows no format: callers
parse TOML or JSON first and may pass the text along for line numbers.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import types
import typing
from enum import Enum
from typing import Any, TypeVar

from shipworthy.contract.lines import line_of

T = TypeVar("T")


class Undecodable(ValueError):
    """The data does not fit. `path` is the dotted place, `line` is 1-based or None."""

    def __init__(self, message: str, *, path: str, line: int | None = None, source: str = "") -> None:
        self.path, self.line, self.source = path, line, source
        where = f"{source}:{line}: " if source and line else f"{source}: " if source else ""
        super().__init__(f"{where}{message}")


def decode(cls: type[T], data: Any, *, source: str = "", text: str = "") -> T:
    """Build a `cls` from plain data, refusing whatever it does not know.

    Errors:  Undecodable, naming the key, its line in `text`, and the nearest known name.
    Example: decode(Target, tomllib.loads(text), source="gauntlet.toml", text=text)
    """
    result: T = _Decoder(source, text).value(cls, data, ())
    return result


def encode(value: Any) -> Any:
    """Return `value` (dataclasses, enums, tuples) as plain JSON data; the inverse of `decode`."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: encode(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(k): encode(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [encode(v) for v in value]
    return value.value if isinstance(value, Enum) else value


class _Decoder:
    def __init__(self, source: str, text: str) -> None:
        self.source, self.text = source, text

    def value(self, want: Any, data: Any, path: tuple[str, ...]) -> Any:
        origin = typing.get_origin(want)
        args = typing.get_args(want)
        if want is Any or want is object:
            return data
        if origin in (typing.Union, types.UnionType):
            if data is None and type(None) in args:
                return None
            return self.value(next(a for a in args if a is not type(None)), data, path)
        if dataclasses.is_dataclass(want):
            return self.record(want, data, path)  # type: ignore[arg-type]
        if origin in (tuple, list, dict):
            return self.collection(origin, args, data, path)
        return self.scalar(want, data, path)

    def collection(self, origin: Any, args: tuple[Any, ...], data: Any, path: tuple[str, ...]) -> Any:
        if origin is dict:
            if not isinstance(data, dict):
                raise self.wrong(path, "a table", data)
            return {k: self.value(args[1], v, (*path, k)) for k, v in data.items()}
        if not isinstance(data, list):
            raise self.wrong(path, "a list", data)
        is_open = origin is list or (len(args) == 2 and args[1] is Ellipsis)
        if not is_open and len(data) != len(args):
            raise self.wrong(path, f"a list of {len(args)}", data)
        wants = args[:1] * len(data) if is_open else args
        items = enumerate(zip(wants, data, strict=True))
        return origin(self.value(want, item, (*path, str(i))) for i, (want, item) in items)

    def scalar(self, want: Any, data: Any, path: tuple[str, ...]) -> Any:
        if typing.get_origin(want) is typing.Literal:
            return self.one_of(typing.get_args(want), data, path)
        if isinstance(want, type) and issubclass(want, Enum):
            return want(self.one_of(tuple(member.value for member in want), data, path))
        if want is float and isinstance(data, int) and not isinstance(data, bool):
            return float(data)
        if want is float and isinstance(data, float) and not math.isfinite(data):
            # TOML can say inf and nan, JSON cannot: what is read must be writable again.
            raise self.wrong(path, "a finite number", data)
        if isinstance(data, want) and not (want is int and isinstance(data, bool)):
            return data
        names = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
        raise self.wrong(path, names.get(want, str(want)), data)

    def one_of(self, known: tuple[Any, ...], data: Any, path: tuple[str, ...]) -> Any:
        if data in known:
            return data
        raise self.wrong(path, f"one of {', '.join(map(repr, known))}", data)

    def record(self, cls: type[Any], data: Any, path: tuple[str, ...]) -> Any:
        if not isinstance(data, dict):
            raise self.wrong(path, "a table", data)
        hints = typing.get_type_hints(cls)
        fields = {f.name: f for f in dataclasses.fields(cls)}
        for key in data:
            if key not in fields:
                near = difflib.get_close_matches(key, fields, n=1, cutoff=0.5)
                hint = f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(fields)}"
                raise self.error(f"unknown key {_dotted((*path, key))!r}{hint}", (*path, key))
        values = {}
        for name, field in fields.items():
            if name in data:
                values[name] = self.value(hints[name], data[name], (*path, name))
            elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
                raise self.error(f"missing key {_dotted((*path, name))!r}", path)
        return cls(**values)

    def wrong(self, path: tuple[str, ...], want: str, data: Any) -> Undecodable:
        return self.error(f"{_dotted(path)} must be {want}, not {data!r}", path)

    def error(self, message: str, path: tuple[str, ...]) -> Undecodable:
        return Undecodable(message, path=_dotted(path), line=line_of(self.text, path), source=self.source)


def _dotted(path: tuple[str, ...]) -> str:
    return ".".join(path) or "the document"
