"""The plan of a new room: which files it gets, with their whole text. Pure, so it can be shown first."""

from __future__ import annotations

from importlib import resources
from string import Template

from shipworthy.builder.plan import PlannedFile
from shipworthy.builder.rooms import code, screens, sql
from shipworthy.builder.rooms.asked import Asked
from shipworthy.builder.rooms.code import camel, indented, sample_of, text_of

_SCAFFOLD = resources.files("shipworthy.builder") / "scaffolds" / "room"


def plan_room(room: Asked) -> tuple[PlannedFile, ...]:
    """Return the files of a new room, by their paths in the app's folder."""
    one, folder = room.table, f"rooms/{room.name}"
    words = _common(room)

    def written(path: str, source: str, **parts: str) -> PlannedFile:
        text = Template((_SCAFFOLD / source).read_text(encoding="utf-8")).substitute({**words, **parts})
        return PlannedFile(path, f"{text.rstrip()}\n")

    refs, unique = len(room.of("reference")), len(room.unique)
    budgets = {
        "queries_create": 7 + unique + refs,
        "queries_edit": 5 + unique + refs,
        "queries_new_page": 2 + refs,
        "queries_edit_page": 3 + refs,
        "queries_submit_new": max(7 + unique + refs, 4 + unique + 2 * refs),
        "queries_submit": max(7 + unique + refs, 5 + unique + 2 * refs),
    }
    counted = {name: str(bound) for name, bound in budgets.items()}
    return (
        written(f"{folder}/__init__.py", "init.py.in"),
        written(f"{folder}/README.md", "README.md.in"),
        written(f"{folder}/room.py", "room.py.in", steps=screens.steps(room), **_declared(room)),
        written(f"{folder}/bodies.py", "bodies.py.in", **code.bodies(room)),
        written(f"{folder}/reading.py", "reading.py.in", **code.reading(room)),
        written(f"{folder}/entries.py", "entries.py.in", **code.entries(room)),
        written(f"{folder}/listing.py", "listing.py.in", **code.listing(room)),
        written(
            f"{folder}/web.py", "web.py.in", example=indented(code.example(room, is_form=False), 4), **counted
        ),
        written(f"{folder}/screens.py", "screens.py.in", **screens.screens(room), **counted),
        written(f"{folder}/permissions.py", "permissions.py.in"),
        written(f"{folder}/catalogue.py", "catalogue.py.in"),
        written(f"{folder}/seed.py", "seed.py.in", **screens.seeded(room)),
        PlannedFile(f"{folder}/queries.sql", sql.queries_sql(room)),
        PlannedFile(f"{folder}/volume.sql", sql.volume_sql(room)),
        PlannedFile(f"{folder}/migrations/0001_pre_{room.name}.up.sql", sql.up_sql(room)),
        PlannedFile(f"{folder}/migrations/0001_pre_{room.name}.down.sql", sql.down_sql(room)),
        written(f"{folder}/templates/{room.name}.html", "list.html.in", **screens.list_page(room)),
        written(f"{folder}/templates/{one}.html", "form.html.in", **screens.form_page(room)),
        written(f"{folder}/languages/de/{room.name}.po", "de.po.in", **screens.words(room)),
        written(
            f"tests/test_{room.name}.py",
            "test_room.py.in",
            imports="import uuid\n" if room.unique else "",
            test_entry=indented(screens.tested(room), 8),
        ),
    )


def _common(room: Asked) -> dict[str, str]:
    one_words = room.table.replace("_", " ")
    return {
        "room": room.name,
        "one": room.table,
        "One": camel(room.table),
        "one_words": one_words,
        "label": room.label,
        "label_lower": room.label.lower(),
        "label_py": text_of(room.label),
        "new_title_py": text_of(f"New {room.one_label.lower()}"),
        "edit_title_py": text_of(f"Edit {room.one_label.lower()}"),
        "delete_title_py": text_of(f"Delete: {one_words}"),
        "title": room.title.name,
        "title_label": room.title.label,
        "icon": room.icon,
    }


def _declared(room: Asked) -> dict[str, str]:
    """Return the parts of room.py: samples, what is personal, and what it stands on."""
    one = room.table
    samples = [
        f'Sample(name="{one}_id", sql="select {one}_id from {one} order by created_at desc, {one}_id desc limit 1"),'
    ]
    for field in room.of("reference"):
        assert field.target is not None
        target = field.target
        oldest = f"select {target.id} from {target.table} order by created_at, {target.id} limit 1"
        samples.append(f'Sample(name="{sample_of(room, field)}", sql="{oldest}"),')
    personal = [field.name for field in room.fields if field.section.personal]
    stands_on = ", ".join(text_of(name) for name in room.stands_on)
    return {
        "samples": indented(samples, 8),
        "personal": f"    personal=({', '.join(map(text_of, personal))},)," if personal else "",
        "stands_on": f"    stands_on=({stands_on},)," if stands_on else "",
    }
