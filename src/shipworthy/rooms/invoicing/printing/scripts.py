"""Which writing a character belongs to, and which free font draws it. By its Unicode name: no table to keep up."""

from __future__ import annotations

import unicodedata

_CJK = ("Chinese, Japanese or Korean", "Noto Sans CJK")
_BY_WORD = {
    "CJK": _CJK,
    "HIRAGANA": _CJK,
    "KATAKANA": _CJK,
    "HANGUL": _CJK,
    "BOPOMOFO": _CJK,
    "IDEOGRAPHIC": _CJK,
    "FULLWIDTH": _CJK,
}
# Scripts whose font is called after them.
_NOTO = (
    "ARABIC", "HEBREW", "DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI", "ORIYA", "TAMIL", "TELUGU", "KANNADA",
    "MALAYALAM", "SINHALA", "THAI", "LAO", "TIBETAN", "MYANMAR", "GEORGIAN", "ARMENIAN", "ETHIOPIC", "CHEROKEE",
    "KHMER", "MONGOLIAN", "SYRIAC", "THAANA", "OGHAM", "RUNIC", "GOTHIC", "COPTIC", "GLAGOLITIC", "TIFINAGH",
)  # fmt: skip
_EMOJI = ("picture characters", "Noto Emoji")


def fonts_for(text: str) -> list[tuple[str, str]]:
    """Return (writing, font) for the characters of `text`, each once; what nobody draws has none."""
    return list(dict.fromkeys(found for character in text if (found := _font_for(character))))


def _font_for(character: str) -> tuple[str, str] | None:
    word = unicodedata.name(character, "").partition(" ")[0]
    if word in _BY_WORD:
        return _BY_WORD[word]
    if word in _NOTO:
        return (word.capitalize(), f"Noto Sans {word.capitalize()}")
    return _EMOJI if unicodedata.category(character) == "So" else None
