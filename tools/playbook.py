"""The playbook as a page: what is promised, what examines it, what proves it. Written by `make reference`.

What a row promises and which commands show it is said here; which checks of the gauntlet examine it, the checks say
themselves. A command that does not exist, and a row that nothing shows, is an error.
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Row -> what is promised, and the commands that show it beside the gauntlet's own checks.
ROWS: dict[str, tuple[str, tuple[str, ...]]] = {
    "B1": ("Sign-in app: passwords, other providers, linking, tokens, sessions", ("make bench NAME=auth-spike", "make bench NAME=auth-overload")),
    "B2": ("Invoicing app: customers, drafts, gapless numbers, tax, payments, credits, PDF", ("make proof NAME=invoicing", "make proof NAME=einvoice", "make bench NAME=pdf")),
    "B3": ("Website app: pages that people write and publish, rendered on the server", ("make bench NAME=pages", "make proof NAME=lighthouse")),
    "B4": ("A builder makes any of the three, or all in one, from a spec", ("shipworthy new shop --rooms invoicing,site", "make demo")),
    "P1": ("Sign-in: p95 below 200 ms", ("make bench NAME=auth-spike", "shipworthy slo")),
    "P2": ("Making an invoice: p95 below 700 ms", ("make bench NAME=invoices", "shipworthy slo")),
    "P3": ("First byte of a page: p95 below 150 ms", ("make bench NAME=pages", "make bench NAME=crawl", "shipworthy slo")),
    "P4": ("Budgets that fail a build: bytes, queries a request, cold start", ("shipworthy gauntlet --stage s4", "make bench NAME=core")),
    "P5": ("Caches: discovery documents for a short time, pages for a long one, signed addresses for files", ("make bench NAME=pages",)),
    "P6": ("Indexes for what is asked, shown by EXPLAIN as the app's own role under row security", ("shipworthy gauntlet --stage plans", "make proof NAME=invoicing", "make bench NAME=scale")),
    "P7": ("Heavy work in queues, once whatever happens", ("shipworthy gauntlet --stage drills",)),
    "P8": ("Limited sign-ins, rotating refresh tokens, sessions that end when the spec says", ("make bench NAME=auth-overload",)),
    "P9": ("Pages that search engines and people like: first byte, canonicals, nothing in the way", ("make proof NAME=lighthouse", "make bench NAME=crawl")),
    "L1": ("A spike of sign-ins", ("make bench NAME=auth-spike",)),
    "L2": ("Invoices under load: rounding, tax, nothing twice", ("make bench NAME=invoices", "make bench NAME=numbering")),
    "L3": ("A crawl: robots, a fresh sitemap, vitals while it runs", ("make bench NAME=crawl", "make proof NAME=publishes")),
    "L4": ("Drills: what breaks, degrades, loses nothing and recovers", ("make bench NAME=drills",)),
    "C1": ("Stage 1: lint, format, types, tests, properties of amounts, dates and time zones", ("shipworthy gauntlet --stage s1",)),
    "C2": ("Stage 2: contracts, with keys of the sign-in provider that rotate in every run", ("shipworthy gauntlet --stage s2",)),
    "C3": ("Stage 3: migrations that come back, with their rollback plans", ("shipworthy gauntlet --stage s3",)),
    "C4": ("Stage 4: build, static analysis, SBOM, secrets", ("shipworthy gauntlet --stage s4",)),
    "C5": ("Stage 5: a preview of a branch, and people's ways through it in a browser", ("shipworthy gauntlet --stage s5", "shipworthy preview up BRANCH")),
    "C6": ("Stage 6: a new version beside the old one, taken back when it breaks an objective", ("shipworthy deploy", "make bench NAME=canary")),
    "T1": ("No tenant sees another", ("make bench NAME=isolation",)),
    "T2": ("Logs with trace ids and without personal data; an audit that can be exported and verified", ("shipworthy audit verify", "make bench NAME=telemetry")),
    "O1": ("Traces through sign-in, invoice and page; p99 and error budgets", ("shipworthy trace", "shipworthy slo", "make bench NAME=telemetry")),
    "O2": ("Attackers turned away, crawlers and people not", ("make bench NAME=edge",)),
    "O3": ("Budgets per tenant, and word before they run out", ("make bench NAME=fairness",)),
    "R1": ("A runbook that is drilled", ("shipworthy runbook check", "make proof NAME=runbook")),
    "R2": ("Client rotation, numbering, redirects: written down, and run", ("shipworthy runbook build",)),
    "R3": ("A new scaffold is examined again, and the result kept with it", ("make demo", "shipworthy history")),
    "X1": ("Any web app in any language, from one file", ("shipworthy init", "make proof NAME=strangers")),
    "X2": ("Verdicts with an interval, a sample size and the judge's own error rates", ("make bench NAME=judge", "make proof NAME=judge")),
    "X3": ("Findings that say what to do, to a person and to a coding agent", ("shipworthy explain --format agent", "make bench NAME=mutants")),
    "X4": ("Arithmetic of capacity: what this machine holds, and what the goal needs", ("shipworthy capacity", "make bench NAME=auth-spike", "make bench NAME=load")),
    "X5": ("A fourth kind of app, examined without new code", ("shipworthy add room bookings", "make product")),
    "X6": ("The same app on a laptop and on a cluster", ("shipworthy deploy --backend kubernetes", "make proof NAME=two-nodes", "make bench NAME=scale")),
}  # fmt: skip
_PARTS = {
    "B": "The apps", "P": "Performance", "L": "Load and failure", "C": "Delivery", "T": "Tenants",
    "O": "Seen from outside", "R": "The runbook, and the routine", "X": "Beyond",
}  # fmt: skip


def playbook_page(generated: str) -> str:
    """Return the page. Errors: ValueError for a command that is not there."""
    from shipworthy.gauntlet.stages import ALL_CHECKS

    checks: dict[str, list[str]] = {}
    for check in ALL_CHECKS:
        for row in check.playbook:
            checks.setdefault(row, []).append(check.name)
    if unknown := sorted(set(checks) - set(ROWS)):
        raise ValueError(f"tools/playbook.py: checks name rows that are not there: {', '.join(unknown)}")
    lines = [
        "# The playbook",
        "",
        generated,
        "",
        "What is promised, the checks of the gauntlet that examine it (`shipworthy gauntlet --only NAME`), and the commands "
        "that show it with figures.",
    ]
    part = ""
    for row, (promise, commands) in ROWS.items():
        if row[0] != part:
            part = row[0]
            lines += ["", f"## {_PARTS[part]}", "", "| row | promised | examined by | shown by |", "|---|---|---|---|"]  # fmt: skip
        for command in commands:
            _require(row, command)
        named = ", ".join(f"`{name}`" for name in sorted(checks.get(row, [])))
        lines.append(f"| {row} | {promise} | {named} | {'; '.join(f'`{c}`' for c in commands)} |")
    return "\n".join([*lines, ""])


def _require(row: str, command: str) -> None:
    if found := re.fullmatch(r"make (bench|proof) NAME=([a-z-]+)", command):
        kind, name = found.groups()
        folder = ROOT / "benchmarks" / ("proofs" if kind == "proof" else "")
        module = name.replace("-", "_")
        if not ((folder / f"{module}.py").exists() or (folder / module / "__main__.py").exists()):
            raise ValueError(f"tools/playbook.py: {row} names {command}, and there is no such {kind}")
    elif found := re.match(r"shipworthy ([a-z]+)(?: ([a-z]+))?", command):
        _require_command(row, command, *found.groups())


def _require_command(row: str, command: str, name: str, sub: str | None) -> None:
    import click

    from shipworthy.cli.main import group
    from shipworthy.gauntlet.plan import DELIVERY
    from shipworthy.gauntlet.stages import ALL_CHECKS

    context = click.Context(group)
    if (there := group.get_command(context, name)) is None:
        raise ValueError(f"tools/playbook.py: {row} names {command}, and there is no such command")
    if isinstance(there, click.Group) and not (
        there.get_command(context, sub) if sub else there.invoke_without_command
    ):
        raise ValueError(f"tools/playbook.py: {row} names {command}, and {name} has no such command")
    stage = re.search(r"--stage (\S+)", command)
    if stage and stage.group(1) not in {*DELIVERY, *(check.stage for check in ALL_CHECKS)}:
        raise ValueError(f"tools/playbook.py: {row} names {command}, and there is no such stage")
