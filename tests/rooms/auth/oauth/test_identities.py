"""Whose account an identity opens: the matrix of addresses, vouchers and accounts.

Covers: identities, proof, web.
"""

from __future__ import annotations

import asyncio
import re
import uuid
from typing import Any

import pytest

from tests.rooms.auth.conftest import PASSWORD, SIGN_UP, add_owner
from tests.rooms.auth.oauth.conftest import Browsing, rename_person
from tests.rooms.auth.orgs.conftest import Team, invite
from tests.support.client import Answer, Client
from tests.support.page import without_nonces


async def _code(browsing: Browsing, email: str) -> str:
    """Run the jobs and return the newest code mailed to this address."""
    await browsing.auth.work()
    mail = [mail for mail in browsing.auth.mails if mail.to == email][-1]
    found = re.search(r"^(\d{4} \d{4})\s*$", mail.text, re.MULTILINE)
    assert found, mail.text
    return found.group(1)


async def _account(client: Client) -> str:
    return (await client.get("/account")).text


async def _prove(client: Client, **form: str) -> Answer:
    return await client.post("/login/proof", form=form)


async def test_a_verified_address_of_an_account_needs_its_password_first(browsing: Browsing) -> None:
    owner, client = browsing.auth.owner, browsing.auth.client()
    await rename_person(browsing.stub, email=owner.email)
    answer = await browsing.sign_in(client)
    assert answer.header("location") == "/login/proof"
    assert "sid" not in client.cookies
    page = (await client.get("/login/proof")).text
    assert "Continue with the password" in page
    assert (await _prove(client, password="not it at all")).status == 401
    assert await browsing.counted("identity") == 0
    assert (await _prove(client, password=PASSWORD)).status == 303
    assert "Acme Owner" in await _account(client)
    await browsing.auth.work()
    told = [mail.text for mail in browsing.auth.mails if "new way to sign in" in mail.subject]
    assert len(told) == 1
    assert "with Stub" in told[0]
    assert (await browsing.sign_in(browsing.auth.client())).header("location") == "/account"


async def test_the_mailed_code_proves_the_account_too(browsing: Browsing) -> None:
    owner, client = browsing.auth.owner, browsing.auth.client()
    await rename_person(browsing.stub, email=owner.email)
    await browsing.sign_in(client)
    code = await _code(browsing, owner.email)
    assert (await _prove(browsing.auth.client(), code=code)).status == 404  # in another browser it is nothing
    assert (await _prove(client, code=code)).status == 303
    assert "Acme Owner" in await _account(client)
    assert (await _prove(client, code=code)).status == 404  # once


@pytest.mark.parametrize("said", [False, None])
async def test_an_unverified_address_of_an_account_opens_nothing_by_itself(
    browsing: Browsing, said: bool | None
) -> None:
    """nOAuth: whoever runs a directory writes any address into it."""
    owner, client = browsing.auth.owner, browsing.auth.client()
    await rename_person(browsing.stub, email=owner.email, is_verified=said)
    assert (await browsing.sign_in(client)).header("location") == "/login/proof"
    page = (await client.get("/login/proof")).text
    assert "Continue with the password" not in page  # it would tell that there is an account
    assert (await _prove(client, password=PASSWORD)).status == 401
    assert await browsing.counted("identity") == 0


async def test_with_an_unverified_address_a_stranger_cannot_tell_who_has_an_account(
    browsing: Browsing,
) -> None:
    pages = []
    for email in (browsing.auth.owner.email, "nobody@elsewhere.example"):
        client = browsing.auth.client()
        await rename_person(browsing.stub, email=email, is_verified=False)
        answer = await browsing.sign_in(client)
        page = without_nonces((await client.get("/login/proof")).text).replace(email, "ADDRESS")
        pages.append((answer.status, answer.header("location"), re.sub(r'value="[0-9a-f-]{36}"', "", page)))
    assert pages[0] == pages[1]


async def test_an_unverified_address_makes_an_account_once_its_mailbox_has_answered(
    browsing: Browsing,
) -> None:
    client = browsing.auth.client()
    await rename_person(browsing.stub, email="new@elsewhere.example", is_verified=None)
    await browsing.sign_in(client)
    assert await browsing.counted("app_user") == 1
    assert (await _prove(client, code=await _code(browsing, "new@elsewhere.example"))).status == 303
    assert "new@elsewhere.example" in await _account(client)
    assert (await browsing.sign_in()).header("location") == "/account"


async def test_a_code_is_guessed_five_times_at_most(browsing: Browsing) -> None:
    client = browsing.auth.client()
    await rename_person(browsing.stub, email=browsing.auth.owner.email)
    await browsing.sign_in(client)
    code = await _code(browsing, browsing.auth.owner.email)
    answers = await asyncio.gather(*(_prove(client, code=f"{n:08}") for n in range(20)))
    assert sorted({a.status for a in answers}) == [401, 429]
    assert [a.status for a in answers].count(401) <= 5
    assert (await _prove(client, code=code)).status == 429
    assert await browsing.counted("identity") == 0


async def test_a_code_is_good_for_ten_minutes(browsing: Browsing) -> None:
    client = browsing.auth.client()
    await rename_person(browsing.stub, email=browsing.auth.owner.email)
    await browsing.sign_in(client)
    code = await _code(browsing, browsing.auth.owner.email)
    browsing.auth.clock.move(601)
    assert (await _prove(client, code=code)).status == 404
    assert (await client.get("/login/proof")).header("location") == "/login"


async def test_who_signed_up_first_with_a_foreign_address_keeps_nothing(browsing: Browsing) -> None:
    """Pre-hijack: an open sign-up waits for the owner; the owner comes through a provider."""
    await browsing.auth.client().post("/signup", form=SIGN_UP)
    link = await browsing.auth.link_mailed_to(SIGN_UP["email"])
    await rename_person(browsing.stub, email=SIGN_UP["email"])
    owner = browsing.auth.client()
    assert (await browsing.sign_in(owner)).header("location") == "/account"
    token = link.partition("=")[2]
    stolen = await browsing.auth.client().post("/verify", form={"token": token, "password": PASSWORD})
    assert stolen.status == 404
    assert (await browsing.auth.sign_in(email=SIGN_UP["email"])).status == 401


async def test_an_account_nobody_confirmed_is_reclaimed_with_every_way_into_it(browsing: Browsing) -> None:
    email, squatter = "claimed@elsewhere.example", uuid.uuid4()
    await _squat(browsing, squatter, email)
    await rename_person(browsing.stub, email=email)
    owner = browsing.auth.client()
    assert (await browsing.sign_in(owner)).header("location") == "/account"
    rows = await browsing.auth.running.admin(
        "select user_id, verified_at from app_user where email_canon = $1", email
    )
    assert [row["user_id"] == squatter for row in rows] == [False]
    assert rows[0]["verified_at"] is not None
    for table in ("credential", "identity", "device", "membership"):
        left = await browsing.auth.running.admin(f"select 1 from {table} where user_id = $1", squatter)
        assert not left, table
    assert (await browsing.auth.sign_in(email=email)).status == 401


async def test_a_closed_account_stays_closed_whatever_opens_it(browsing: Browsing) -> None:
    assert (await browsing.sign_in()).status == 303
    await browsing.auth.running.admin("update app_user set status = 'disabled'")
    client = browsing.auth.client()
    assert (await browsing.sign_in(client)).status == 403
    assert "sid" not in client.cookies


async def test_an_address_that_changed_at_the_provider_opens_the_same_account(browsing: Browsing) -> None:
    first = browsing.auth.client()
    await browsing.sign_in(first)
    await rename_person(browsing.stub, email="moved@elsewhere.example")
    again = browsing.auth.client()
    await browsing.sign_in(again)
    assert "moved@elsewhere.example" not in (await _account(again)).split("Linked sign-ins")[0]
    assert await browsing.counted("app_user") == 2


async def test_somebody_elses_subject_with_a_known_address_opens_nothing(browsing: Browsing) -> None:
    await browsing.sign_in()
    known = browsing.stub.people[0].email
    await browsing.stub.behave(email=known, person=browsing.stub.people[1].sub)
    thief = browsing.auth.client()
    assert (await browsing.sign_in(thief)).header("location") == "/login/proof"
    assert "sid" not in thief.cookies


async def test_without_an_address_there_is_no_account(browsing: Browsing) -> None:
    for broken in ("", "nobody", "a@b@c"):
        await rename_person(browsing.stub, email=broken)
        answer = await browsing.sign_in()
        assert answer.status == 403
        assert "did not tell your e-mail address" in answer.text


async def test_the_signed_in_link_and_remove_an_identity(browsing: Browsing) -> None:
    client = await browsing.auth.signed_in()
    before = client.cookies["sid"]
    answer = await _link(browsing, client)
    assert answer.header("location") == "/account"
    assert client.cookies["sid"] != before
    assert "You can sign in with Stub" in await _account(client)
    assert (await browsing.sign_in()).header("location") == "/account"
    identity_id = (
        await browsing.auth.running.admin("select identity_id from identity where provider = 'stub'")
    )[0]["identity_id"]
    stranger = await browsing.auth.signed_in()
    _, other = await add_owner(browsing.auth.running, "Globex")
    foreign = browsing.auth.client()
    await browsing.auth.sign_in(foreign, email=other.email)
    refused = [await foreign.post(f"/account/identities/{id_}/remove") for id_ in (identity_id, uuid.uuid4())]
    assert [answer.status for answer in refused] == [404, 404]
    assert len({re.sub(r'value="[0-9a-f-]{36}"', "", without_nonces(answer.text)) for answer in refused}) == 1
    assert (await stranger.post(f"/account/identities/{identity_id}/remove")).status == 303
    assert await browsing.counted("identity") == 0
    await browsing.auth.work()
    subjects = [mail.subject for mail in browsing.auth.mails]
    assert subjects == ["A new way to sign in at Test app", "A way to sign in at Test app was removed"]


async def test_linking_needs_a_fresh_session_that_is_still_the_same_persons(browsing: Browsing) -> None:
    client = await browsing.auth.signed_in()
    browsing.auth.clock.move(601)
    for path in ("/account/identities/stub", f"/account/identities/{uuid.uuid4()}/remove"):
        answer = await client.post(path, headers={"referer": "http://localhost/account"})
        assert (answer.status, answer.header("location")) == (303, "/account/confirm?next=/account")
    fresh = await browsing.auth.signed_in()
    _, other = await add_owner(browsing.auth.running, "Globex")
    back = await browsing.answered(_address(await fresh.post("/account/identities/stub")))
    await browsing.auth.sign_in(fresh, email=other.email)  # somebody else, in the same browser
    assert (await fresh.get(back)).status == 403
    assert await browsing.counted("identity") == 0


async def test_an_identity_opens_one_account_only(browsing: Browsing) -> None:
    await browsing.sign_in()
    client = await browsing.auth.signed_in()
    answer = await _link(browsing, client)
    assert answer.status == 409
    assert "opens another account already" in answer.text


async def test_the_last_way_in_stays(browsing: Browsing) -> None:
    client = browsing.auth.client()
    await browsing.sign_in(client)
    (row,) = await browsing.auth.running.admin("select identity_id from identity where provider = 'stub'")
    answer = await client.post(f"/account/identities/{row['identity_id']}/remove")
    assert answer.status == 409
    assert "only way into your account" in answer.text


async def test_of_two_last_ways_in_removed_at_once_one_stays(browsing: Browsing) -> None:
    client = browsing.auth.client()
    await browsing.sign_in(client)
    for person in browsing.stub.people[1:3]:
        await browsing.stub.behave(person=person.sub)
        assert (await _link(browsing, client)).status == 303
    rows = await browsing.auth.running.admin("select identity_id from identity where provider = 'stub'")
    gone = await asyncio.gather(
        *(client.post(f"/account/identities/{r['identity_id']}/remove") for r in rows)
    )
    assert sorted(a.status for a in gone) == [303, 303, 409]
    assert await browsing.counted("identity") == 1


async def test_one_person_in_ten_tabs_at_once_gets_one_account(browsing: Browsing) -> None:
    answers = await asyncio.gather(*(browsing.sign_in() for _ in range(8)))
    assert {a.status for a in answers} == {303}
    assert (await browsing.counted("app_user"), await browsing.counted("identity")) == (2, 1)


def _address(page: Answer) -> str:
    found = re.search(r'content="0; url=([^"]+)"', page.text)
    assert found, page.text
    return found.group(1).replace("&amp;", "&").replace("&#x2f;", "/")


async def _link(browsing: Browsing, client: Client) -> Answer:
    page = await client.post("/account/identities/stub")
    assert page.status == 200, page.text
    return await client.get(await browsing.answered(_address(page)))


async def _squat(browsing: Browsing, user_id: uuid.UUID, email: str) -> None:
    """An account whose address was never confirmed, with every way into it prepared."""
    running = browsing.auth.running
    realm, hashed = running.runtime.realm_id, await _hash(browsing)

    async def put(table: str, columns: str, *values: Any) -> None:
        marks = ", ".join(f"${n}" for n in range(1, len(values) + 1))
        await running.admin(f"insert into {table} (realm_id, user_id, {columns}) values ({marks})", *values)

    now = browsing.auth.clock()
    await put(
        "app_user", "email_raw, email_canon, name, created_at", realm, user_id, email, email, "Squatter", now
    )
    await put("credential", "credential_id, kind, password_hash, changed_at", realm, user_id, uuid.uuid4(), "password",
              hashed, now)  # fmt: skip
    await put("identity", "identity_id, provider, issuer, subject, email, linked_at", realm, user_id, uuid.uuid4(),
              "stub", browsing.stub.issuer, "squatter", email, now)  # fmt: skip
    await put("device", "device_id, cookie_sha256, name, created_at, last_seen_at", realm, user_id, uuid.uuid4(),
              b"x" * 32, "Theirs", now, now)  # fmt: skip
    await put(
        "membership",
        "tenant_id, role, created_at",
        realm,
        user_id,
        browsing.auth.owner_tenant_id,
        "member",
        now,
    )


async def _hash(browsing: Browsing) -> str:
    hashed: str = (await browsing.auth.running.admin("select password_hash from credential"))[0][
        "password_hash"
    ]
    return hashed


@pytest.mark.parametrize(("sent_to", "lands_in"), [("ida@new.example", "Acme"), ("gil@new.example", "")])
async def test_an_invitation_is_for_whom_it_was_sent_to_also_through_a_provider(
    browsing: Browsing, sent_to: str, lands_in: str
) -> None:
    auth = browsing.auth
    team = Team(auth, await auth.signed_in(), auth.owner.user_id, auth.owner_tenant_id, uuid.uuid4())
    await rename_person(browsing.stub, email="ida@new.example")
    assert (await invite(team.owner, sent_to, "viewer")).status == 303
    link, client = await team.link_mailed_to(sent_to), auth.client()
    page = (await client.get(link)).text.replace("&#x2f;", "/")
    wanted = re.search(r'href="(/oauth/stub\?next=[^"]+)"', page)
    assert wanted, page
    assert "Join with Stub" in page
    answer = await browsing.sign_in(client, path=wanted.group(1))
    tenant, role = await team.acts_as(client)
    assert await browsing.counted("tenant") == (1 if lands_in else 2)
    if lands_in:
        assert (answer.header("location"), tenant, role) == ("/account", lands_in, "viewer")
        assert (await client.get(link)).status == 404  # once
    else:  # somebody else's: it stays open, and they have a place of their own
        assert (answer.header("location"), role) == (link, "owner")
        assert tenant != "Acme"
