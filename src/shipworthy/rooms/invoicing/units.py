"""What quantities count: the units a line or a product can have, and what they are called.

Owns: the choice of codes. Electronic invoices carry the code, paper and screens the short name behind the number.

Source:  UN/ECE Recommendation 20 (and 21, for packages: X and two letters), as EN 16931 restricts it (BR-CL-23).
"""

from __future__ import annotations

from dataclasses import dataclass

from shipworthy.kernel.language import Locale, _, mark, speaking

NO_UNIT = "C62"


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: its name in a list, and what stands behind a number. Symbols are alike in all languages."""

    name: str
    short: str


UNITS = {
    NO_UNIT: Unit(mark("No unit"), ""),
    "H87": Unit(mark("Piece"), mark("pcs")),
    "HUR": Unit(mark("Hour"), mark("h")),
    "MIN": Unit(mark("Minute"), "min"),
    "DAY": Unit(mark("Day"), mark("day(s)")),
    "E49": Unit(mark("Working day"), mark("working day(s)")),
    "WEE": Unit(mark("Week"), mark("wk.")),
    "MON": Unit(mark("Month"), mark("mo.")),
    "QAN": Unit(mark("Quarter"), mark("qtr.")),
    "ANN": Unit(mark("Year"), mark("yr.")),
    "LS": Unit(mark("Lump sum"), mark("lump sum")),
    "P1": Unit(mark("Percent"), "%"),
    "IE": Unit(mark("Person"), mark("pers.")),
    "SET": Unit(mark("Set"), mark("set")),
    "PR": Unit(mark("Pair"), mark("pair")),
    "DZN": Unit(mark("Dozen"), mark("doz.")),
    "XPK": Unit(mark("Package"), mark("pkg.")),
    "XBX": Unit(mark("Box"), mark("box")),
    "XCT": Unit(mark("Carton"), mark("ctn.")),
    "XPX": Unit(mark("Pallet"), mark("pal.")),
    "XRO": Unit(mark("Roll"), mark("roll")),
    "XBG": Unit(mark("Bag"), mark("bag")),
    "XBO": Unit(mark("Bottle"), mark("btl.")),
    "MMT": Unit(mark("Millimetre"), "mm"),
    "CMT": Unit(mark("Centimetre"), "cm"),
    "MTR": Unit(mark("Metre"), "m"),
    "KMT": Unit(mark("Kilometre"), "km"),
    "MTK": Unit(mark("Square metre"), "m²"),
    "MTQ": Unit(mark("Cubic metre"), "m³"),
    "GRM": Unit(mark("Gram"), "g"),
    "KGM": Unit(mark("Kilogram"), "kg"),
    "TNE": Unit(mark("Tonne"), "t"),
    "MLT": Unit(mark("Millilitre"), "ml"),
    "LTR": Unit(mark("Litre"), "l"),
    "KWH": Unit(mark("Kilowatt hour"), "kWh"),
    "MWH": Unit(mark("Megawatt hour"), "MWh"),
    "4L": Unit(mark("Megabyte"), "MB"),
    "E34": Unit(mark("Gigabyte"), "GB"),
}


def read_unit(text: str, field: str, wrong: dict[str, str]) -> str:
    """Return the code as it was written, in capitals; nothing is no unit. One we do not know is added to `wrong`."""
    code = text.strip().upper() or NO_UNIT
    if code not in UNITS:
        wrong[field] = _(
            "There is no unit {code} here; use one of {choices}.", code=code[:12], choices=", ".join(UNITS)
        )
    return code


def with_unit(quantity: str, code: str, *, locale: Locale) -> str:
    """Return a number with what it counts: `24 h`. They are never torn apart by a line break."""
    unit = UNITS.get(code)
    with speaking(locale):
        short = _(unit.short) if unit and unit.short else "" if unit else code
    return f"{quantity}\N{NO-BREAK SPACE}{short}" if short else quantity


def unit_choices() -> list[tuple[str, str]]:
    """Return (code, name) pairs, in the reader's language."""
    return [(code, _(unit.name)) for code, unit in UNITS.items()]
