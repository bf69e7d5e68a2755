"""One description of a syntax, read both ways: from the model to XML and from XML to the model.

A syntax (`ubl.py`, `cii.py`) is a table of `Group` and `Leaf` in the order its schema wants. Because the writer
and the reader walk the same table, what one can say the other can hear. An element the table does not know is
not lost in silence: its place is told.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from dataclasses import field as field_of
from typing import Any

from lxml import etree

from shipworthy.kernel.errors import Invalid
from shipworthy.rooms.invoicing.einvoice.codecs import DATE_102, TEXT, Codec

TEXT_CHARS_MAX = 10_000
UNREAD_MAX = 20

NAMESPACES = {
    "inv": "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2",
    "cn": "urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2",
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
    "rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
    "qdt": "urn:un:unece:uncefact:data:standard:QualifiedDataType:100",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """An element with text. With `of`, it is an object of its own: its text is the field `text` of that.

    `up` means a field of the invoice, wherever the element stands; `currency` that its amount says in what
    it is counted. `spare` is a second place for a field: read where the first is empty, never written.
    """

    tag: str
    field: str
    codec: Codec
    of: type[Any] | None = None
    text: str = "value"
    attributes: tuple[tuple[str, str], ...] = ()
    fixed: tuple[tuple[str, str], ...] = ()
    many: bool = False
    up: bool = False
    spare: bool = False
    currency: str | None = None
    when: Callable[[Any], bool] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """An element that always says the same and tells its group from others of that name.

    `lenient`: another value will do when reading.
    """

    tag: str
    value: str
    lenient: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """An element with elements. Without `field` it only orders: what is in it belongs to the object around."""

    tag: str
    children: tuple[Leaf | Fixed | Group, ...]
    field: str | None = None
    of: type[Any] | None = None
    many: bool = False
    always: bool = False
    up: bool = False
    by_name: dict[str, list[Leaf | Fixed | Group]] = field_of(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        by_name: dict[str, list[Leaf | Fixed | Group]] = {}
        for child in self.children:
            by_name.setdefault(_name(child.tag), []).append(child)
        object.__setattr__(self, "by_name", by_name)


Part = Leaf | Fixed | Group


def write_tree(root: Group, invoice: Any, *, namespaces: dict[str | None, str]) -> bytes:
    """Return the invoice as XML. Errors: none; a character XML cannot hold becomes U+FFFD."""
    element = etree.Element(_name(root.tag), nsmap=namespaces)
    for child in root.children:
        _write(child, element, invoice, invoice)
    xml: bytes = etree.tostring(element, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return xml


def _write(part: Part, parent: Any, source: Any, invoice: Any) -> bool:
    """Write one part below `parent`; return whether it said anything."""
    if isinstance(part, Fixed):
        etree.SubElement(parent, _name(part.tag)).text = part.value
        return False
    if isinstance(part, Leaf):
        return _write_leaf(part, parent, invoice if part.up else source, invoice)
    owner = invoice if part.up else source
    sources = [owner] if part.field is None else _values(owner, part.field)
    said = False
    for each in sources or [None]:
        element = etree.SubElement(parent, _name(part.tag))
        told = [_write(child, element, each, invoice) for child in part.children]
        if any(told) or part.always or (part.many and each is not None):
            said = True
        elif not all(isinstance(child, Fixed) for child in part.children):
            parent.remove(element)
    return said


def _write_leaf(leaf: Leaf, parent: Any, source: Any, invoice: Any) -> bool:
    if leaf.spare:
        return False
    said = False
    for value in _values(source, leaf.field):
        if leaf.when and not leaf.when(value):
            continue
        text = getattr(value, leaf.text) if leaf.of else value
        element = etree.SubElement(parent, _name(leaf.tag))
        element.text = _writable(leaf.codec.write(text))
        for name, fixed in leaf.fixed:
            element.set(name, fixed)
        for name, named in leaf.attributes:
            if (attribute := getattr(value if leaf.of else source, named)) is not None:
                element.set(name, _writable(attribute))
        if leaf.currency:
            element.set("currencyID", getattr(invoice, leaf.currency))
        said = True
    return said


def _values(source: Any, name: str) -> tuple[Any, ...]:
    value = getattr(source, name) if source is not None else None
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)


@dataclass(slots=True)
class Reading:
    """What is known while a file is read."""

    currency: str
    tax_currency: str | None
    invoice: dict[str, Any] = field_of(default_factory=dict)
    unread: list[str] = field_of(default_factory=list)

    def miss(self, element: Any) -> None:
        """Remember a place that was not read; a file of nothing else must not cost more than reading it."""
        if len(self.unread) < UNREAD_MAX:
            self.unread.append(place(element))


def read_tree(root: Any, table: Group, of: type[Any], reading: Reading) -> Any:
    """Return the object the element stands for; places the table does not know are added to `reading.unread`.

    Errors:  `einvoice.element_refused`, naming the element.
    """
    _read_children(root, table, reading.invoice, reading)
    return _made(of, reading.invoice, root, reading)


# In C: a list of ninety thousand siblings, made for each of a hundred places, took half a minute.
_ALIKE = (
    "count(preceding-sibling::*[local-name()=$name])",
    "count(following-sibling::*[local-name()=$name])",
)


def place(element: Any) -> str:
    """Return where an element stands, as people would look for it: Invoice/InvoiceLine[2]/Price."""
    steps = []
    while element is not None:
        name = etree.QName(element).localname
        before, after = (int(element.xpath(count, name=name)) for count in _ALIKE)
        steps.append(f"{name}[{before + 1}]" if before or after else name)
        element = element.getparent()
    return "/".join(reversed(steps))


def refuse(element: Any, why: str) -> Invalid:
    """Return the refusal of one element."""
    where = place(element)
    return Invalid("einvoice.element_refused", f"{where}: {why}", fields={where: why})


def _read_children(element: Any, group: Group, values: dict[str, Any], reading: Reading) -> None:
    for child in element:
        if not isinstance(child.tag, str):
            raise refuse(element, "There is an entity reference in it; write the character itself.")
        part = next((p for p in group.by_name.get(child.tag, ()) if _fits(p, child, reading)), None)
        if part is None:
            reading.miss(child)
        elif isinstance(part, Leaf):
            _read_leaf(part, child, reading.invoice if part.up else values, reading)
        elif isinstance(part, Group):
            _read_group(part, child, reading.invoice if part.up else values, reading)


def _fits(part: Part, element: Any, reading: Reading) -> bool:
    if element.tag != _name(part.tag):
        return False
    if isinstance(part, Leaf):
        if part.currency == "tax_currency":
            told = element.get("currencyID")
            return bool(told == reading.tax_currency != reading.currency)
        return all(element.get(name) == value for name, value in part.fixed)
    if isinstance(part, Group):
        return all(_fits_within(child, part, element, reading) for child in part.children)
    return True


def _fits_within(child: Part, group: Group, element: Any, reading: Reading) -> bool:
    """Whether what would tell the element from others of its name says that it is this group."""
    found = element.find(_name(child.tag))
    if isinstance(child, Fixed):
        told = "" if found is None else (found.text or "").strip()
        return child.lenient or _BOOLEANS.get(told, told) == child.value
    tells = _tells_apart(child, group) if isinstance(child, Leaf) else _is_fixed(child)
    return not tells or (found is not None and _fits(child, found, reading))


def _tells_apart(leaf: Leaf, group: Group) -> bool:
    """Whether a group is another one where this leaf does not fit: by its scheme, or by its currency alone."""
    by_currency = leaf.currency == "tax_currency" and len(group.children) == 1
    return by_currency or (bool(leaf.fixed) and leaf.codec is not DATE_102)


_BOOLEANS = {"1": "true", "0": "false"}  # both are xs:boolean


def _is_fixed(group: Group) -> bool:
    """Whether there is nothing in a group but what tells it from others, as in TaxScheme/ID."""
    return all(isinstance(child, Fixed) and not child.lenient for child in group.children)


def _read_group(group: Group, element: Any, values: dict[str, Any], reading: Reading) -> None:
    if group.field is None or group.of is None:
        _read_children(element, group, values, reading)
        return
    inner: dict[str, Any] = {}
    _read_children(element, group, inner, reading)
    if not inner:
        return
    made = _made(group.of, inner, element, reading)
    if group.many:
        values.setdefault(group.field, []).append(made)
    elif group.field in values:
        raise refuse(element, "It stands here twice; there is room for one.")
    else:
        values[group.field] = made


def _read_leaf(leaf: Leaf, element: Any, values: dict[str, Any], reading: Reading) -> None:
    if len(element):
        raise refuse(element, "There are elements in it where a text is expected.")
    text = (element.text or "").strip(" \t\r\n")
    if not text:
        return
    if len(text) > TEXT_CHARS_MAX and leaf.text != "content":
        raise refuse(element, f"Its text is longer than {TEXT_CHARS_MAX} characters.")
    if leaf.currency and element.get("currencyID") not in (None, getattr(reading, leaf.currency)):
        told = element.get("currencyID")[:20]
        raise refuse(element, f"The amount is in {told}, the invoice in {getattr(reading, leaf.currency)}.")
    try:
        value = leaf.codec.read(text)
    except ValueError as wrong:
        raise refuse(element, str(wrong)) from None
    attributes = {named: element.get(name) for name, named in leaf.attributes if element.get(name)}
    if leaf.of:
        value, attributes = leaf.of(**{leaf.text: value}, **attributes), {}
    said = {leaf.field: value, **attributes}
    if leaf.many:
        values.setdefault(leaf.field, []).append(value)
    elif leaf.spare:
        values[f"{leaf.field}{_SPARE}"] = (said, element)
    elif values.get(leaf.field, value) == value:
        values |= said
    elif leaf.up:
        reading.miss(element)
    else:
        raise refuse(
            element, f"It says {text[:60]!r}, but elsewhere it says {str(values[leaf.field])[:60]!r}."
        )


_SPARE = " in its second place"


def _made(of: type[Any], values: dict[str, Any], element: Any, reading: Reading) -> Any:
    for name in [name for name in values if name.endswith(_SPARE)]:
        said, place_of = values.pop(name)
        if any(values.setdefault(field_name, value) != value for field_name, value in said.items()):
            reading.miss(place_of)
    missing = [
        f.name
        for f in fields(of)
        if f.default is MISSING and f.default_factory is MISSING and f.name not in values
    ]
    if missing:
        raise refuse(element, f"It does not say its {', '.join(name.replace('_', ' ') for name in missing)}.")
    return of(**{name: tuple(v) if isinstance(v, list) else v for name, v in values.items()})


def _name(tag: str) -> str:
    prefix, _, local = tag.partition(":")
    return f"{{{NAMESPACES[prefix]}}}{local}"


# Source:  XML 1.0, production 2 (Char).
_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _writable(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def leaf(path: str, name: str, codec: Codec = TEXT, **more: Any) -> Leaf | Group:
    """What stands at a path such as `cac:PartyName/cbc:Name` is the field `name`."""
    made: Leaf | Group = _at(path, lambda last: Leaf(tag=last, field=name, codec=codec, **more))
    return made


def group(path: str, *children: Part, **more: Any) -> Group:
    """A group at a path; the last step holds the children."""
    made: Group = _at(path, lambda last: Group(tag=last, children=children, **more))
    return made


def fixed(path: str, value: str, **more: Any) -> Fixed | Group:
    """What always stands at a path."""
    made: Fixed | Group = _at(path, lambda last: Fixed(tag=last, value=value, **more))
    return made


def _at(path: str, make: Callable[[str], Any]) -> Any:
    *outer, last = path.split("/")
    part = make(last)
    for step in reversed(outer):
        part = Group(tag=step, children=(part,))
    return part
