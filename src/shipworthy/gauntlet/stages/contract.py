"""Stage "contract": what the app has agreed on with others, and keeps when they do not."""

from __future__ import annotations

from shipworthy.contract.verdict import Severity
from shipworthy.gauntlet.check import Check
from shipworthy.gauntlet.probes.oauth import sign_in_contract

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
)
