"""Stage "exposure": what the app shows to whoever comes by: its answers, and what it gives away without being asked."""

from __future__ import annotations

from shipworthy.contract.verdict import Severity
from shipworthy.gauntlet.check import Check
from shipworthy.gauntlet.probes.answers import sound_answers
from shipworthy.gauntlet.probes.crawl_site import site_crawled
from shipworthy.gauntlet.probes.headers import security_headers
from shipworthy.gauntlet.probes.logs import canaries_in_logs

CHECKS = (
    Check(
        name="answers.sound",
        title="Every address that can be read answers in time, whole, and leads somewhere",
        stage="exposure",
        run=sound_answers,
        playbook=("X1",),
        timeout_s=240.0,
        severity=Severity.HIGH,
    ),
    Check(
        name="crawl.site",
        title="Crawlers find what is to be found, once, and believe nothing that is not so",
        stage="exposure",
        run=site_crawled,
        playbook=("P9", "X1"),
        severity=Severity.MEDIUM,
    ),
    Check(
        name="headers.security",
        title="Every page carries the headers that let a browser protect its reader",
        stage="exposure",
        run=security_headers,
        playbook=("T1", "X1"),
        severity=Severity.MEDIUM,
    ),
    # It sends every route what it may not take, and what it may: sessions end, rows are made.
    Check(
        name="logs.canaries",
        title="What people confide to the app does not turn up in its logs and errors",
        stage="exposure",
        run=canaries_in_logs,
        needs=("routes", "logs"),
        playbook=("T2", "X1"),
        disturbs=True,
        severity=Severity.HIGH,
    ),
)
