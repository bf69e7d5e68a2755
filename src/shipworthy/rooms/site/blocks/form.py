"""A form visitors write to the site's people with. What follows when it is sent: forms/taking.py."""

from __future__ import annotations

from html import escape
from typing import ClassVar, Literal

from shipworthy.kernel.language import mark
from shipworthy.rooms.site.blocks.block import Block, Field, Line, Place, Tags
from shipworthy.rooms.site.forms.fields import Filled, Shape, form_html
from shipworthy.rooms.site.forms.words import WORDS, action_of


class Form(Block):
    type, label, symbol = "form", mark("Contact form"), "inbox"
    also: ClassVar[Tags] = {
        "form": frozenset({"class", "method", "action"}),
        "label": frozenset({"for"}),
        "input": frozenset(
            {"type", "id", "name", "maxlength", "required", "autocomplete", "value", "tabindex"}
        ),
        "textarea": frozenset({"id", "name", "maxlength", "required", "rows"}),
        "button": frozenset(),
        "p": frozenset({"aria-hidden"}),
    }
    fields = (
        Field("heading", mark("Heading")),
        Field("asks_phone", mark("Ask for a telephone number, too"), kind="check"),
        Field(
            "notify",
            mark("Who is told by mail"),
            hint=mark("One address, as name@example.com. Empty: messages only wait under Messages."),
        ),
        Field("language", mark("Language"), kind="choice", choices=(("en", "English"), ("de", "Deutsch"))),
    )

    heading: Line = ""
    asks_phone: bool = False
    notify: Line = ""
    language: Literal["en", "de"] = "en"

    def shape(self, action: str, key: str) -> Shape:
        return Shape(action, WORDS[self.language], self.asks_phone, key)

    def html(self, place: Place) -> str:
        heading = f"<h2>{escape(self.heading)}</h2>" if self.heading else ""
        shape = self.shape(action_of(place.page_id, place.block_id), place.block_id)
        return heading + form_html(shape, Filled())
