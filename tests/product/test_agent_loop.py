"""An agent without a mind works the findings off: the first task, its fix, its command, until nothing is left.

Everything it knows stands in `--format agent`: were that not enough, no model could do it either. The fixes
are collected as an app's migration would collect them, and the app is started anew each time.
"""

from __future__ import annotations

import re
import shlex

import pytest

from shipworthy.contract.finding import RunResult
from shipworthy.gauntlet.adapters.shipworthy import describe
from shipworthy.gauntlet.report.document import exit_code_of
from shipworthy.gauntlet.report.views.agent import agent_view
from shipworthy.gauntlet.report.views.told import APPLY
from shipworthy.gauntlet.run import run
from shipworthy.gauntlet.stages import ALL_CHECKS
from tests.support.product import Template, Templates, copied

DEFECTS = (
    "alter table invoice disable row level security",
    "drop policy tenant_floor on customer",
    "create policy everyone on customer using (true)",
    "create index invoice_number_idx on invoice (number)",
)
ASKED = ("isolation.row_security", "migrations.keys")
ROUNDS_MAX = 12


@pytest.mark.product
@pytest.mark.xdist_group("product")
async def test_a_loop_that_only_reads_the_agents_view_mends_the_app(templates: Templates) -> None:
    template, migration, worked_off = templates.of("invoicing"), list(DEFECTS), []
    for _ in range(ROUNDS_MAX):
        seen = await examined(template, migration, checks=ASKED)
        task = first_task(agent_view(seen))
        if task is None:
            break
        fixes, only = task
        worked_off.append(only)
        migration += fixes
        again = await examined(template, migration, only=only)
        assert exit_code_of(again) == 0, f"{only} is not done after {fixes}"
    assert exit_code_of(seen) == 0
    assert [only.partition(":")[0] for only in worked_off] == [
        "isolation.row_security",
        "isolation.row_security",
        "migrations.keys",
    ]


async def examined(
    template: Template, sql: list[str], *, checks: tuple[str, ...] = (), only: str | None = None
) -> RunResult:
    asked = [
        check for check in ALL_CHECKS if check.name in checks or (only and check.answers(only.split(":")[0]))
    ]
    with copied(template, sql=sql) as command:
        return await run(await describe(template.home, command=command), asked, only=only)


def first_task(view: str) -> tuple[list[str], str] | None:
    """Return the statements and the id of the first task that an agent is shown; None where there is none."""
    parts = re.split(r"^## 1\. ", view, maxsplit=1, flags=re.MULTILINE)
    if len(parts) == 1:
        return None
    text = re.split(r"^## 2\. ", parts[1], maxsplit=1, flags=re.MULTILINE)[0]
    fence = re.search(rf"^```{APPLY}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert fence, f"the task gives nothing to apply:\n{text}"
    repeat = re.search(r"^- repeat: `+ ?(.*?) ?`+$", text, re.MULTILINE)
    assert repeat
    command = shlex.split(repeat[1])
    return [line for line in fence[1].splitlines() if line.strip()], command[command.index("--only") + 1]
