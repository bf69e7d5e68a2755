"""A second provider takes the stub's place: signed in through, judged, and the stub put back.

Most go by a double of Node's provider; with the real one installed (make proof NAME=oidc-peer) it is asked as well.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from shipworthy.contract.finding import Finding
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.check import Unmeasurable
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.plan import PlannedCheck
from shipworthy.gauntlet.probes import oauth_scene, oauth_second
from shipworthy.gauntlet.proxy.proxies import proxies_running
from tests.gauntlet.conftest import by_subject, check_named
from tests.support.relying_app import relying_running

ROOT = Path(__file__).parents[3]
REAL = ROOT / "build" / "peers" / "oidc-peer"
SECOND = check_named("oauth.second_opinion")


@pytest.fixture
def double(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `node` on the path that runs the double, and a folder in which the package seems to be."""
    monkeypatch.setattr(oauth_second, "RECOVERY_S", 2.0)
    monkeypatch.setattr(oauth_second, "_RETRY_S", 0.05)
    entry = tmp_path / "node_modules" / "oidc-provider" / "lib" / "index.js"
    entry.parent.mkdir(parents=True)
    entry.touch()
    monkeypatch.setenv("SHIPWORTHY_OIDC_PEER", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return node(tmp_path, f"exec {sys.executable} -m tests.support.peer_double")


def node(folder: Path, command: str) -> Path:
    path = folder / "node"
    path.write_text(f"#!/bin/sh\n{command}\n")
    path.chmod(0o755)
    return path


async def ask(*defects: str, **facts: Any) -> Finding:
    async with proxies_running() as proxies:
        front = await proxies.open("oidc")
        async with relying_running(*defects, front=front, cooldown_s=0.0, **facts) as running:
            exam = Exam(running.target, running, provider=running.stub, proxies=proxies)
            await signed_in_at_the_stub(exam)
            exam.begin(PlannedCheck(check=SECOND))
            try:
                (finding,) = by_subject(list(await SECOND.run(exam))).values()
            finally:
                assert await exam.heal() == []
            await signed_in_at_the_stub(exam)
            await exam.close()
            return finding


async def signed_in_at_the_stub(exam: Exam) -> None:
    exam.begin(PlannedCheck(check=check_named("oauth.contract"), subject="acme.good"))
    (good,) = await check_named("oauth.contract").run(exam)
    assert good.verdict is Verdict.PASS, good
    assert await exam.heal() == []


@pytest.mark.usefixtures("double")
async def test_a_sound_app_signs_people_in_through_the_other_provider() -> None:
    finding = await ask()
    assert (finding.verdict, finding.subject) == (Verdict.PASS, "acme"), "\n".join(
        e.text for e in finding.evidence
    )
    assert "a person signs in and comes back" in finding.title


async def test_an_app_that_never_reads_keys_again_is_found(double: Path) -> None:
    finding = await ask("never_reads_again")
    assert finding.verdict is Verdict.FAIL
    assert "Nobody can sign in through oidc-provider" in finding.title


async def test_a_provider_that_lets_every_secret_pass_proves_nothing(double: Path) -> None:
    node(double.parent, f"exec {sys.executable} -m tests.support.peer_double --careless")
    finding = await ask()
    assert (finding.verdict, "nothing is proven" in finding.cause) == (Verdict.INCONCLUSIVE, True)


async def test_one_that_does_not_start_says_why(double: Path) -> None:
    node(double.parent, "echo 'no such algorithm' >&2; exit 1")
    finding = await ask()
    assert (finding.verdict, "no such algorithm" in finding.cause) == (Verdict.INCONCLUSIVE, True)


async def test_without_the_package_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHIPWORTHY_OIDC_PEER", str(tmp_path / "nothing"))
    with pytest.raises(Unmeasurable) as absent:
        await ask()
    assert "npm install --prefix" in absent.value.fix or "Install Node.js" in absent.value.fix


@pytest.mark.skipif(
    not (REAL / "node_modules").is_dir() or not shutil.which("node"), reason="no oidc-provider here"
)
async def test_the_real_one_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIPWORTHY_OIDC_PEER", str(REAL))
    monkeypatch.setattr(oauth_scene, "_RETRY_S", 0.05)
    finding = await ask()
    assert finding.verdict is Verdict.PASS, finding
