"""The business day: the tenant's own calendar, in every zone and at every turn of the clock, from the draft to the paper."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from shipworthy.kernel.language import day_text
from shipworthy.local.postgres import PostgresAddress
from shipworthy.rooms.invoicing.dates import due_on, today_in
from shipworthy.rooms.invoicing.einvoice.reading import read_einvoice
from shipworthy.rooms.invoicing.room import ROOM
from tests.rooms.invoicing.conftest import person
from tests.rooms.invoicing.test_seller import SELLER
from tests.support.app import app_running

ZONES = sorted(zoneinfo.available_timezones() - {"localtime"})
A_MINUTE, AN_HOUR = timedelta(minutes=1), timedelta(hours=1)


def test_late_in_the_evening_it_is_tomorrow_in_berlin_and_still_today_in_new_york() -> None:
    now = datetime(2026, 3, 31, 23, 30, tzinfo=UTC)
    assert today_in("Europe/Berlin", now=now) == date(2026, 4, 1)
    assert today_in("America/New_York", now=now) == date(2026, 3, 31)
    assert today_in("Pacific/Kiritimati", now=now) == date(2026, 4, 1)


@given(
    zone=st.sampled_from(ZONES),
    now=st.datetimes(
        min_value=datetime(2000, 1, 1), max_value=datetime(2099, 12, 31), timezones=st.just(UTC)
    ),
)
def test_a_day_is_never_skipped_backwards_whatever_the_zone(zone: str, now: datetime) -> None:
    """Dates of later moments are not earlier, through every change of the clock: numbers and dates agree."""
    days = [today_in(zone, now=now + timedelta(minutes=20 * step)) for step in range(80)]
    assert days == sorted(days)


def test_in_every_zone_each_day_begins_at_its_own_midnight_also_when_the_clock_changes() -> None:
    """The turn of a day is where the zone's offset says it is: one minute before it is the day before."""
    seen = 0
    for zone in ZONES:
        for change in changes_of(zone, year=2026):
            day = today_in(zone, now=change)
            hour = next(n for n in range(27) if wall(zone, change + n * AN_HOUR) != day)
            turn = change + (hour - 1) * AN_HOUR
            turn += next(n for n in range(61) if wall(zone, turn + n * A_MINUTE) != day) * A_MINUTE
            assert today_in(zone, now=turn - A_MINUTE) == day
            assert today_in(zone, now=turn) == day + timedelta(days=1)
            seen += 1
    assert seen > 200, "the zones that change their clocks, twice each"


def changes_of(zone: str, *, year: int) -> list[datetime]:
    """The last noon (UTC) before each change of a zone's clock in a year."""
    place = zoneinfo.ZoneInfo(zone)
    noons = [datetime(year, 1, 1, 12, tzinfo=UTC) + timedelta(days=n) for n in range(366)]
    offsets = [noon.astimezone(place).utcoffset() for noon in noons]
    return [noons[n - 1] for n in range(1, 366) if offsets[n] != offsets[n - 1]]


def wall(zone: str, at: datetime) -> date:
    """The day on the wall there, by arithmetic on the offset."""
    offset = at.astimezone(zoneinfo.ZoneInfo(zone)).utcoffset()
    assert offset is not None
    return (at.replace(tzinfo=None) + offset).date()


@given(st.dates(min_value=date(2000, 1, 1), max_value=date(2099, 12, 31)), st.integers(0, 365))
def test_the_due_day_is_so_many_days_later_and_never_a_day_that_does_not_exist(
    issued: date, payment_days: int
) -> None:
    due = due_on(issued, payment_days=payment_days)
    assert (due - issued).days == payment_days
    assert date.fromisoformat(due.isoformat()) == due


def test_the_due_day_counts_calendar_days_over_month_and_leap_day() -> None:
    assert due_on(date(2028, 2, 15), payment_days=14) == date(2028, 2, 29)
    assert due_on(date(2026, 12, 31), payment_days=1) == date(2027, 1, 1)
    assert due_on(date(2026, 5, 5), payment_days=0) == date(2026, 5, 5)
    assert due_on(date(2027, 1, 31), payment_days=30) == date(2027, 3, 2)
    assert due_on(date(2028, 2, 29), payment_days=366) == date(2029, 3, 1)


# Where and when an invoice is issued, in UTC, and within how many days it is to be paid.
MOMENTS = [
    ("Europe/Berlin", datetime(2026, 3, 28, 22, 59), 1),  # a minute before the night of 23 hours
    ("Europe/Berlin", datetime(2026, 3, 28, 23, 0), 1),
    ("Europe/Berlin", datetime(2026, 10, 25, 22, 59), 0),  # the last minute of the day of 25 hours
    ("America/New_York", datetime(2027, 1, 1, 4, 59), 30),  # still the old year there
    ("Pacific/Kiritimati", datetime(2026, 12, 31, 10, 0), 31),  # already the new one
    ("Asia/Kathmandu", datetime(2028, 2, 28, 18, 15), 1),  # a quarter of an hour counts: 29 February
    ("Pacific/Apia", datetime(2028, 2, 29, 10, 59), 365),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 14, 30), 14),  # its clock moves by half an hour
]


async def test_the_day_of_issue_and_the_due_day_are_the_same_in_the_api_on_the_page_and_in_the_file(
    cluster: PostgresAddress, tmp_path: Path
) -> None:
    at = [datetime(2026, 1, 1, tzinfo=UTC)]
    async with app_running(cluster, (ROOM,), tmp_path, now=lambda: at[0]) as app:
        for zone, moment, payment_days in MOMENTS:
            at[0] = moment.replace(tzinfo=UTC)
            who = await person(app)
            await app.admin("update tenant set time_zone = $1 where tenant_id = $2", zone, who.tenant_id)
            await who.send("PUT", "/api/seller", SELLER)
            customer = {"name": "Harbour Office", "country": "DE"}
            customer_id = (await who.post("/api/customers", customer)).json["customer_id"]
            issued = await who.issued(customer_id, payment_days=payment_days)
            there = wall(zone, at[0])
            due = there + timedelta(days=payment_days)
            path = f"/api/invoices/{issued['invoice_id']}"
            said = (await who.get(path)).json
            assert (said["issue_date"], said["due_date"]) == (there.isoformat(), due.isoformat()), zone
            page = (await who.get(path.removeprefix("/api"))).text
            assert f"Issued {day_text(there)}" in page, zone
            assert f"due {day_text(due)}" in page, zone
            xml = (await who.get(f"{path.removeprefix('/api')}/xml?format=ubl")).body
            einvoice = read_einvoice(xml).invoice
            assert (einvoice.issue_date, einvoice.due_date) == (there, due), zone
            assert f"{there.year}-" in said["number"], "the number's year is the year there"


async def test_a_form_shows_the_day_it_was_given_however_often_it_is_saved(
    cluster: PostgresAddress, tmp_path: Path
) -> None:
    """Elsewhere a date walks back by a day with each edit."""
    midnight = datetime.combine(date(2026, 7, 1), time(), tzinfo=UTC)
    async with app_running(cluster, (ROOM,), tmp_path, now=lambda: midnight) as app:
        for zone in ("Pacific/Pago_Pago", "Pacific/Kiritimati"):
            who = await person(app)
            await app.admin("update tenant set time_zone = $1 where tenant_id = $2", zone, who.tenant_id)
            draft = await who.draft(supply_date="2026-06-30")
            path = f"/invoices/{draft['invoice_id']}"
            for version in range(1, 4):
                assert 'value="2026-06-30"' in (await who.get(f"{path}/edit")).text
                saved = await who.submit(
                    path,
                    customer_id=draft["customer_id"],
                    currency="EUR",
                    payment_days="14",
                    supply_date="2026-06-30",
                    lines__0__description="Concept",
                    lines__0__quantity="1",
                    lines__0__unit_price="95.00",
                    lines__0__tax="S:1900",
                    version=str(version),
                )
                assert saved.status == 303
            assert (await who.get(f"/api{path}")).json["supply_date"] == "2026-06-30"
