"""`shipworthy slo`: what is shown, exit codes, acknowledging, silencing, and the files for Prometheus."""

from __future__ import annotations

import json
from pathlib import Path

from shipworthy.kernel.context import utc_now
from shipworthy.kernel.objectives.book import Alert, book_changed, read_book
from shipworthy.kernel.objectives.history import History, Minute
from tests.cli.conftest import APP, assert_refused, shipworthy


def watched(home: Path, *, bad: int) -> Path:
    """An app that was watched a minute ago, with so many bad of a hundred sign-ins."""
    folder = home / ".shipworthy" / "objectives"
    folder.mkdir(parents=True)
    now_s = utc_now().timestamp()
    minute = Minute(
        at_s=int(now_s) - 60, objective="login", total=100, bad=bad, taken={"0.1": 100 - bad, "0.35": bad}
    )
    History(folder / "minutes.jsonl").add([minute])
    if bad:
        with book_changed(folder) as book:
            book.alerts.append(
                Alert(id="ab12", objective="login", rule="page-fast", burn=18.0, opened_s=now_s)
            )
    return folder


def test_a_budget_that_burns_is_shown_and_ends_with_one(home: Path) -> None:
    folder = watched(home, bad=90)
    done = shipworthy("slo", "--json", cwd=home)
    assert done.returncode == 1, done.stderr
    (login,) = json.loads(done.stdout)["objectives"]
    assert (login["objective"], login["p50_ms"], login["burn"]["3600"]) == ("login", 350.0, 18.0)
    shown = shipworthy("slo", cwd=home, env={"COLUMNS": "160"})
    assert "Sign in" in shown.stdout and "burns" in shown.stdout and "ab12" in shown.stdout

    assert_refused(shipworthy("slo", "acknowledge", "cd34", "--by", "ada", cwd=home), "no open alert", "ab12")
    assert "ada looks after ab12" in shipworthy("slo", "acknowledge", "ab12", "--by", "ada", cwd=home).stdout
    assert_refused(
        shipworthy("slo", "acknowledge", "ab12", "--by", "bob", cwd=home), "ada looks after ab12 already"
    )
    assert_refused(
        shipworthy("slo", "silence", "logn", "--by", "ada", "--reason", "x", cwd=home), "did you mean 'login'"
    )
    done = shipworthy("slo", "silence", "login", "--for", "2h", "--by", "ada", "--reason", "moving", cwd=home)
    assert "nobody is told of login for 120 minutes" in done.stdout
    book = read_book(folder)
    assert (book.open[0].acknowledged_by, book.silences["login"].reason) == ("ada", "moving")


def test_one_that_holds_ends_with_zero_and_one_nobody_watched_says_so(home: Path) -> None:
    assert shipworthy("slo", cwd=home, env={"COLUMNS": "160"}).stdout.count("no requests") == 1
    assert_refused(shipworthy("slo", "acknowledge", "ab12", "--by", "ada", cwd=home), "slo watch")
    watched(home, bad=0)
    done = shipworthy("slo", cwd=home, env={"COLUMNS": "160"})
    assert (done.returncode, "holds" in done.stdout) == (0, True)


def test_rules_are_written_and_what_cannot_be_watched_is_refused(home: Path) -> None:
    done = shipworthy("slo", "--prometheus", "rules", cwd=home)
    assert done.returncode == 0, done.stderr
    assert sorted(p.name for p in (home / "rules").iterdir()) == ["grafana-dashboard.json", "prometheus-rules.yml", "sloth.yml"]  # fmt: skip
    assert "POST /login" in (home / "rules" / "prometheus-rules.yml").read_text()
    assert_refused(
        shipworthy("slo", "watch", "--metrics", "file:///etc/passwd", cwd=home), "--metrics", "http://"
    )
    (home / "app.toml").write_text(APP + '[alerts]\nwebhook_url = "https://hooks.example/x"\n')
    assert_refused(shipworthy("slo", "watch", cwd=home), "SHIPWORTHY_ALERTS_SECRET")
