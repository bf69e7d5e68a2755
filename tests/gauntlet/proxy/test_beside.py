"""The proxies beside an app: only when something needs them, and told to the app in its own way."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from shipworthy.contract.manifest import Manifest, OauthClient
from shipworthy.contract.target import Handle, Target
from shipworthy.gauntlet.adapters.instance import StartedInstance
from shipworthy.gauntlet.capabilities import expected, fronted, lack
from shipworthy.gauntlet.check import Check, Undecided
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.http import HttpSession, Unanswered
from shipworthy.gauntlet.idp.beside import with_provider
from shipworthy.gauntlet.plan import PlannedCheck
from shipworthy.gauntlet.proxy.beside import outlive_us, with_proxies
from shipworthy.gauntlet.proxy.toxic import Toxic
from tests.gauntlet.proxy.conftest import EchoServer, said_back


async def _nothing(_exam: Exam) -> tuple[()]:
    return ()


def planned(*needs: str, obstacle: str = "") -> list[PlannedCheck]:
    check = Check(name="drill", title="A drill", stage="drills", run=_nothing, needs=needs)
    return [PlannedCheck(check=check, obstacle=obstacle)]


def stranger(echo: EchoServer, word: str = "{database}") -> Target:
    return Target(
        name="S",
        kind="command",
        manifest=Manifest(app="S"),
        start=(sys.executable, "app.py", word),
        env={"DB": word},
        database=f"postgresql://me:p%40w@{echo.address}/shop?x=1",
    )


async def test_a_stranger_is_given_the_proxied_address_where_it_asks_for_its_database(
    echo: EchoServer, tmp_path: Path
) -> None:
    async with with_proxies(stranger(echo), planned("proxy.database"), state=tmp_path) as (target, proxies):
        assert proxies is not None
        url = f"postgresql://me:p%40w@{proxies['database'].address}/shop?x=1"
        assert target.start is not None
        assert (target.start[-1], target.env["DB"]) == (url, url)
        assert target.database == stranger(echo).database  # our own way in stays the direct one
        assert await said_back(proxies["database"].port, b"hello") == b"helloBYE"
        exam = Exam(target, StartedInstance(Handle(base_url="http://127.0.0.1:1"), None), proxies=proxies)
        assert exam.can("proxy.database")
        assert exam.proxy("database") is proxies["database"]
        with pytest.raises(Undecided, match="its mail through a proxy"):
            exam.proxy("mail")


@pytest.mark.parametrize("checks", [planned("http"), planned("proxy.database", obstacle="no login")])
async def test_nothing_stands_before_the_database_when_no_check_needs_it(
    echo: EchoServer, tmp_path: Path, checks: list[PlannedCheck]
) -> None:
    async with with_proxies(stranger(echo), checks, state=tmp_path) as (target, proxies):
        assert proxies is None
        assert target.env["DB"] == target.database
        exam = Exam(target, StartedInstance(Handle(base_url="http://127.0.0.1:1"), None))
        assert not exam.can("proxy.database")


async def test_our_own_app_is_told_by_its_environment_and_must_confirm_it(
    echo: EchoServer, tmp_path: Path
) -> None:
    ours = Target(name="A", kind="shipworthy", manifest=Manifest(app="A"), start=("shipworthy",))
    async with with_proxies(ours, planned("proxy.mail"), state=tmp_path) as (target, proxies):
        assert proxies is not None
        database, mail = (proxies[name].address for name in ("database", "mail"))
        assert target.env == {"SHIPWORTHY_THROUGH": f"database={database},mail={mail}"}
        (tmp_path / "upstreams.json").write_text(f'{{"mail": "{echo.address}"}}')
        assert await said_back(proxies["mail"].port, b"hello") == b"helloBYE"
        took = Handle(base_url="http://127.0.0.1:1", through={"mail": mail}, pid=1)
        exam = Exam(target, StartedInstance(took, None), proxies=proxies)
        assert exam.can("proxy.mail")
        assert not exam.can("proxy.database")
        await outlive_us(proxies, took)


async def test_the_provider_is_known_by_the_proxys_address_and_reached_through_it(tmp_path: Path) -> None:
    sign_in = OauthClient(
        name="acme", start="GET /in", callback="/back", session="GET /me", env={"ISSUER": "{issuer}"}
    )
    asking = Target(name="S", kind="command", manifest=Manifest(app="S", oauth=(sign_in,)), start=("serve",))
    assert fronted(asking) == {"oidc"}
    async with (
        with_proxies(asking, planned("proxy.oidc"), state=tmp_path) as (behind, proxies),
        with_provider(behind, proxies.get("oidc") if proxies else None) as (target, stub),
    ):
        assert proxies is not None
        assert stub is not None
        assert target.env == {"ISSUER": f"http://{proxies['oidc'].address}"}
        session = HttpSession(stub.issuer)
        found = await session.get("/.well-known/openid-configuration")
        assert json.loads(found.text)["issuer"] == stub.issuer
        await proxies["oidc"].add(Toxic(kind="down"), lease_s=60)
        with pytest.raises(Unanswered):
            await session.get("/.well-known/openid-configuration")
        await session.close()
        exam = Exam(target, StartedInstance(Handle(base_url="http://127.0.0.1:1"), None), proxies=proxies)
        assert exam.can("proxy.oidc")
        assert not exam.can("proxy.database")


def test_what_can_be_stood_before_is_known_beforehand_and_what_not_has_a_remedy(echo: EchoServer) -> None:
    assert fronted(stranger(echo)) == {"database"}
    assert fronted(stranger(echo, word="{port}")) == frozenset()
    assert "proxy.database" in expected(stranger(echo))
    why, remedy = lack("proxy.database")
    assert "its database through the examiner" in why
    assert "{database}" in remedy
