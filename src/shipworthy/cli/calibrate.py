"""`shipworthy calibrate`: what password hashes cost on this host, and how many sign-ins it holds."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from shipworthy.rooms.auth.gate.calibration import Measured

_QUIET_MIN = 0.8  # of the threads' time; below it the rates say more about the neighbours than about the host


@click.command("calibrate")
@click.option(
    "--logins-per-s",
    type=click.FloatRange(min=0, min_open=True),
    help="Choose the strongest parameters with which this host still holds so many password sign-ins a second.",
)
@click.option(
    "--cores-reserved",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help="Cores that are not for hashing.",
)
@click.option(
    "--build",
    "builds",
    is_flag=True,
    help="First build the Argon2 library for this processor (AVX2, needs a C compiler), if that is faster.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def command(logins_per_s: float | None, cores_reserved: int, builds: bool, as_json: bool) -> None:
    """Measure this host's password hashes and choose their parameters, never below OWASP's minimum.

    \b
    Example:  shipworthy calibrate --logins-per-s 60
    """
    faster = _built() if builds else ""  # before anything loads the library that it replaces
    from shipworthy.rooms.auth.gate.calibration import CHOICES, chosen, measure

    measured = []
    for memory_kib, passes in CHOICES:
        click.echo(f"measuring {_name(memory_kib, passes)} …", err=True)
        measured.append(measure(memory_kib, passes, cores_reserved=cores_reserved))
    choice = chosen(measured, logins_per_s=logins_per_s)
    argon2 = faster or _library()
    if as_json:
        click.echo(
            json.dumps(
                {"argon2": argon2, "chosen": asdict(choice), "measured": [asdict(one) for one in measured]},
                indent=2,
            )
        )
        return
    _show(measured, choice, argon2=argon2, logins_per_s=logins_per_s)


def _show(measured: list[Measured], choice: Measured, *, argon2: str, logins_per_s: float | None) -> None:
    from rich.console import Console
    from rich.table import Table

    from shipworthy.rooms.auth.gate.calibration import GOAL_PER_S

    table = Table(header_style="bold")
    table.add_column("parameters")
    for column in ("CPU ms a hash", "hashes/s", "sign-ins/s in time", f"cores for {GOAL_PER_S}/s"):
        table.add_column(column, justify="right")
    for one in measured:
        mark = " <" if one is choice else ""
        table.add_row(
            _name(one.memory_kib, one.passes) + mark,
            f"{one.hash_cpu_ms:.1f}",
            f"{one.hashes_per_s:.0f}",
            f"{one.logins_per_s:.0f}",
            str(one.cores_for_goal),
        )
    Console(width=None if sys.stdout.isatty() else 100).print(table)
    click.echo(f"Threads that hash: {choice.workers}. Argon2id, one lane: {argon2}")
    if choice.busy_share < _QUIET_MIN:
        click.echo(
            f"Other work had {1 - choice.busy_share:.0%} of their time while this was measured. Measure again when the host is quiet."
        )
    if logins_per_s is not None and choice.logins_per_s < logins_per_s:
        click.echo(
            f"No allowed parameters hold {logins_per_s:g} sign-ins a second on this host; these come nearest."
        )
    click.echo(
        f"\nIn app.toml:\n\n[auth]\nhash_memory_kib = {choice.memory_kib}\nhash_passes = {choice.passes}\n"
    )


def _built() -> str:
    """Build, and say what came of it; what cannot be built is said and changes nothing."""
    from shipworthy.local import argon2_build
    from shipworthy.local.errors import BuildFailed

    reason = argon2_build.why_not()
    if not reason:
        try:
            built = argon2_build.build(
                install=argon2_build.installer(), say=lambda line: click.echo(f"argon2: {line} …", err=True)
            )
            return f"built for this processor, {built.before_ms:.1f} ms before, {built.after_ms:.1f} ms now."
        except BuildFailed as failed:
            reason = str(failed)
    click.echo(f"argon2: no faster build: {reason}", err=True)
    return f"the package as it was. No faster build: {reason}"


def _library() -> str:
    from shipworthy.local.argon2_build import is_built_here, why_not

    if is_built_here():
        return "built on a machine of yours."
    reason = why_not()
    if reason:
        return f"the package's wheel; {reason}, so no faster build is possible here."
    return "the package's wheel. Built for this processor it may be faster: shipworthy calibrate --build"


def _name(memory_kib: int, passes: int) -> str:
    return f"m={memory_kib} t={passes}"
