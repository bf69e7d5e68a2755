"""Peers: other people's tools to measure beside ours, installed by name at a pinned version.

Python peers get a virtual environment, npm peers a folder, both below build/peers (not tracked).
What cannot be had is None, and the figures that need it read "not measured".
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "build" / "peers"
_UV = FOLDER.parent.parent / ".tools" / "bin" / "uv"
_INSTALL_TIMEOUT_S, _STOP_TIMEOUT_S = 600, 20


def python_peer(name: str, *requirements: str) -> Path | None:
    """Return the Python of an environment that holds `requirements` ("locust==2.47.0"), or None."""
    home = FOLDER / name
    python, stamp = home / "bin" / "python", home / "requirements.json"
    if stamp.is_file() and json.loads(stamp.read_text()) == list(requirements):
        return python
    shutil.rmtree(home, ignore_errors=True)
    uv = [str(_UV)] if _UV.is_file() else ["uv"]
    made = _ran([*uv, "venv", "--quiet", str(home)]) and _ran(
        [*uv, "pip", "install", "--quiet", "--python", str(python), *requirements]
    )
    if not made:
        return None
    stamp.write_text(json.dumps(list(requirements)))
    return python


def pins(file: Path) -> tuple[str, ...]:
    """Return the requirements of a file whose every line pins one, what they need included."""
    return tuple(file.read_text(encoding="utf-8").splitlines())


def npm_locked_peer(name: str, folder: Path) -> Path | None:
    """Return a folder with the files of `folder` and, in node_modules, what its package-lock.json says, or None."""
    home, stamp = FOLDER / name, FOLDER / name / "installed.json"
    lock = (folder / "package-lock.json").read_text(encoding="utf-8")
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != lock:
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(folder, home)
        if not _ran(["npm", "ci", "--silent", "--no-audit", "--no-fund", "--prefix", str(home)]):
            return None
        stamp.write_text(lock, encoding="utf-8")
    shutil.copytree(folder, home, dirs_exist_ok=True)
    return home


def npm_peer(name: str, *packages: str) -> Path | None:
    """Return the folder whose node_modules hold `packages` ("autocannon@9.0.0"), or None."""
    home = FOLDER / name
    stamp = home / "packages.json"
    if stamp.is_file() and json.loads(stamp.read_text()) == list(packages):
        return home
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    if not _ran(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(home), *packages]):
        return None
    stamp.write_text(json.dumps(list(packages)))
    return home


def stop_group(process: subprocess.Popen[bytes]) -> None:
    """End a server that leads a process group of its own: in order, else the whole group at once."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def program(name: str) -> str | None:
    """Return a program of this machine (a Debian package of the same name, usually), or None."""
    return shutil.which(name)


def _ran(command: list[str]) -> bool:
    if shutil.which(command[0]) is None:
        return False
    FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        done = subprocess.run(command, timeout=_INSTALL_TIMEOUT_S, capture_output=True, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0
