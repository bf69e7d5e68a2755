"""The stub beside an examined app: told to it by its environment, and sending back to it alone."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from shipworthy.contract.finding import Finding
from shipworthy.contract.manifest import Manifest, OauthClient
from shipworthy.contract.target import Handle, Target
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.check import Check
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.idp.beside import client_id_of, welcome, with_provider
from shipworthy.gauntlet.run import run
from tests.support.programs import server_command

SIGN_IN = OauthClient(
    name="acme",
    start="GET /sign-in",
    callback="/back",
    session="GET /me",
    env={"ISSUER": "{issuer}", "CLIENT": "{client_id}:{client_secret}"},
)


def target(**facts: object) -> Target:
    known = {"name": "S", "kind": "command", "start": ("serve",), "env": {"OTHER": "1"}}
    return Target(**{**known, "manifest": Manifest(app="S", oauth=(SIGN_IN,)), **facts})  # type: ignore[arg-type]


async def test_the_app_is_told_where_the_provider_is_and_its_own_secret_of_this_run() -> None:
    secrets = []
    for _ in range(2):
        async with with_provider(target()) as (told, stub):
            assert stub is not None
            client = stub.client(client_id_of(SIGN_IN))
            secret = client.secrets[0]
            assert told.env == {"OTHER": "1", "ISSUER": stub.issuer, "CLIENT": f"examined-acme:{secret}"}
            assert client.redirect_uris == ()
            welcome(told, stub, Handle(base_url="http://127.0.0.1:81"))
            addresses = stub.client(client_id_of(SIGN_IN)).redirect_uris
            assert addresses == ("http://127.0.0.1:81/back", "http://localhost:81/back")
            secrets.append(secret)
    assert secrets[0] != secrets[1]


async def test_a_whole_callback_address_is_taken_as_it_is() -> None:
    whole = replace(SIGN_IN, callback="https://app.example/back")
    async with with_provider(target(manifest=Manifest(app="S", oauth=(whole,)))) as (told, stub):
        assert stub is not None
        welcome(told, stub, Handle(base_url="http://127.0.0.1:81"))
        assert stub.client(client_id_of(whole)).redirect_uris == ("https://app.example/back",)


async def test_who_declares_no_sign_in_or_runs_already_gets_no_provider() -> None:
    for without in (target(manifest=Manifest(app="S")), target(start=None, url="http://127.0.0.1:81")):
        async with with_provider(without) as (told, stub):
            assert stub is None
            assert told == without
            welcome(told, stub, Handle(base_url="http://127.0.0.1:81"))


def environment_of(pid: int | None) -> str:
    return Path(f"/proc/{pid}/environ").read_bytes().decode()


async def test_a_run_has_the_provider_up_while_it_examines(tmp_path: Path) -> None:
    async def sees_it(exam: Exam) -> Sequence[Finding]:
        assert exam.provider is not None
        is_told = f"ISSUER={exam.provider.issuer}\0" in environment_of(exam.handle.pid)
        known = exam.provider.client(client_id_of(SIGN_IN)).redirect_uris
        is_known = f"{exam.handle.base_url}/back" in known
        verdict = Verdict.PASS if is_told and is_known else Verdict.FAIL
        return [exam.finding("provider", verdict, "It is there")]

    check = Check(name="sees", title="Is it there", stage="s", run=sees_it, needs=("oauth", "started"))
    result = await run(target(start=server_command(tmp_path), workdir=str(tmp_path)), [check])
    assert [f.verdict for f in result.findings] == [Verdict.PASS], result.findings
    silent = await run(target(manifest=Manifest(app="S")), [check])
    assert silent.findings[0].verdict is Verdict.NOT_MEASURED
    assert "no sign-in through an OpenID provider" in silent.findings[0].cause
    url = f"http://127.0.0.1:{os.getpid() % 1000 + 1}"
    already = await run(target(start=None, kind="url", url=url), [check])
    assert already.findings[0].verdict is Verdict.NOT_MEASURED
    assert "running already" in already.findings[0].cause
