"""What WordPress makes of its classic editor's text before a browser gets it: paragraphs from empty lines, and the square
brackets it knows. Pure.

Source:  the described behaviour of `wpautop` and of the shortcodes caption, gallery, audio, video and embed.
"""

from __future__ import annotations

import re
from html import escape

_BLOCKS = (
    "address|article|aside|blockquote|center|dd|details|div|dl|dt|fieldset|figcaption|figure|footer|form|h[1-6]|header|hr|"
    "iframe|li|main|nav|noscript|object|ol|p|pre|script|section|style|summary|table|tbody|td|tfoot|th|thead|tr|ul|video"
)
_BLOCK_OPENS = re.compile(rf"\s*(<(?:{_BLOCKS})\b[^>]*>)", re.IGNORECASE)
_BLOCK_ENDS = re.compile(rf"(</(?:{_BLOCKS})\s*>|<hr\b[^>]*>)\s*", re.IGNORECASE)
_STARTS_BLOCK = re.compile(rf"</?(?:{_BLOCKS})\b", re.IGNORECASE)
_KEPT = re.compile(r"<(pre|script|style|textarea)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_CAPTION = re.compile(r"\[(?:wp_)?caption\b([^\]]{0,500})\](.*?)\[/(?:wp_)?caption\]", re.DOTALL)
_CAPTION_TEXT = re.compile(r"^\s*((?:<a\b[^>]*>\s*)?<img\b[^>]*>(?:\s*</a>)?)(.*)$", re.DOTALL)
_GALLERY = re.compile(r"\[gallery\b([^\]]{0,1000})\]")
_MEDIA = re.compile(r"\[(audio|video|playlist)\b([^\]]{0,1000})\](?:\s*\[/\1\])?")
_EMBED = re.compile(
    r"\[(?:embed|youtube|vimeo|wpvideo)\b[^\]]{0,300}\]\s*(\S{1,500}?)\s*\[/embed\]|\[youtube[= ](\S{1,500}?)\]"
)
_OTHER = re.compile(r"\[/?([a-z][a-z0-9_-]{2,40})(?:[ =][^\]\n]{0,500})?/?\]")
_ATTRIBUTE = re.compile(r"""([a-z_]+\d?)\s*=\s*["']?([^"'\]]*?)["']?(?=\s+[a-z_]+\d?\s*=|\s*$|["'])""")
_ALONE = re.compile(r"^\s*(https?://[^\s<>\"]+)\s*$", re.MULTILINE)


def is_classic(content: str) -> bool:
    """Say whether a text is of the classic editor: the other one marks each block."""
    return "<!-- wp:" not in content


def without_shortcodes(content: str) -> tuple[str, list[str]]:
    """Return the text with WordPress's own square brackets as HTML, and the names of those nobody here knows."""
    content = _CAPTION.sub(_figure, content)
    content = _GALLERY.sub(
        lambda found: f'\n\n<div class="gallery" data-ids="{escape(_ids(found[1]))}"></div>\n\n', content
    )
    content = _MEDIA.sub(_media, content)
    content = _EMBED.sub(lambda found: f"\n\n{found[1] or found[2]}\n\n", content)
    unknown = sorted({found[1] for found in _OTHER.finditer(_KEPT.sub("", content))})
    return content, unknown


def paragraphs(content: str) -> str:
    """Return the text with its paragraphs: an empty line ends one, a line's end breaks it."""
    kept: list[str] = []

    def put_aside(found: re.Match[str]) -> str:
        kept.append(found.group())
        return f'\n\n<div data-kept="{len(kept) - 1}"></div>\n\n'

    text = _KEPT.sub(put_aside, content.replace("\r\n", "\n").replace("\r", "\n"))
    text = _BLOCK_ENDS.sub(r"\1\n\n", _BLOCK_OPENS.sub(r"\n\n\1", text))
    made = []
    for part in re.split(r"\n\s*\n", text):
        if not (bare := part.strip()):
            continue
        if _STARTS_BLOCK.match(bare):
            made.append(bare)
        else:
            made.append(f"<p>{bare.replace(chr(10), '<br>')}</p>")
    text = "\n".join(made)
    return re.sub(r'<div data-kept="(\d+)">\s*</div>', lambda found: kept[int(found[1])], text)


def addresses_alone(content: str) -> str:
    """Return the text with an address that stands on a line of its own as a link: WordPress shows what is there."""
    return _ALONE.sub(lambda found: f'<a href="{escape(found[1])}">{escape(found[1])}</a>', content)


def _figure(found: re.Match[str]) -> str:
    parts = _CAPTION_TEXT.match(found[2])
    if parts is None:
        return found[2]
    caption = parts[2].strip() or _attributes(found[1]).get("caption", "")
    return f"\n\n<figure>{parts[1]}<figcaption>{caption}</figcaption></figure>\n\n"


def _media(found: re.Match[str]) -> str:
    told = _attributes(found[2])
    address = next((value for value in told.values() if value.startswith(("http://", "https://", "/"))), "")
    return f'\n\n<{found[1]} src="{escape(address)}"></{found[1]}>\n\n'


def _ids(attributes: str) -> str:
    told = _attributes(attributes)
    return re.sub(r"[^\d,]", "", told.get("ids") or told.get("include") or "")


def _attributes(text: str) -> dict[str, str]:
    return {name: value.strip() for name, value in _ATTRIBUTE.findall(text)}
