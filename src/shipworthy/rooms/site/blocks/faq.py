"""Questions and answers. They fold without script, and search engines are told of them as a FAQPage."""

from __future__ import annotations

from html import escape, unescape
from typing import Annotated, Any

import msgspec
import nh3
from msgspec import Meta

from shipworthy.kernel.language import mark
from shipworthy.rooms.site.blocks.block import Block, Field, Line, LongText, Place, markdown_html

QUESTIONS_MAX = 50


class Question(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    question: Line = ""
    answer: LongText = ""


class Faq(Block):
    type, label, symbol = "faq", mark("Questions and answers"), "life-buoy"
    fields = (
        Field("heading", mark("Heading")),
        Field(
            "questions",
            mark("Question"),
            kind="rows",
            rows_max=QUESTIONS_MAX,
            fields=(Field("question", mark("Question")), Field("answer", mark("Answer"), kind="markdown")),
        ),
    )

    heading: Line = ""
    questions: Annotated[list[Question], Meta(max_length=QUESTIONS_MAX)] = msgspec.field(default_factory=list)

    def html(self, place: Place) -> str:
        heading = f"<h2>{escape(self.heading)}</h2>" if self.heading else ""
        folds = "".join(
            f"<details><summary>{escape(asked.question)}</summary>{markdown_html(asked.answer)}</details>"
            for asked in self._whole()
        )
        return heading + (f'<div class="faq">{folds}</div>' if folds else "")

    def markdown(self) -> tuple[str, ...]:
        return tuple(asked.answer for asked in self.questions)

    def json_ld(self) -> dict[str, Any] | None:
        """Source: schema.org/FAQPage; an answer is text, for what is shown may be marked up as it likes."""
        whole = self._whole()
        if not whole:
            return None
        entities = [
            {
                "@type": "Question",
                "name": asked.question,
                "acceptedAnswer": {"@type": "Answer", "text": _plain(markdown_html(asked.answer))},
            }
            for asked in whole
        ]
        return {"@type": "FAQPage", "mainEntity": entities}

    def _whole(self) -> list[Question]:
        return [asked for asked in self.questions if asked.question and asked.answer]


def _plain(html: str) -> str:
    return " ".join(unescape(nh3.clean(html, tags=set())).split())
