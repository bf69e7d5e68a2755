"""Passkeys over HTTP, with an authenticator in software: accepted when honest, refused otherwise.

Covers: passkeys, webauthn, passkey_web.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import uuid
from typing import Any

import pytest

from tests.rooms.auth.conftest import AuthApp, add_owner
from tests.rooms.auth.factors.conftest import halfway, is_signed_in, with_app
from tests.support.authenticator import PRESENT, Authenticator
from tests.support.client import Answer, Client

KEYS = "/account/factors/passkeys"


async def ask(client: Client, path: str) -> dict[str, Any]:
    answer = await client.post(f"{path}/options", json_body={})
    assert answer.status == 200, answer.text
    asked: dict[str, Any] = answer.json["publicKey"]
    return asked


async def give(client: Client, path: str, credential: str, **form: str) -> Answer:
    return await client.post(path, form={"credential": credential, **form})


async def add_key(client: Client, device: Authenticator, name: str = "My key") -> Answer:
    answer = await give(client, KEYS, device.create(await ask(client, KEYS)), name=name)
    assert answer.status in (200, 303), answer.text
    return answer


@pytest.fixture
def device() -> Authenticator:
    return Authenticator()


async def test_a_passkey_signs_in_by_itself_as_two_factors(auth: AuthApp, device: Authenticator) -> None:
    owner = await auth.signed_in()
    asked = await ask(owner, KEYS)
    assert asked["rp"] == {"id": "localhost", "name": "Test app"}
    assert asked["authenticatorSelection"]["userVerification"] == "required"
    assert asked["authenticatorSelection"]["residentKey"] == "required"
    old = owner.cookies["sid"]
    page = await give(owner, KEYS, device.create(asked), name="Blue key")
    assert len(re.findall(r"<code>[a-z2-7-]{19}</code>", page.text)) == 10  # the first factor brings codes
    assert owner.cookies["sid"] != old

    client = auth.client()
    asked = await ask(client, "/login/passkey")
    assert asked["allowCredentials"] == []  # the passkey says who it is
    answer = await give(client, "/login/passkey", device.get(asked), next=KEYS.rpartition("/")[0])
    assert (answer.status, answer.header("location")) == (303, "/account/factors")
    principal = await auth.running.runtime.sessions.lookup(client.cookies["sid"])
    assert principal and (principal.user_id, principal.amr) == (auth.owner.user_id, ("pop", "user", "mfa"))
    listed = (await client.get("/account/factors")).text
    assert "Blue key" in listed and "last used" in listed
    await auth.work()
    assert "the passkey “Blue key”" in auth.mails[-1].text


async def test_an_answer_counts_once_in_its_browser_for_its_purpose(
    auth: AuthApp, device: Authenticator
) -> None:
    await add_key(await auth.signed_in(), device)
    client = auth.client()
    asked = await ask(client, "/login/passkey")
    answer = device.get(asked)
    assert (await give(auth.client(), "/login/passkey", answer)).status == 401  # another browser
    assert (await give(client, "/login/passkey", answer)).status == 303
    replayed = Client(client.app, cookies={"passkey": client.cookies["passkey"]})
    assert (await give(replayed, "/login/passkey", answer)).status == 401

    late = auth.client()
    answer = device.get(await ask(late, "/login/passkey"))
    auth.clock.move(601)
    assert (await give(late, "/login/passkey", answer)).status == 401

    asked = await ask(client, "/login/passkey")
    crossed = await give(client, "/account/confirm/passkey", device.get(asked))  # asked for signing in
    assert crossed.status == 401
    twenty = auth.client()
    answer = device.get(await ask(twenty, "/login/passkey"))
    answers = await asyncio.gather(*(give(twenty, "/login/passkey", answer) for _ in range(20)))
    assert sorted(a.status for a in answers) == [303] + [401] * 19


@pytest.mark.parametrize(
    "lie",
    [
        {"origin": "https://localhost"},
        {"origin": "http://localhost.evil.example"},
        {"origin": "http://localhost:8000"},
        {"crossOrigin": True},
        {"type": "webauthn.create"},
        {"challenge": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
        {"rp_id": "evil.example"},
        {"handle": uuid.uuid4().bytes},
        {"tamper": lambda signature: signature[:-1] + bytes([signature[-1] ^ 1])},
        {"tamper": lambda signature: b""},
    ],
    ids=lambda lie: "-".join(f"{k}" for k in lie),
)
async def test_a_lie_signs_nobody_in(auth: AuthApp, device: Authenticator, lie: dict[str, Any]) -> None:
    await add_key(await auth.signed_in(), device)
    client = auth.client()
    answer = await give(client, "/login/passkey", device.get(await ask(client, "/login/passkey"), **lie))
    assert answer.status == 401 and "does not open this" in answer.text
    assert not await is_signed_in(client)
    honest = await give(client, "/login/passkey", device.get(await ask(client, "/login/passkey")))
    assert honest.status == 303


@pytest.mark.parametrize(
    "lie", [{"origin": "https://evil.example"}, {"rp_id": "evil.example"}, {"type": "webauthn.get"}], ids=str
)
async def test_a_lie_adds_no_passkey(auth: AuthApp, device: Authenticator, lie: dict[str, Any]) -> None:
    owner = await auth.signed_in()
    answer = await give(owner, KEYS, device.create(await ask(owner, KEYS), **lie))
    assert answer.status == 422 and "could not be verified" in answer.text
    assert "Your passkey" not in answer.text
    assert (await auth.sign_in()).header("location") == "/account"


async def test_without_verification_of_its_person_a_key_is_worth_nothing(
    auth: AuthApp, device: Authenticator
) -> None:
    owner = await auth.signed_in()
    device.flags = PRESENT
    assert (await give(owner, KEYS, device.create(await ask(owner, KEYS)))).status == 422
    device = Authenticator()
    await add_key(owner, device)
    for flags in (PRESENT, 0x04, 0):
        device.flags = flags
        client = auth.client()
        answer = await give(client, "/login/passkey", device.get(await ask(client, "/login/passkey")))
        assert answer.status == 401


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        "nonsense",
        '{"response": 3}',
        '{"response": {"clientDataJSON": "e30"}}',
        "[" * 9_000,
    ],
)
async def test_nonsense_is_refused(auth: AuthApp, text: str) -> None:
    assert (await give(auth.client(), "/login/passkey", text)).status == 401


async def test_every_changed_byte_of_a_new_key_or_an_answer_is_refused_or_harmless(
    auth: AuthApp, device: Authenticator
) -> None:
    owner = await auth.signed_in()
    asked = await ask(owner, KEYS)
    made = json.loads(device.create(asked))
    raw = base64.urlsafe_b64decode(made["response"]["attestationObject"] + "==")
    for place in range(0, len(raw), 7):
        changed = raw[:place] + bytes([raw[place] ^ 0xFF]) + raw[place + 1 :]
        made["response"]["attestationObject"] = base64.urlsafe_b64encode(changed).decode().rstrip("=")
        asked = await ask(owner, KEYS)
        made["response"]["clientDataJSON"] = json.loads(device.create(asked))["response"]["clientDataJSON"]
        answer = await give(owner, KEYS, json.dumps(made))
        assert answer.status in (200, 303, 409, 422), (place, answer.text)


async def test_a_counter_that_goes_back_is_refused_and_told(auth: AuthApp, device: Authenticator) -> None:
    device.counts = True
    await add_key(await auth.signed_in(), device, "Old key")
    client = auth.client()
    for _ in range(2):
        assert (
            await give(client, "/login/passkey", device.get(await ask(client, "/login/passkey")))
        ).status == 303
    device.keys[0].count = 0
    copy = auth.client()
    answer = await give(copy, "/login/passkey", device.get(await ask(copy, "/login/passkey")))
    assert answer.status == 403 and "counts backwards" in answer.text
    assert not await is_signed_in(copy)
    await auth.work()
    assert "counter that went back" in auth.mails[-1].text and "Old key" in auth.mails[-1].text


async def test_a_passkey_is_a_second_step_too_and_only_its_owners(
    auth: AuthApp, device: Authenticator
) -> None:
    await add_key(await auth.signed_in(), device)
    client = await halfway(auth)
    asked = await ask(client, "/login/second/passkey")
    assert len(asked["allowCredentials"]) == 1
    _, stranger = await add_owner(auth.running, "Globex")
    theirs, other = auth.client(), Authenticator()
    await auth.sign_in(theirs, email=stranger.email)
    await add_key(theirs, other)
    foreign = await give(client, "/login/second/passkey", other.get(asked, key=other.keys[0]))
    assert foreign.status == 401
    answer = await give(
        client, "/login/second/passkey", device.get(await ask(client, "/login/second/passkey")), trust="true"
    )
    assert answer.status == 303 and await is_signed_in(client)
    principal = await auth.running.runtime.sessions.lookup(client.cookies["sid"])
    assert principal and principal.amr == ("pwd", "pop", "user", "mfa")
    await client.post("/logout")
    assert (await auth.sign_in(client)).header("location") == "/account"  # trusted
    assert (await auth.client().post("/login/second/passkey/options", json_body={})).status == 404


async def test_a_passkey_confirms_and_its_owner_alone_names_and_removes_it(
    auth: AuthApp, device: Authenticator
) -> None:
    owner = await auth.signed_in()
    await add_key(owner, device)
    auth.clock.move(601)
    assert (await owner.post(f"{KEYS}/options", json_body={})).json["code"] == "session.step_up"
    answer = await give(
        owner,
        "/account/confirm/passkey",
        device.get(await ask(owner, "/account/confirm/passkey")),
        next=KEYS.rpartition("/")[0],
    )
    assert (answer.status, answer.header("location")) == (303, "/account/factors")
    asked = await ask(owner, KEYS)
    assert len(asked["excludeCredentials"]) == 1

    (row,) = await auth.running.admin("select passkey_id from passkey")
    passkey_id = row["passkey_id"]
    _, stranger = await add_owner(auth.running, "Globex")
    theirs = auth.client()
    await auth.sign_in(theirs, email=stranger.email)
    for action in ("rename", "remove"):
        sent = {"json_body": {"name": "x"}} if action == "rename" else {}
        json_please = {"accept": "application/json"}
        answers = [
            await theirs.post(f"{KEYS}/{one}/{action}", headers=json_please, **sent)
            for one in (passkey_id, uuid.uuid4())
        ]
        assert [answer.status for answer in answers] == [404, 404]
        assert answers[0].body == answers[1].body
    assert (await owner.post(f"{KEYS}/{passkey_id}/rename", form={"name": "Red key"})).status == 303
    assert (await owner.post(f"{KEYS}/{passkey_id}/rename", form={"name": " "})).status == 422
    assert "Red key" in (await owner.get("/account/factors")).text
    assert (await owner.post(f"{KEYS}/{passkey_id}/remove")).status == 303
    assert (await auth.sign_in()).header("location") == "/account"
    client = auth.client()
    answer = await give(client, "/login/passkey", device.get(await ask(client, "/login/passkey")))
    assert answer.status == 401


async def test_a_passkey_and_an_app_stand_in_for_one_another(auth: AuthApp, device: Authenticator) -> None:
    owner = await auth.signed_in()
    phone = await with_app(auth, owner)
    assert (await add_key(owner, device)).header("location") == "/account/factors"  # the codes stay
    assert (await owner.post("/account/factors/totp/remove")).status == 303
    client = await halfway(auth)
    assert "Recovery code" in (await client.get("/login/second")).text
    assert (await client.post("/login/second", form={"code": phone.codes[0]})).status == 303


async def test_nobody_has_more_than_twenty(auth: AuthApp, device: Authenticator) -> None:
    owner = await auth.signed_in()
    for _ in range(20):
        await add_key(owner, device)
    answer = await owner.post(f"{KEYS}/options", json_body={})
    assert (answer.status, answer.json["code"]) == (409, "auth.passkeys_full")
