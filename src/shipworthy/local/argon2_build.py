"""A faster Argon2 for this host: the same binding, built here for processors with AVX2.

The package's wheels are built for every x86-64 processor; its own optimised code needs a compiler that
may use AVX2 (1.8 times as fast here, 2026-11). Nothing is replaced before the new build has shown
that it makes the same hashes, and makes them faster.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

from shipworthy.local.errors import BuildFailed

PACKAGE = "argon2-cffi-bindings"
GAIN_MIN = 1.1  # less is not worth a build that every update of the package undoes
_TIMEOUT_S = 600
_FLAGS = {"CFLAGS": "-O3 -mavx2", "ARGON2_CFFI_USE_SSE2": "1"}
# Runs in a process of its own, so that the one build or the other is loaded: a known hash, then the time of 15.
_PROBE = """
import json, statistics, sys, time
from argon2.low_level import Type, hash_secret_raw
def made(): return hash_secret_raw(b"password", b"somesalt" * 2, 2, 19456, 1, 32, Type.ID)
times = []
for _ in range(15):
    began = time.thread_time()
    made()
    times.append((time.thread_time() - began) * 1000)
sys.stdout.write(json.dumps({"hash": made().hex(), "ms": statistics.median(times)}))
"""

Run = Callable[[Sequence[str], dict[str, str]], str]


@dataclass(frozen=True, kw_only=True)
class Built:
    """A build that was put in place. Units: CPU milliseconds of a hash at OWASP's minimum."""

    before_ms: float
    after_ms: float


def is_built_here() -> bool:
    """Return whether the installed binding was compiled on a machine, not taken as a public wheel."""
    try:
        facts = distribution(PACKAGE).read_text("WHEEL") or ""
    except PackageNotFoundError:
        return False
    tags = [line for line in facts.splitlines() if line.startswith("Tag:")]
    return bool(tags) and all("-linux_" in tag for tag in tags)


def why_not(cpu_info: Path = Path("/proc/cpuinfo")) -> str:
    """Return why no faster build is possible here, or ""."""
    if platform.machine() not in ("x86_64", "AMD64"):
        return "this processor is no x86-64"
    try:
        if "avx2" not in cpu_info.read_text(encoding="utf-8").split():
            return "this processor has no AVX2"
    except OSError:
        return "this system does not say what its processor can do"
    if not any(shutil.which(name) for name in ("cc", "gcc", "clang")):
        return "there is no C compiler"
    if not installer():
        return "there is neither pip nor uv to build with"
    return ""


def installer() -> list[str]:
    """Return the command that installs packages for this Python, or nothing."""
    if find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "install", "--no-cache-dir"]
    uv = shutil.which("uv")
    return [uv, "pip", "install", "--no-cache", "--python", sys.executable] if uv else []


def build(
    *, install: Sequence[str], run: Run | None = None, say: Callable[[str], None] = lambda _: None
) -> Built:
    """Build, compare, and put the faster one in place.

    Errors:  BuildFailed, saying why; what was installed is still there.
    """
    do = run or _run
    version = distribution(PACKAGE).version
    wanted = ["--no-deps", "--no-binary", PACKAGE, f"{PACKAGE}=={version}"]
    with tempfile.TemporaryDirectory(prefix="shipworthy-argon2-") as folder:
        say("building, about half a minute")
        do([*install, "--target", folder, *wanted], _FLAGS)
        say("comparing")
        before, after = _probed(do, None), _probed(do, folder)
    if before[0] != after[0]:
        raise BuildFailed("The new build makes other hashes than the old one. It was thrown away.")
    if before[1] < GAIN_MIN * after[1]:
        raise BuildFailed(
            f"The new build takes {after[1]:.1f} ms a hash and the old one {before[1]:.1f} ms. It was thrown away."
        )
    say("putting it in place")
    forced = ["--reinstall-package", PACKAGE] if "uv" in Path(install[0]).name else ["--force-reinstall"]
    do([*install, *forced, *wanted], _FLAGS)
    return Built(before_ms=before[1], after_ms=after[1])


def _probed(do: Run, folder: str | None) -> tuple[str, float]:
    said = json.loads(do([sys.executable, "-c", _PROBE], {"PYTHONPATH": folder} if folder else {}))
    return said["hash"], said["ms"]


def _run(command: Sequence[str], environment: dict[str, str]) -> str:
    try:
        done = subprocess.run(
            command,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as failed:
        raise BuildFailed(f"{Path(command[0]).name} did not run to its end: {failed}") from failed
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise BuildFailed(f"{Path(command[0]).name} failed: {last[-1] if last else 'it said nothing'}")
    return done.stdout
