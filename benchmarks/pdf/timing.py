"""How a printer is timed, in a process of its own: one cold page, then warm ones. Standard library only: peers run it."""

from __future__ import annotations

import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def timed(render: Callable[[dict[str, Any]], bytes]) -> None:
    """Print what it took as JSON.

    Units:   milliseconds of wall time since the process was asked for ($BEGAN, Unix time; cold) and of CPU a page
             (warm median); megabytes.
    """
    cold, *others = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    first = render(cold)
    cold_ms = (time.time() - float(os.environ["BEGAN"])) * 1000
    assert first.startswith(b"%PDF"), "no PDF came out"
    if len(sys.argv) > 2:
        Path(sys.argv[2]).write_bytes(first)
    warm = []
    for invoice in others:
        start = time.process_time()
        render(invoice)
        warm.append((time.process_time() - start) * 1000)
    rss_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    said = {"cold_ms": cold_ms, "warm_ms": statistics.median(warm), "rss_mb": rss_mb, "bytes": len(first)}
    sys.stdout.write(json.dumps(said) + "\n")
