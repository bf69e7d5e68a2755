"""A room from its fields: what is refused, and what is written. Covers: asked, code, names, screens, sql, write."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipworthy.builder.plan import PlannedFile
from shipworthy.builder.rooms.asked import Asked, Taken, ask
from shipworthy.builder.rooms.names import singular
from shipworthy.builder.rooms.plan import plan_room
from shipworthy.builder.rooms.write import write_room
from shipworthy.builder.spec import SpecRefused
from shipworthy.builder.tidied import tidied
from shipworthy.kernel.settings import settings_of

APP = '[app]\nname = "Inn"\nrooms = ["auth", "invoicing"]\n'
GUEST = 'guest = { kind = "text", required = true }\n'
EVERY_KIND = f"""{GUEST}code = {{ kind = "text", unique = true, chars_max = 20 }}
note = {{ kind = "text", chars_max = 1000 }}
guests = {{ kind = "integer", required = true }}
price = {{ kind = "money" }}
starts_on = {{ kind = "date", required = true }}
arrives_at = {{ kind = "time" }}
state = {{ kind = "choice", choices = ["open", "gone"] }}
payer = {{ kind = "reference", to = "customers" }}
"""
TAKEN = Taken(
    rooms=frozenset({"auth", "invoicing", "site", "kernel", "rooms_of_inn"}),
    in_app=frozenset({"auth", "invoicing"}),
    tables=frozenset({"customer", "page", "room_of_inn"}),
    addresses={"customers": "invoicing", "login": "auth", "api": "api"},
    icons=frozenset({"files", "calendar"}),
)


def asked(fields: str, *, name: str = "bookings", head: str = "") -> Asked:
    text = f"{APP}\n[room.{name}]\n{head}\n[room.{name}.fields]\n{fields}"
    settings = settings_of(text)
    return ask(name, settings.room.get(name), taken=TAKEN, others=settings.room, text=text)


def texts(room: Asked) -> dict[str, str]:
    return {file.path: file.text for file in plan_room(room)}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ("", "names no field"),
        ('n = { kind = "integer" }\n', "word of SQL or of the code"),
        ('nights = { kind = "integer" }\n', "must be a text that is required"),
        ('guest = { kind = "text", required = true, chars_max = 20 }\n', "chars_max must be 100 to 500"),
        (f'{GUEST}order = {{ kind = "text" }}\n', "app.toml:9: 'order' is a word of SQL"),
        (f'{GUEST}class = {{ kind = "text" }}\n', "a word of Python"),
        (f'{GUEST}Nights = {{ kind = "integer" }}\n', "lower-case letters"),
        (f'{GUEST}tenant_id = {{ kind = "text" }}\n', "word of SQL or of the code"),
        (f'{GUEST}nights = {{ kind = "integer", unique = true }}\n', "only a text can be unique"),
        (f'{GUEST}state = {{ kind = "choice", choices = ["open"] }}\n', "2 to 50 different"),
        (f'{GUEST}state = {{ kind = "choice", choices = ["a", "{{b}}"] }}\n', "without { }"),
        (f'{GUEST}nights = {{ kind = "integer", choices = ["a", "b"] }}\n', "choices belong to"),
        (f'{GUEST}price = {{ kind = "money", currency = "EURO" }}\n', "no currency 'EURO'"),
        (f'{GUEST}payer = {{ kind = "reference", to = "custmers" }}\n', "known: customers"),
        (f'{GUEST}nights = {{ kind = "integer", to = "customers" }}\n', "to belongs to"),
        (f'{GUEST}booking = {{ kind = "reference", to = "customers" }}\n', "kept in the column"),
        (
            f'{GUEST}price = {{ kind = "money" }}\nprice_minor = {{ kind = "integer" }}\n',
            "kept in the column",
        ),
        (f'{GUEST}note = {{ kind = "text", chars_max = 0 }}\n', "chars_max must be 1 to"),
        (f'{GUEST}note = {{ kind = "text", label = "a $b" }}\n', "without { }"),
    ],
)
def test_fields_that_cannot_be_are_refused_with_their_reason(fields: str, reason: str) -> None:
    with pytest.raises(SpecRefused) as refused:
        asked(fields)
    assert reason in str(refused.value)
    assert asked(EVERY_KIND).table == "booking"


@pytest.mark.parametrize(
    ("name", "head", "reason"),
    [
        ("invoicing", "", "there is a room 'invoicing' already"),
        ("customers", "", "the address /customers is one of the room 'invoicing'"),
        ("pages", "", "'page' is a table of this app"),
        ("bookings", 'one = "customer"', "'customer' is a table of this app"),
        ("bookings", 'one = "user"', "'user' is a word of SQL"),
        ("bookings", 'icon = "bed"', "no icon 'bed'; known: calendar, files"),
        ("bookings", 'newest_by = "guest"', "must name a date field"),
        ("bookings", 'label = "A \\"b\\""', "without { }"),
        ("lambda", "", "a word of Python"),
    ],
)
def test_names_that_are_taken_are_refused_with_who_has_them(name: str, head: str, reason: str) -> None:
    with pytest.raises(SpecRefused) as refused:
        asked(GUEST, name=name, head=head)
    assert reason in str(refused.value)


def test_a_room_that_nobody_described_says_where_to() -> None:
    with pytest.raises(SpecRefused, match=r"says nothing of \[room.cars.fields\]"):
        ask("cars", None, taken=TAKEN, others={}, text=APP)


@pytest.mark.parametrize(
    ("many", "one"),
    [
        ("bookings", "booking"),
        ("entries", "entry"),
        ("boxes", "box"),
        ("classes", "class"),
        ("staff", "staff_entry"),
    ],
)
def test_an_entry_is_called_as_english_mostly_does(many: str, one: str) -> None:
    assert singular(many) == one


def test_every_table_is_protected_and_every_column_bounded() -> None:
    up = texts(asked(EVERY_KIND))["rooms/bookings/migrations/0001_pre_bookings.up.sql"]
    assert "select protect('booking', 'tenant');" in up
    assert "primary key (tenant_id, booking_id) include (guest)" in up
    assert "foreign key (tenant_id, payer_id) references customer" in up
    assert "create unique index booking_code_key on booking (tenant_id, code) where code <> '';" in up
    assert "price_minor bigint," in up
    assert "numeric" not in up


@pytest.mark.parametrize("fields", [GUEST, EVERY_KIND])
def test_what_is_written_is_python_that_the_apps_formatter_leaves_alone(tmp_path: Path, fields: str) -> None:
    for path, text in texts(asked(fields)).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
        if path.endswith(".py"):
            compile(text, path, "exec")
    assert tidied([tmp_path / "rooms", tmp_path / "tests"], home=tmp_path)
    before = {path: path.read_text() for path in tmp_path.rglob("*.py")}
    tidied([tmp_path / "rooms"], home=tmp_path)
    assert {path: path.read_text() for path in tmp_path.rglob("*.py")} == before


def test_only_the_readers_that_fields_need_are_written() -> None:
    small = texts(asked(GUEST))["rooms/bookings/reading.py"]
    assert "def _text(" in small
    assert "def _money(" not in small
    assert "def _money(" in texts(asked(EVERY_KIND))["rooms/bookings/reading.py"]


def test_a_personal_field_is_named_to_who_scrubs_logs() -> None:
    room = asked(
        'guest = { kind = "text", required = true, personal = true }\nnights = { kind = "integer" }\n'
    )
    assert 'personal=("guest",)' in texts(room)["rooms/bookings/room.py"]


def test_a_room_appears_whole_and_the_settings_name_it_last(tmp_path: Path) -> None:
    app_file = tmp_path / "app.toml"
    app_file.write_text(APP)
    files = (PlannedFile("rooms/a/room.py", "A = 1\n"), PlannedFile("tests/test_a.py", "B = 1\n"))
    write_room(files, tmp_path, name="a", app_file=app_file, settings="new")
    assert app_file.read_text() == "new"
    assert sorted(p.name for p in (tmp_path / "rooms").iterdir()) == ["__init__.py", "a"]
    with pytest.raises(SpecRefused, match="rooms/a is there already"):
        write_room(files, tmp_path, name="a", app_file=app_file, settings="newer")
    assert app_file.read_text() == "new"


def test_a_room_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    app_file = tmp_path / "app.toml"
    app_file.write_text(APP)
    impossible = (PlannedFile("rooms/a/room.py", "1\n"), PlannedFile("app.toml/below.py", "2\n"))
    with pytest.raises(SpecRefused, match="nothing was changed"):
        write_room(impossible, tmp_path, name="a", app_file=app_file, settings="new")
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["app.toml", "rooms"]
    assert app_file.read_text() == APP
