"""How many examples a property test tries: few in `make test`, more of the same in `make proof NAME=invoicing`."""

from __future__ import annotations

import os
from typing import Any

TIMES = int(os.environ.get("SHIPWORTHY_DEEPER", "1"))


def lean(examples: int) -> dict[str, Any]:
    """Return the settings of a property that talks to a real app: so many examples, the same ones every time."""
    from hypothesis import HealthCheck, Phase

    return {
        "max_examples": examples * TIMES,
        "deadline": None,
        "derandomize": TIMES == 1,
        "database": None,
        "phases": [Phase.explicit, Phase.generate],  # a failure names its example, and each try costs a while
        "suppress_health_check": list(HealthCheck),
    }
