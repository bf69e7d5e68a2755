"""Stage "drills": something is broken on purpose, and the app must degrade, recover and lose nothing."""

from __future__ import annotations

from shipworthy.contract.verdict import Severity
from shipworthy.gauntlet.check import Check
from shipworthy.gauntlet.drills import mail, sign_in, whole_app
from shipworthy.gauntlet.faults import (
    keys_expired,
    kill_process,
    lock_table,
    mail_down,
    network,
    stop_process,
)
from shipworthy.gauntlet.probes.drill_worker import worker_killed

_LOADED = ("journeys", "slos")

CHECKS = (
    Check(
        name="drill.worker_killed",
        title="A worker killed under load loses nothing, doubles nothing and recovers",
        stage="drills",
        run=worker_killed,
        needs=("jobs", "login", "tenants.1", "database.admin", "process.worker", "restarts"),
        playbook=("L4", "P7"),
        faults=(kill_process.NAME, lock_table.NAME),
        disturbs=True,
        timeout_s=240.0,
        severity=Severity.CRITICAL,
    ),
    Check(
        name="drill.keys_expired",
        title="A provider that changes its keys locks nobody out",
        stage="drills",
        run=sign_in.keys_expired,
        needs=("oauth",),
        playbook=("L4", "P5"),
        faults=(keys_expired.NAME,),
        disturbs=True,
        severity=Severity.HIGH,
    ),
    Check(
        name="drill.mail_down",
        title="While mail is down nobody is turned away, and every mail arrives afterwards",
        stage="drills",
        run=mail.mail_down,
        needs=("jobs", "proxy.mail"),
        playbook=("L4", "P7"),
        faults=(mail_down.NAME, network.DOWN),
        disturbs=True,
        modes=("full",),
        timeout_s=240.0,
        severity=Severity.HIGH,
    ),
    Check(
        name="drill.database_throttled",
        title="With a slow database the app degrades and does not collapse",
        stage="drills",
        run=whole_app.database_throttled,
        needs=(*_LOADED, "proxy.database"),
        playbook=("L4",),
        faults=(network.LATENCY, network.BANDWIDTH),
        disturbs=True,
        modes=("full",),
        timeout_s=300.0,
        severity=Severity.HIGH,
    ),
    Check(
        name="drill.database_hangs",
        title="With a database that hangs every answer is bounded and understood",
        stage="drills",
        run=whole_app.database_hangs,
        needs=(*_LOADED, "process.database"),
        playbook=("L4",),
        faults=(stop_process.NAME,),
        disturbs=True,
        modes=("full",),
        timeout_s=300.0,
        severity=Severity.HIGH,
    ),
    Check(
        name="drill.web_killed",
        title="A web process killed under load comes back, and what it acknowledged is there once",
        stage="drills",
        run=whole_app.web_killed,
        needs=(*_LOADED, "process.web", "restarts"),
        playbook=("L4",),
        faults=(kill_process.NAME,),
        disturbs=True,
        modes=("full",),
        timeout_s=300.0,
        severity=Severity.HIGH,
    ),
    Check(
        name="drill.database_killed",
        title="A database killed under load comes back, and what was acknowledged is there once",
        stage="drills",
        run=whole_app.database_killed,
        needs=(*_LOADED, "process.database", "restarts"),
        playbook=("L4",),
        faults=(kill_process.NAME,),
        disturbs=True,
        modes=("full",),
        timeout_s=300.0,
        severity=Severity.CRITICAL,
    ),
)
