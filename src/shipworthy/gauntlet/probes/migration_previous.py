"""The previous release's tests on the new schema: whether it could come back, or is still served, after the change.

The previous release is the newest git tag before this one; its files are laid out beside, and its own tests run
there on a database that this release's migrations made. On an empty database they must fail: tests that pass
without a schema say nothing about it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from shipworthy.contract.finding import Evidence, Finding
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.check import Unmeasurable
from shipworthy.gauntlet.evidence import clipped
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.probes.migrations import Commands, own_database
from shipworthy.gauntlet.repository.release import lay_out, previous_tag

TESTS_TIMEOUT_S = 240.0  # twice within the check's own time


async def previous_release(exam: Exam) -> Sequence[Finding]:
    """Return whether the newest tag's tests pass on the new schema."""
    migrations = exam.manifest.migrations
    assert migrations is not None, "the plan asks for the capability"
    if not migrations.previous:
        raise Unmeasurable(
            "Nobody says how the previous release's tests are run.",
            fix='Say so: [migrations] previous = "pytest tests/database"; they find the database by env.',
        )
    folder = Path(exam.target.folder)
    tag = await previous_tag(folder)
    if tag is None:
        raise Unmeasurable(
            "No earlier release is known: no git tag before this one.", fix="Tag every release: git tag v1."
        )
    with tempfile.TemporaryDirectory(prefix="shipworthy-previous-") as scratch:
        then = Path(scratch) / "then"
        await lay_out(folder, tag, then)
        async with own_database(exam, is_empty=True) as (empty, _):
            blind = await Commands(exam, migrations, empty).ended(
                migrations.previous, cwd=then, timeout_s=TESTS_TIMEOUT_S
            )
            if blind.status == 0:
                raise Unmeasurable(
                    f"The tests of {tag} pass without any schema, so they say nothing of this one.",
                    fix="Give in [migrations] previous the tests that use the database.",
                )
        async with own_database(exam) as (database, _):
            commands = Commands(exam, migrations, database)
            await commands.up()
            ended = await commands.ended(migrations.previous, cwd=then, timeout_s=TESTS_TIMEOUT_S)
    if ended.status == 0:
        return [exam.finding(tag, Verdict.PASS, f"The tests of {tag} pass on the new schema")]
    return [
        exam.finding(
            tag,
            Verdict.FAIL,
            f"The tests of {tag} fail on the new schema: it could not come back",
            cause=ended.last_words.rpartition("\n")[2],
            fix="Take nothing away that it needs: expand now, and contract a release later.",
            evidence=(Evidence(kind="log", title="It said", text=clipped((ended.out + ended.err).strip())),),
        )
    ]
