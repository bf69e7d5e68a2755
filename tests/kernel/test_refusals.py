"""Refusals are read from the sources: code, status, words."""

from __future__ import annotations

from pathlib import Path

from shipworthy.kernel.refusals import refusals_in

SOURCE = """
def one():
    said = _("At most {count} fit.", count=3)
    raise Conflict("shelf.full", said)

def two():
    raise Invalid("shelf.name_invalid", f"{name} is no name.", fields={})

def three():
    raise ValueError("shelf.unheard")
"""


def test_codes_are_found_where_they_are_raised(tmp_path: Path) -> None:
    (tmp_path / "shelf.py").write_text(SOURCE, encoding="utf-8")
    found = refusals_in(tmp_path)
    assert found["shelf.full"] == (409, "At most … fit.")
    assert found["shelf.name_invalid"] == (422, "… is no name.")
    assert "shelf.unheard" not in found
    assert found["internal"][0] == 500
