"""Stage "contract": what the app has agreed on with others, and keeps when they do not."""

from __future__ import annotations

from shipworthy.contract.verdict import Severity
from shipworthy.gauntlet.check import Check
from shipworthy.gauntlet.probes.oauth import sign_in_contract
from shipworthy.gauntlet.probes.oauth_second import second_opinion
from shipworthy.gauntlet.probes.schema_contract import description_kept

CHECKS = (
    Check(
        name="oauth.contract",
        title="Signing in through a provider works, and only for whom the provider means",
        stage="contract",
        run=sign_in_contract,
        needs=("oauth", "started"),
        playbook=("C2", "L1"),
        timeout_s=900.0,
        severity=Severity.HIGH,
    ),
    Check(
        name="oauth.second_opinion",
        title="Signing in works through a provider that we did not write, whose keys are others",
        stage="contract",
        run=second_opinion,
        needs=("oauth", "started", "proxy.oidc"),
        modes=("stage", "full"),
        playbook=("C2",),
        timeout_s=300.0,
        severity=Severity.HIGH,
    ),
    # It sends what nobody would: rows and jobs of every kind are left behind.
    Check(
        name="contract.openapi",
        title="Every route keeps what its OpenAPI description says, whatever is sent to it",
        stage="contract",
        run=description_kept,
        needs=("described", "started"),
        disturbs=True,
        modes=("stage", "full"),
        playbook=("C2", "X1"),
        timeout_s=1_200.0,
        severity=Severity.MEDIUM,
    ),
)
