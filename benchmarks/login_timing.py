"""`make bench NAME=login-timing`: does the time of a refusal tell whether an address has an account?

200 pairs: a wrong password of somebody, and of nobody, in changing order, each from a network of its own
(127.0.n.1), so that no throttle answers. The claim is the difference of the medians.
"""

from __future__ import annotations

import asyncio
import http.client
import random
import statistics
import sys
import time
from urllib.parse import urlencode, urlsplit

from benchmarks.app import running_app
from benchmarks.auth_overload import ACCOUNTS, add_accounts, email_of
from benchmarks.report import Report, publish

PAIRS = 200
_BOUNDS = {"median_difference_ms": "5 owed"}


def main() -> None:
    """Measure and publish."""
    assert PAIRS <= ACCOUNTS
    somebody_s, nobody_s, rng = [], [], random.Random(5)
    with running_app(rooms="site", seed="demo") as app:
        asyncio.run(add_accounts(app))
        port = urlsplit(app.handle.base_url).port or 80
        for nth in range(PAIRS):
            pair = [(somebody_s, email_of(nth)), (nobody_s, f"nobody{nth}@overload.example")]
            rng.shuffle(pair)
            for times, email in pair:
                times.append(_refused_s(port, email, network=f"127.0.{nth + 1}.1"))
    medians = [statistics.median(times) * 1000 for times in (somebody_s, nobody_s)]
    figures = {
        "pairs": PAIRS,
        "somebody_p50_ms": round(medians[0], 2),
        "nobody_p50_ms": round(medians[1], 2),
        "median_difference_ms": round(abs(medians[0] - medians[1]), 2),
    }
    publish(Report(name="login-timing", figures=figures), bounds=_BOUNDS)


def _refused_s(port: int, email: str, *, network: str) -> float:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30, source_address=(network, 0))
    body = urlencode({"email": email, "password": "a wrong password of the benchmark"})
    headers = {"content-type": "application/x-www-form-urlencoded", "origin": f"http://127.0.0.1:{port}"}
    connection.connect()
    began = time.perf_counter()
    connection.request("POST", "/login", body=body, headers=headers)
    answer = connection.getresponse()
    answer.read()
    took_s = time.perf_counter() - began
    connection.close()
    if answer.status != 401:
        raise RuntimeError(f"a wrong password was answered {answer.status}")
    return took_s


if __name__ == "__main__":
    sys.exit(main())
