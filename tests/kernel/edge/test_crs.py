"""The Core Rule Set's engine, with rules of our own in its form: asked, never shown a secret, and absent without failing."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipworthy.kernel.edge.crs import Crs, CrsMissing, open_crs
from shipworthy.kernel.edge.reading import newest
from shipworthy.kernel.edge.section import EdgeSection
from shipworthy.local.postgres import PostgresAddress
from tests.kernel.conftest import signed_in
from tests.kernel.edge.test_guard import written
from tests.kernel.toy import ROOM
from tests.support.app import app_running, make_settings

RULES = """
SecRule ARGS "@contains forbidden-word" "id:942999,phase:2,deny,status:403,log,msg:'a forbidden word',severity:CRITICAL"
SecRule ARGS|REQUEST_HEADERS "@contains my-secret" "id:942998,phase:2,deny,status:403,log,msg:'a secret was seen'"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    home = tmp_path / "crs"
    (home / "rules").mkdir(parents=True)
    (home / "crs-setup.conf").write_text("# nothing to set\n")
    (home / "rules" / "words.conf").write_text(RULES)
    return home


def test_what_is_absent_is_said_and_nothing_fails(folder: Path) -> None:
    assert isinstance(open_crs(str(folder)), Crs)
    for spoil, said in (
        (lambda: (folder / "rules" / "words.conf").write_text("SecRule nonsense"), "are not understood"),
        (lambda: (folder / "crs-setup.conf").unlink(), "holds no crs-setup.conf"),
        (lambda: (folder / "rules" / "words.conf").unlink(), "holds no rules"),
    ):
        spoil()
        found = open_crs(str(folder))
        assert isinstance(found, CrsMissing) and said in found.why
    assert isinstance(open_crs("/nowhere"), CrsMissing)


async def test_it_is_asked_about_queries_and_changes_and_sees_no_secret(
    cluster: PostgresAddress, folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = make_settings((ROOM,), edge=EdgeSection(crs_dir=str(folder)))
    async with app_running(cluster, (ROOM,), tmp_path, settings=settings) as app:
        acme = await signed_in(app)
        acme.cookies["other"] = "my-secret"
        headers = {"authorization": "Basic my-secret", "idempotency-key": "k"}
        body = {"text": "plain", "password": "my-secret"}
        assert (await app.client().get("/hello?token=my-secret", headers=headers)).status == 200
        assert (await acme.post("/notes", json_body=body, headers=headers)).status == 422
        assert (await acme.get("/hello?q=forbidden-word")).status == 200  # noted: the switch is off
        form = {"text": "a forbidden-word"}
        assert (await acme.post("/notes", form=form, headers={"idempotency-key": "f"})).status == 201
        told = newest(await written(app, 2), most=9)
    assert {(one.rule, one.is_refused, one.says) for one in told} == {
        ("crs.942999", False, "a forbidden word")
    }
    assert "forbidden" not in capfd.readouterr().err
