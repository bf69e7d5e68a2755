"""What people are told of an import: jobs write codes down, and each reader gets them in a language of their own."""

from __future__ import annotations

from collections.abc import Sequence

from shipworthy.kernel.language import _, _n, mark

# Why a thing is left out, or what became of it.
_REASONS = {
    "address_impossible": mark("No page can have this address."),
    "address_page": mark("A page stands at this address."),
    "domain_proof": mark("Claim it here under Domains: its TXT record shows whose it is."),
    "edited_since": mark("Somebody changed it since, so it stays."),
    "file_missing": mark("Its file did not come along."),
    "file_type": mark("Only texts in Markdown and pictures are taken in."),
    "front_matter": mark("What stands above the text cannot be read."),
    "in_menu": mark("A menu leads to it, so it stays."),
    "in_trash": mark("It was in the bin."),
    "known": mark("It is here already."),
    "menu_other": mark("The menu holds pages only."),
    "menu_page": mark("The page it leads to stands in the menu here, too."),
    "no_picture": mark("It is no picture."),
    "no_target": mark("The page it leads to does not come along."),
    "no_terms": mark("Pages have no categories or tags here."),
    "no_text_yet": mark("It was never saved."),
    "not_of_its_own": mark("It belongs to another one."),
    "not_utf8": mark("The file is not UTF-8."),
    "page_large": mark("It holds more than a page may hold here."),
    "picture_large": mark("The file is larger than 10 MB."),
    "picture_used": mark("A page shows it, so it stays."),
    "refused": mark("It could not be taken in."),
    "twice": mark("It stands above already."),
    "type_unknown": mark("It is neither page nor post nor picture."),
    "was_here": mark("It was here before the import, so it stays."),
}
# Why a file is refused whole.
_REFUSALS = {
    "file_gone": mark("The file is not there any more. Send it again."),
    "file_large": mark("{0} is larger than {1} kB."),
    "file_unknown": mark("This is neither an export of WordPress nor a zip."),
    "item_large": mark("One thing in the file is larger than {0} MB."),
    "items_many": mark("The file holds more than {0} things. Split it."),
    "site_broken": mark("The saved website cannot be read: {0}."),
    "site_newer": mark("The website was saved by a newer version of this program."),
    "xml_broken": mark("Line {0} is no XML. Export the file again."),
    "xml_doctype": mark("The file declares a document type, which no export of WordPress does."),
    "xml_other": mark("This XML is no export of WordPress."),
    "xml_utf8": mark("The file is not UTF-8. Export it again."),
    "zip_bomb": mark("{0} would grow to more than 200 times its size."),
    "zip_broken": mark("The zip is damaged."),
    "zip_large": mark("Unpacked, the zip has more than {0} GB."),
    "zip_link": mark("{0} is a link or a device, and no file."),
    "zip_locked": mark("The zip is locked with a password."),
    "zip_many": mark("The zip has {0} files; {1} are the most."),
    "zip_name": mark("{0} lies outside of the zip."),
    "zip_unknown": mark("The zip holds neither an export of WordPress nor files in Markdown."),
}
# What to know of a thing that is taken in. `{0}` and so on are filled in.
_NOTES = {
    "address_changed": mark("Its address {0} cannot be one here."),
    "address_taken": mark("Another page has the address {0}."),
    "date_passed": mark("Its day, {0}, has passed: it is a draft."),
    "file_wanted": mark("It was at {0}."),
    "frame_left": mark("What was shown in a frame ({0}) is a link now."),
    "front_matter_line": mark("In: {0}"),
    "gallery_empty": mark("A gallery names no pictures."),
    "had_password": mark("It had a password: it is a draft."),
    "html_flat": mark("Long HTML became plain text."),
    "kept_as_html": mark("Kept as HTML: {0}."),
    "left_out": mark("Left out: {0}."),
    "not_planned": mark("It is a draft, because: {0}"),
    "picture_elsewhere": mark("Shows a picture from where it was: {0}"),
    "plan_left": mark("What was planned for {0} is left out: that day has passed."),
    "said": mark("{0}"),
    "shortcode": mark("Holds a shortcode that nobody here knows: {0}."),
    "status_unknown": mark("Its status “{0}” is unknown: it is a draft."),
    "title_cut": mark("Its title was cut after {0} characters."),
    "title_made": mark("It had no title."),
    "was_pending": mark("It waited for a review: it is a draft."),
    "was_private": mark("It was private: it is a draft."),
    "widget_left": mark("Left out, because it changes by itself: {0}."),
}
_BLOCKS = {
    "button": mark("Button"),
    "cards": mark("Cards"),
    "divider": mark("Divider"),
    "faq": mark("Questions and answers"),
    "form": mark("Form"),
    "gallery": mark("Gallery"),
    "hero": mark("Hero"),
    "html": mark("HTML"),
    "image": mark("Picture"),
    "quote": mark("Quote"),
    "table": mark("Table"),
    "text": mark("Text"),
}


def reason_text(code: str) -> str:
    """Return why a thing is left out; nothing for no code."""
    return _(_REASONS[code]) if code in _REASONS else code


def refusal_text(note: Sequence[str]) -> str:
    """Return why a file is refused."""
    return _filled(_REFUSALS.get(note[0], note[0]), note[1:])


def notes_text(notes: Sequence[Sequence[str]]) -> list[str]:
    """Return what to know of a thing, sentence by sentence; its blocks first, in one."""
    blocks = [
        f"{_(_BLOCKS.get(kind, kind))} ({count})" for code, kind, count in _threes(notes) if code == "block"
    ]
    said = [_said(note) for note in notes if note[0] != "block"]
    return [", ".join(blocks), *said] if blocks else said


def _said(note: Sequence[str]) -> str:
    code, count = note[0], int(note[1]) if len(note) > 1 and note[1].isdecimal() else 0
    if code == "comments_left":
        return _n("{count} comment stays behind.", "{count} comments stay behind.", count)
    if code == "terms_left":
        return _n("{count} category or tag stays behind.", "{count} categories and tags stay behind.", count)
    if code == "pictures_missing":
        return _n(
            "{count} picture of a gallery did not come along.",
            "{count} pictures of a gallery did not come along.",
            count,
        )
    return _filled(_NOTES.get(code, code), note[1:])


def _filled(text: str, facts: Sequence[str]) -> str:
    said = _(text)
    for at, fact in enumerate(facts):
        said = said.replace(f"{{{at}}}", fact)
    return said


def _threes(notes: Sequence[Sequence[str]]) -> list[tuple[str, str, str]]:
    return [(note[0], note[1], note[2]) for note in notes if len(note) == 3]
