"""Another machine is examined when it says so itself: for this host, this examiner, until a day."""

from __future__ import annotations

import stat
from datetime import date, timedelta
from pathlib import Path

import pytest

from shipworthy.gauntlet.ownership import (
    DAYS_MAX,
    KEY_VARIABLE,
    PATH,
    NotProven,
    examiner_key,
    fault_of,
    proof_line,
    reach,
)
from tests.support.strange_server import strange_server

KEY, OTHER = b"examiner", b"somebody else"
HOST = "shop.sample.example"
TODAY = date(2026, 11, 28)
LAST = TODAY + timedelta(days=DAYS_MAX)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds no such line"),
        ("<html>shipworthy</html>", "holds no such line"),
        (proof_line("other.example", until=LAST, key=KEY), "is made for other.example"),
        (proof_line(HOST, until=TODAY - timedelta(days=1), key=KEY), "ended on 2026-11-27"),
        (proof_line(HOST, until=LAST + timedelta(days=1), key=KEY), "30 days are the most"),
        (proof_line(HOST, until=LAST, key=OTHER), "another examiner's key"),
        (proof_line(HOST, until=LAST, key=KEY).replace("until=2026-12-28", "until=2026-12-27"), "another examiner's key"),
        (proof_line(HOST, until=LAST, key=KEY), ""),
        ("# ours\n" + proof_line(HOST, until=LAST, key=OTHER) + "\n" + proof_line(HOST, until=TODAY, key=KEY), ""),
    ],
)  # fmt: skip
def test_a_line_proves_one_host_to_one_examiner_for_a_while(text: str, says: str) -> None:
    fault = fault_of(text, authority=HOST, today=TODAY, key=KEY)
    assert says in fault
    assert bool(fault) == bool(says)


async def test_a_host_that_serves_its_line_is_reached_where_it_proved_itself() -> None:
    async with strange_server() as server:
        port = server.base_url.rpartition(":")[2]
        url, authority = f"http://{HOST}:{port}", f"{HOST}:{port}"

        async def resolve(host: str, _port: int) -> str:
            assert host == HOST
            return "127.0.0.1"

        with pytest.raises(NotProven) as refused:
            await reach(url, resolve=resolve, key=KEY)
        assert f"its {PATH} answers 404" in str(refused.value)
        line = next(line.strip() for line in str(refused.value).splitlines() if "token=" in line)
        server.extra[PATH] = line.encode()  # as the message says
        reached = await reach(url, resolve=resolve, key=KEY)
        assert reached.addresses == {HOST: "127.0.0.1"}
        assert reached.turns is not None
        with pytest.raises(NotProven, match="another examiner's key"):
            await reach(url, resolve=resolve, key=OTHER)
        assert set(server.asked) == {f"GET {PATH} HTTP/1.1"}, "nothing else was sent before it was proven"
        assert set(server.hosts) == {authority}


async def test_a_redirect_a_silence_and_an_unknown_name_prove_nothing() -> None:
    async def nowhere(_host: str, _port: int) -> str:
        raise OSError(-2, "Name or service not known")

    with pytest.raises(NotProven, match="is not known"):
        await reach(f"http://{HOST}", resolve=nowhere, key=KEY)
    with pytest.raises(NotProven, match="Nothing answers"):
        await reach(f"http://{HOST}:9", address="127.0.0.1", key=KEY)


async def test_this_machine_has_nothing_to_prove() -> None:
    for url in ("http://127.0.0.1:8000", "http://localhost", "http://acme.localhost:1", "http://[::1]:2"):
        reached = await reach(url)
        assert (reached.addresses, reached.turns) == ({}, None)


def test_the_examiners_key_is_made_once_and_is_nobody_elses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    key = examiner_key()
    assert key == examiner_key()
    assert len(key) == 64
    assert stat.S_IMODE((tmp_path / "shipworthy" / "examiner.key").stat().st_mode) == 0o600
    monkeypatch.setenv(KEY_VARIABLE, "of CI")
    assert examiner_key() == b"of CI"
    monkeypatch.delenv(KEY_VARIABLE)
    monkeypatch.setenv("XDG_CONFIG_HOME", "/dev/null")
    with pytest.raises(NotProven, match=KEY_VARIABLE):
        examiner_key()
