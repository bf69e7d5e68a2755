"""The ledger and the shop, running, for the examiner's tests; and checks by name."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from shipworthy.contract.finding import Finding
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.check import Check
from shipworthy.gauntlet.stages import ALL_CHECKS
from shipworthy.local.postgres import PostgresAddress
from tests.support.ledger import Ledger, ledger_running
from tests.support.shop import Shop, shop_running


@pytest.fixture
async def ledger(cluster: PostgresAddress) -> AsyncIterator[Ledger]:
    async with ledger_running(cluster) as running:
        yield running


@pytest.fixture
async def shop(cluster: PostgresAddress) -> AsyncIterator[Shop]:
    async with shop_running(cluster) as running:
        yield running


def check_named(name: str) -> Check:
    return next(check for check in ALL_CHECKS if check.name == name)


def by_subject(findings: list[Finding]) -> dict[str, Finding]:
    """Findings by what they are about; each subject may be answered once."""
    answers = {finding.subject: finding for finding in findings}
    assert len(answers) == len(findings), [finding.id for finding in findings]
    return answers


def verdicts(findings: list[Finding]) -> dict[str, Verdict]:
    return {subject: finding.verdict for subject, finding in by_subject(findings).items()}
