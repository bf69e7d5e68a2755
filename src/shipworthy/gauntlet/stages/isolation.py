"""Stage "isolation": no tenant ever sees another, in the catalogue, in SQL and over HTTP."""

from __future__ import annotations

from shipworthy.contract.verdict import Severity
from shipworthy.gauntlet.check import Check
from shipworthy.gauntlet.probes.anonymous import signed_out_http
from shipworthy.gauntlet.probes.catalogue import row_security
from shipworthy.gauntlet.probes.every_role import every_role
from shipworthy.gauntlet.probes.leak import two_tenants_sql
from shipworthy.gauntlet.probes.leak_http import two_tenants_http

CHECKS = (
    Check(
        name="isolation.row_security",
        title="Every table that holds tenants' rows is guarded by row security",
        stage="isolation",
        run=row_security,
        needs=("database.any",),
        playbook=("T1",),
        severity=Severity.CRITICAL,
    ),
    Check(
        name="isolation.every_role",
        title="No role of the database sees or writes what is not its own",
        stage="isolation",
        run=every_role,
        needs=("database.any",),
        playbook=("T1", "X1"),
        severity=Severity.CRITICAL,
    ),
    Check(
        name="isolation.two_tenants_sql",
        title="A tenant reads and writes its own rows only, asked in SQL",
        stage="isolation",
        run=two_tenants_sql,
        needs=("database.app", "database.admin", "tenants.2.ids"),
        playbook=("T1",),
        timeout_s=180.0,
        severity=Severity.CRITICAL,
    ),
    Check(
        name="isolation.two_tenants_http",
        title="A tenant reaches its own things only, asked over HTTP",
        stage="isolation",
        run=two_tenants_http,
        needs=("routes.session", "login", "tenants.2"),
        playbook=("T1",),
        timeout_s=240.0,
        severity=Severity.CRITICAL,
    ),
    Check(
        name="isolation.signed_out_http",
        title="Who is not signed in reaches nobody's things",
        stage="isolation",
        run=signed_out_http,
        needs=("routes.session", "login", "tenants.1"),
        playbook=("T1",),
        severity=Severity.CRITICAL,
    ),
)
