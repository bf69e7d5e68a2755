"""The edge's switches, as flags: what is recognised is refused, or only noted."""

from __future__ import annotations

from shipworthy.contract.manifest import Flag

REFUSE_MALFORMED = "edge.refuse_malformed"
REFUSE_ATTACKS = "edge.refuse_attacks"
CHALLENGE = "edge.challenge"

EDGE_FLAGS = (
    Flag(
        name=REFUSE_MALFORMED,
        title="Requests that are not written plainly are refused; off: only noted",
        default=True,
        owner="security",
        expires="2027-11-30",
    ),
    Flag(
        name=REFUSE_ATTACKS,
        title="Requests that look like attacks are refused; off: only noted",
        default=False,
        owner="security",
        expires="2027-11-30",
    ),
    Flag(
        name=CHALLENGE,
        title="Sign-ins from where stolen passwords are tried have to compute first; off: only noted",
        default=True,
        owner="security",
        expires="2027-11-30",
    ),
)
