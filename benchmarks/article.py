"""The article that every server of `make bench NAME=pages` shows: 60 blocks, about 20 kB of text."""

from __future__ import annotations

from itertools import cycle, islice
from typing import Any

_SENTENCES = (
    "A boiler that is looked after once a year burns a tenth less gas than one that is not.",
    "Water finds the one joint that was tightened in a hurry, and it finds it on a Sunday.",
    "Before we come we ask three questions, because a van with the wrong parts helps nobody.",
    "The pressure in the system should stand between one and two bar while everything is cold.",
    "If a radiator is warm below and cold above there is air in it, and a key costs two euros.",
    "Old houses keep their pipes inside the walls, where nobody drew a plan of them.",
    "A drop every second is eleven cubic metres a year, which somebody pays for.",
    "We write down what we did, with the serial number of every part, so that the next one knows.",
    "The law asks for a certificate for everything that touches gas, and so do insurers.",
    "Most noises in the night are pipes that grow warm and rub against the wood they pass through.",
    "Hard water leaves a millimetre of chalk a year on a heating coil that nobody softens it for.",
    "When the price of a repair passes half of a new one, we say so before we begin.",
)
_SECTIONS = (
    "What a service costs", "When to call at once", "What you can do yourself", "How we work",
    "Heat pumps in old houses", "Water that runs cold", "Noises and where they come from", "Frost",
    "Gas and the law", "Leaks behind tiles", "Parts that wear out", "After we have left",
)  # fmt: skip
_PARAGRAPHS, _SENTENCES_EACH = 4, 4  # of each section


def _blocks() -> list[dict[str, str]]:
    sentences = cycle(_SENTENCES)
    found = []
    for section in _SECTIONS:
        found.append({"kind": "heading", "text": section})
        for _ in range(_PARAGRAPHS):
            found.append({"kind": "paragraph", "text": " ".join(islice(sentences, _SENTENCES_EACH))})
            next(sentences)  # or every paragraph would be one of three
    return found


ARTICLE: dict[str, Any] = {
    "title": "All about heating",
    "description": "What a heating system needs in a year, what it costs, and when to call somebody.",
    "menu": [
        ["/services", "Services"],
        ["/prices", "Prices"],
        ["/about", "About us"],
        ["/contact", "Contact"],
    ],
    "blocks": _blocks(),
}


def markdown() -> str:
    """Return the article's text as the author of our page writes it."""
    return "\n\n".join(
        f"## {block['text']}" if block["kind"] == "heading" else block["text"] for block in ARTICLE["blocks"]
    )
