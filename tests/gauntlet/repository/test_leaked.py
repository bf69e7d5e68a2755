"""A secret is found where it stands and where it stood, and is shown nowhere."""

from __future__ import annotations

import json
from pathlib import Path

from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.repository.leaked import GITLEAKS
from tests.gauntlet.repository.conftest import Ask, git


def _secret() -> tuple[str, str]:
    text = GITLEAKS.planted()["settings.py"]
    return text, text.split('"')[1]


async def test_a_clean_folder_passes(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "settings.py").write_text('TOKEN = os.environ["TOKEN"]\n')
    (found,) = (await ask("build.secrets")).values()
    assert found.verdict is Verdict.PASS
    assert "has no history here" in found.title


async def test_a_secret_in_a_file_fails_and_is_not_repeated(ask: Ask, tmp_path: Path) -> None:
    text, secret = _secret()
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "settings.py").write_text(f"# one\n{text}")
    found = await ask("build.secrets")
    finding = found["settings.py:github-pat"]
    assert (finding.verdict, finding.source) == (Verdict.FAIL, "settings.py:2")
    assert "Revoke it" in finding.fix
    assert secret not in json.dumps([repr(one) for one in found.values()])


async def test_a_secret_that_was_taken_out_again_is_still_in_the_history(ask: Ask, tmp_path: Path) -> None:
    app = tmp_path / "app"
    app.mkdir()
    git(app, "init", "-q")
    for text in (_secret()[0], "TOKEN = None\n"):
        (app / "settings.py").write_text(text)
        git(app, "add", ".")
        git(app, "commit", "-q", "-m", "x")
    (finding,) = (await ask("build.secrets")).values()
    assert (finding.verdict, finding.subject) == (Verdict.FAIL, "settings.py:github-pat")
    assert "the history still does" in finding.title
    assert finding.cause.startswith("Commit ")


async def test_what_an_app_keeps_on_this_machine_is_no_leak_until_it_is_committed(
    ask: Ask, tmp_path: Path
) -> None:
    app = tmp_path / "app"
    (app / ".shipworthy" / "previews").mkdir(parents=True)
    git(app, "init", "-q")
    (app / ".shipworthy" / "previews" / "keys.py").write_text(_secret()[0])
    (kept,) = (await ask("build.secrets")).values()
    assert kept.verdict is Verdict.PASS
    git(app, "add", "-f", ".")
    git(app, "commit", "-q", "-m", "x")
    (finding,) = (await ask("build.secrets")).values()
    assert (finding.verdict, finding.subject) == (Verdict.FAIL, ".shipworthy/previews/keys.py:github-pat")
