"""Inviting: to an address, for a role, for a while; nothing is learnt about the address."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from shipworthy.rooms.auth.orgs.invitations import OPEN_MAX, TTL_S, shown_in_mail
from shipworthy.rooms.auth.throttle import INVITATIONS_MAX, MAILS_PER_ADDRESS_MAX
from tests.rooms.auth.orgs.conftest import AS_JSON, Team, invitation_ids, invite


async def test_an_invitation_is_mailed_and_listed(team: Team) -> None:
    sent = await invite(team.owner, "  Ida@New.example ", "viewer")
    assert (sent.status, sent.header("location")) == (303, "/organisation")
    link = await team.link_mailed_to("Ida@New.example")
    mail = team.auth.mails[-1]
    assert "Acme Owner" in mail.text and '"Acme"' in mail.text and "Acme" not in mail.subject
    page = (await team.owner.get("/organisation")).text
    assert "Ida@New.example" in page and "Viewer · until" in page
    stored = await team.auth.running.admin("select string_agg(t::text, '') as rows from one_time_token t")
    assert link.rpartition("=")[2] not in stored[0]["rows"]
    assert await team.trail() == ["auth.invitation_sent"]


async def test_the_inviter_learns_nothing_about_the_address(team: Team) -> None:
    """Same answer, same statements, same job; only the mailbox differs."""
    await team.add("Known", tenant_id=team.neighbour_id)
    answers, counts = [], []
    for email in ("known@acme.example", "unknown@acme.example"):
        await team.auth.running.admin("select pg_stat_statements_reset()")
        answer = await invite(team.owner, email)
        answers.append((answer.status, answer.body, answer.header("location")))
        rows = await team.auth.running.admin(
            "select substring(query from 'auth[.][a-z_]+') as name, sum(calls) as calls"
            " from pg_stat_statements where query like '%/* auth.%' group by 1 order by 1"
        )
        counts.append([tuple(row) for row in rows])
    assert answers[0] == answers[1]
    assert counts[0] == counts[1] != []
    assert await team.auth.work() == 2


async def test_a_second_invitation_replaces_the_first(team: Team) -> None:
    await invite(team.owner, "ida@new.example", "viewer")
    first = await team.link_mailed_to("ida@new.example")
    await invite(team.owner, "IDA@new.example", "owner")
    second = await team.link_mailed_to("IDA@new.example")
    assert (await team.auth.client().get(first)).status == 404
    assert "as owner" in (await team.auth.client().get(second)).text
    assert len(await invitation_ids(team.owner)) == 1


async def test_one_that_is_taken_back_opens_nothing_and_is_mailed_no_more(team: Team) -> None:
    await invite(team.owner, "ida@new.example")
    link = await team.link_mailed_to("ida@new.example")
    await invite(team.owner, "late@new.example")
    mails = len(team.auth.mails)
    for invitation_id in await invitation_ids(team.owner):
        answer = await team.owner.post(f"/organisation/invitations/{invitation_id}/revoke")
        assert answer.header("location") == "/organisation"
    await team.auth.work()
    assert len(team.auth.mails) == mails
    assert (await team.auth.client().get(link)).status == 404
    assert await invitation_ids(team.owner) == []
    assert "Nobody is invited" in (await team.owner.get("/organisation")).text
    assert (await team.trail())[-2:] == ["auth.invitation_revoked"] * 2


async def test_seven_days_later_it_is_over(team: Team) -> None:
    await invite(team.owner, "ida@new.example")
    link = await team.link_mailed_to("ida@new.example")
    team.auth.clock.move(TTL_S - 1)
    assert (await team.auth.client().get(link)).status == 200
    team.auth.clock.move(2)
    assert (await team.auth.client().get(link)).status == 404


@pytest.mark.parametrize(
    ("email", "role", "status", "code"),
    [
        ("no address", "member", 422, "auth.address_invalid"),
        ("owner@acme.example", "member", 409, "auth.member_already"),
        ("ida@new.example", "king", 422, "body.invalid"),
    ],
)
async def test_what_is_not_in_order_is_told_at_its_field(
    team: Team, email: str, role: str, status: int, code: str
) -> None:
    refused = await invite(team.owner, email, role, headers=AS_JSON)
    assert (refused.status, refused.json["code"]) == (status, code)
    assert await team.auth.work() == 0
    if code != "body.invalid":
        page = await invite(team.owner, email, role)
        assert (page.status, 'id="f-email-error"' in page.text) == (status, True)


async def test_invitations_are_bounded_by_address_and_organisation(team: Team) -> None:
    same = [(await invite(team.owner, "ida@new.example")).status for _ in range(MAILS_PER_ADDRESS_MAX + 2)]
    assert same == [303] * (MAILS_PER_ADDRESS_MAX + 2)  # the last two stay as they are, and mail nothing
    assert (len(await invitation_ids(team.owner)), await team.auth.work()) == (1, MAILS_PER_ADDRESS_MAX)
    assert len(team.auth.mails) == 1  # and those that were replaced before they were sent are not
    other = await invite(team.owner, "ida@new.example", "owner", headers=AS_JSON)
    assert (other.status, other.json["code"]) == (429, "auth.mails_throttled")
    addresses = (f"p{n}@new.example" for n in range(INVITATIONS_MAX - MAILS_PER_ADDRESS_MAX + 3))
    many = await asyncio.gather(*(invite(team.owner, email) for email in addresses))
    statuses = [answer.status for answer in many]
    assert statuses.count(303) <= INVITATIONS_MAX - MAILS_PER_ADDRESS_MAX
    assert 429 in statuses, statuses


async def test_no_more_are_open_than_one_page_shows(team: Team) -> None:
    await team.auth.running.admin(
        "insert into invitation select $1, gen_random_uuid(), n || '@x.example', n || '@x.example', 'member', $2,"
        " $3::timestamptz, $3::timestamptz + interval '7 days' from generate_series(1, $4::int) n",
        team.tenant_id, team.owner_id, team.auth.clock(), OPEN_MAX,
    )  # fmt: skip
    full = await invite(team.owner, "one@more.example", headers=AS_JSON)
    assert (full.status, full.json["code"]) == (409, "auth.invitations_full")
    assert len(await invitation_ids(team.owner)) == OPEN_MAX


async def test_a_neighbours_invitation_looks_like_none(team: Team) -> None:
    stranger = await team.auth.signed_in()
    await team.join(team.owner_id, team.neighbour_id, "owner")
    await stranger.post(f"/organisations/{team.neighbour_id}/enter")
    await invite(stranger, "ida@new.example")
    (foreign,) = await invitation_ids(stranger)
    answers = [
        await team.owner.post(f"/organisation/invitations/{invitation_id}/revoke", headers=AS_JSON)
        for invitation_id in (foreign, uuid.uuid4())
    ]
    assert [a.status for a in answers] == [404, 404]
    assert answers[0].body == answers[1].body
    assert "ida@new.example" not in (await team.owner.get("/organisation")).text
    assert len(await invitation_ids(stranger)) == 1


async def test_members_do_not_invite(team: Team) -> None:
    await team.add("Mia")
    refused = await invite(await team.signed_in("Mia"), "ida@new.example", headers=AS_JSON)
    assert (refused.status, refused.json["code"]) == (403, "permission.missing")


def test_names_in_mail_carry_no_addresses() -> None:
    for hidden in ("Win at evil.example", "http://x", "a@b", "buy//now"):
        assert shown_in_mail(hidden) == ""
    assert shown_in_mail("Acme Inc. & Sons") == "Acme Inc. & Sons"
    assert len(shown_in_mail("x" * 200)) == 80
