"""From bytes to a typed body. A body that does not fit is refused naming every wrong field."""

from __future__ import annotations

import re
import typing
from collections.abc import Sequence
from itertools import islice
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from shipworthy.kernel.errors import Invalid, Refusal
from shipworthy.kernel.http.multipart import MULTIPART, BadMultipart, parse_multipart
from shipworthy.kernel.language import _, mark

FORM = "application/x-www-form-urlencoded"
_FORM_FIELDS_MAX = 2_000
_QUERY_FIELDS_MAX = 100


class Body(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Base of every request body: unknown fields are refused, not ignored."""


class NotUnderstood(Refusal):
    """The body is not JSON (or a form) at all."""

    kind = "malformed"


def parse_body(data: bytes, content_type: str, want: type[Any]) -> Any:
    """Decode `data` as `want`.

    Errors:  NotUnderstood for broken syntax or another media type; Invalid naming each field.
    """
    media = content_type.partition(";")[0].strip().lower()
    if media == FORM:
        raw: Any = _form(data)
        strict = False
    elif media == MULTIPART and _takes_files(want):
        raw = _form_with_files(data, content_type)
        strict = False
    elif media == "application/json" or media.endswith("+json"):
        try:
            raw = msgspec.json.decode(data or b"{}")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as broken:
            said = _("The body is not valid JSON: {what}.", what=broken)
            raise NotUnderstood("body.malformed", said) from None
        if rb"\u0000" in data and _has_null(raw):
            raise _null_refused("body.malformed")
        strict = True
    else:
        raise NotUnderstood("body.media_type", _("Send the body as application/json or as a form."))
    return convert(raw, want, strict=strict)


def convert(raw: Any, want: type[Any], *, strict: bool) -> Any:
    """Convert plain data to a Struct. Errors: Invalid naming each field that does not fit."""
    try:
        return msgspec.convert(raw, want, strict=strict, str_keys=True)
    except msgspec.ValidationError as first:
        fields = dict(islice(_problems(raw, want, strict, ""), _MISFITS_MAX))
        if not fields:
            fields = {"body": str(first)}
        said = _("Some fields need another value: {fields}.", fields=", ".join(fields))
        raise Invalid("body.invalid", said, fields=fields) from None


def parse_query(text: str, want: type[Any]) -> Any:
    """Decode a query string as `want`; unknown parameters are ignored (links carry trackers)."""
    known = {f.encode_name for f in msgspec.structs.fields(want)}
    try:
        pairs = parse_qsl(text, keep_blank_values=False, max_num_fields=_QUERY_FIELDS_MAX)
    except ValueError:
        raise NotUnderstood(
            "query.malformed",
            _("An address may hold at most {count} parameters.", count=_QUERY_FIELDS_MAX),
        ) from None
    if any("\0" in part for pair in pairs for part in pair):
        raise _null_refused("query.malformed")
    return convert({k: v for k, v in pairs if k in known}, want, strict=False)


def _form(data: bytes) -> dict[str, Any]:
    """Decode a form. `lines-0-price` style names become lists of records."""
    try:
        pairs = parse_qsl(data.decode("utf-8"), keep_blank_values=True, max_num_fields=_FORM_FIELDS_MAX)
    except (ValueError, UnicodeDecodeError):
        raise NotUnderstood("body.malformed", _("The form could not be read.")) from None
    return _fields(pairs)


def _takes_files(want: type[Any]) -> bool:
    """Say whether a body has room for a file: elsewhere a form with files is another media type like any."""
    return any(field.type is bytes for field in msgspec.structs.fields(want))


def _form_with_files(data: bytes, content_type: str) -> dict[str, Any]:
    """Decode a form with files: a file is `bytes`, and its name stands beside it as `<field>_name`."""
    try:
        return _fields(parse_multipart(data, content_type))
    except BadMultipart:
        raise NotUnderstood("body.malformed", _("The form could not be read.")) from None


def _fields(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    if any("\0" in part for pair in pairs for part in pair if isinstance(part, str)):
        raise _null_refused("body.malformed")
    fields: dict[str, Any] = {}
    rows: dict[str, dict[int, dict[str, Any]]] = {}
    for name, value in pairs:
        parts = name.split("-")
        if len(parts) == 3 and parts[1].isdecimal() and len(parts[1]) <= 4:
            rows.setdefault(parts[0], {}).setdefault(int(parts[1]), {})[parts[2]] = value
        elif not name.startswith("_"):
            fields[name] = value
    for name, by_index in rows.items():
        fields[name] = [
            row for _index, row in sorted(by_index.items()) if any(v.strip() for v in row.values())
        ]
    return fields


def _has_null(raw: Any) -> bool:
    """Tell whether any text in decoded JSON holds U+0000. The decoder has bounded the depth."""
    if isinstance(raw, str):
        return "\0" in raw
    if isinstance(raw, dict):
        return any(_has_null(name) or _has_null(value) for name, value in raw.items())
    return isinstance(raw, list) and any(map(_has_null, raw))


def _null_refused(code: str) -> NotUnderstood:
    """PostgreSQL's text cannot hold U+0000, so no field of ours can."""
    said = _("Text may not hold a null character (U+0000). Take it out and send it again.")
    return NotUnderstood(code, said)


def _problems(raw: Any, want: Any, strict: bool, path: str) -> typing.Iterator[tuple[str, str]]:
    """Walk data and type together and yield (field, what is wrong) for every misfit."""
    if isinstance(want, type) and issubclass(want, msgspec.Struct) and isinstance(raw, dict):
        yield from _struct_problems(raw, want, strict, path)
        return
    if typing.get_origin(want) is list and isinstance(raw, list):
        item = typing.get_args(want)[0]
        is_nested = False
        for i, value in enumerate(raw):
            for problem in _problems(value, item, strict, f"{path}[{i}]"):
                is_nested = True
                yield problem
        if is_nested:
            return
    try:
        msgspec.convert(raw, want, strict=strict)
    except msgspec.ValidationError as wrong:
        yield path or "body", _in_words(str(wrong).partition(" - at ")[0])


def _struct_problems(
    raw: dict[str, Any], want: Any, strict: bool, path: str
) -> typing.Iterator[tuple[str, str]]:
    prefix = f"{path}." if path else ""
    fields = {f.encode_name: f for f in msgspec.structs.fields(want)}
    for name in raw:
        if name not in fields:
            yield f"{prefix}{name}", _("is not a field of this request")
    for name, field in fields.items():
        if name in raw:
            is_nested = False
            if (entries := _bounded_list(field.type, raw[name])) is not None:
                for problem in _problems(raw[name], entries, strict, f"{prefix}{name}"):
                    is_nested = True
                    yield problem
            if not is_nested:
                yield from _problems(raw[name], field.type, strict, f"{prefix}{name}")
        elif field.required:
            yield f"{prefix}{name}", _("is missing")


def _bounded_list(kind: Any, value: Any) -> Any:
    """Return the bare list type of a list with bounds that is no longer than these: of a longer one, its length is
    all that is said, and its entries are not looked at."""
    if typing.get_origin(kind) is not typing.Annotated:
        return None
    bare, *metas = typing.get_args(kind)
    most = [m.max_length for m in metas if isinstance(m, msgspec.Meta) and m.max_length is not None]
    is_too_long = isinstance(value, list) and any(len(value) > bound for bound in most)
    return bare if typing.get_origin(bare) is list and not is_too_long else None


_MISFITS_MAX = 100  # so many are said at once: a megabyte of misfits would keep a core busy for half a minute
_KINDS = {
    "str": mark("text"),
    "int": mark("a whole number"),
    "float": mark("a number"),
    "bool": mark("true or false"),
    "array": mark("a list"),
    "object": mark("a record"),
    "uuid": mark("an id"),
    "date": mark("a date (YYYY-MM-DD)"),
    "null": mark("empty"),
    "bytes": mark("a file (base64)"),
}
_SAYINGS = (
    (r"Expected `str` of length >= 1$", mark("must not be empty")),
    (r"Expected `str` of length >= (\d+)$", mark("must have at least {bound} characters")),
    (r"Expected `str` of length <= (\d+)$", mark("may have at most {bound} characters")),
    (r"Expected `array` of length >= (\d+)$", mark("needs at least {bound} entries")),
    (r"Expected `array` of length <= (\d+)$", mark("may have at most {bound} entries")),
    (r"Expected `(?:int|float)` >= (\S+)$", mark("must be at least {bound}")),
    (r"Expected `(?:int|float)` <= (\S+)$", mark("may be at most {bound}")),
    (r"Expected `str` matching regex .*", mark("has characters that may not stand here")),
    (r"Invalid enum value .*", mark("is not one of the choices")),
    (r"Invalid UUID$", mark("is not an id")),
    (r"Invalid RFC3339 encoded date$", mark("is not a date (YYYY-MM-DD)")),
    (r"Invalid base64 encoded string$", mark("is not base64")),
)


def _in_words(message: str) -> str:
    """Say a misfit as one would to a person; what is not known is passed on as it is."""
    for pattern, saying in _SAYINGS:
        if found := re.match(pattern, message):
            return _(saying, bound=found[1]) if found.re.groups else _(saying)
    if match := re.match(r"Expected `([^`]+)`, got `[^`]+`$", message):
        kinds = [_(_KINDS.get(kind.strip(), kind.strip())) for kind in match.group(1).split("|")]
        return _("must be {kind}", kind=_(" or ").join(kinds))
    return message


def schema_of(want: type[Any] | None) -> dict[str, Any] | None:
    """Return the JSON Schema of a body type, for OpenAPI and the manifest."""
    return None if want is None else msgspec.json.schema(want)
