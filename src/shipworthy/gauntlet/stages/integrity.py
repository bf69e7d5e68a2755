"""Stage "integrity": what is right stays right: how much it is, how often it is done, who may come in."""

from __future__ import annotations

from shipworthy.contract.verdict import Severity
from shipworthy.gauntlet.check import Check
from shipworthy.gauntlet.faults import kill_process, lock_table
from shipworthy.gauntlet.probes.enumeration import no_enumeration
from shipworthy.gauntlet.probes.idempotency import same_key
from shipworthy.gauntlet.probes.idempotency_crash import after_crash
from shipworthy.gauntlet.probes.idempotency_declared import creates_once
from shipworthy.gauntlet.probes.money import totals_exact
from shipworthy.gauntlet.probes.refresh import refresh_rotation
from shipworthy.gauntlet.probes.throttle import login_throttle

CHECKS = (
    Check(
        name="idempotency.declared",
        title="Every route that creates something lets its caller send twice and get one",
        stage="integrity",
        run=creates_once,
        needs=("routes",),
        playbook=("T1", "L2"),
    ),
    Check(
        name="idempotency.same_key",
        title="Under one key, sending twice or twenty times at once does it once",
        stage="integrity",
        run=same_key,
        needs=("any_rate", "idempotency"),
        playbook=("T1", "L2", "P7"),
        timeout_s=240.0,
    ),
    Check(
        name="money.totals_exact",
        title="The totals of invoices are exact to the last minor unit",
        stage="integrity",
        run=totals_exact,
        needs=("oracles",),
        playbook=("L2", "B2"),
    ),
    Check(
        name="idempotency.after_crash",
        title="A crash between request and answer leaves neither nothing nor two",
        stage="integrity",
        run=after_crash,
        needs=("idempotency", "login", "tenants.1", "database.admin", "process.web", "restarts"),
        playbook=("P7", "L2"),
        faults=(kill_process.NAME, lock_table.NAME),
        disturbs=True,
        timeout_s=240.0,
    ),
    Check(
        name="auth.no_enumeration",
        title="The sign-in form does not tell who has an account",
        stage="integrity",
        run=no_enumeration,
        needs=("login", "tenants.1"),
        playbook=("P8", "L1"),
        disturbs=True,
        locks_out=True,
        severity=Severity.MEDIUM,
    ),
    Check(
        name="auth.refresh_rotation",
        title="Refresh tokens rotate, race without a logout, and end their family when stolen",
        stage="integrity",
        run=refresh_rotation,
        needs=("any_rate", "tokens", "tenants.1"),
        playbook=("P8", "L1"),
        timeout_s=240.0,
        disturbs=True,  # ends sessions of the person it asks as
    ),
    Check(
        name="auth.login_throttle",
        title="Guessing a password ends soon, also in parallel",
        stage="integrity",
        run=login_throttle,
        needs=("any_rate", "login", "tenants.1"),
        playbook=("P8", "L1"),
        disturbs=True,
        locks_out=True,
    ),
)
