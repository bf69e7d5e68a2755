"""`make demo`: scaffold an app with all rooms, run the gauntlet on it, keep the report, remove the rest."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHIPWORTHY = [sys.executable, "-m", "shipworthy"]


def main() -> int:
    """Exit with the gauntlet's own documented exit code."""
    workshop = Path(tempfile.mkdtemp(prefix="shipworthy-demo-"))
    if os.geteuid() == 0:
        workshop.chmod(0o711)  # the database runs as another user and must pass through
    app = workshop / "acme-plumbing"
    try:
        subprocess.run(
            [*SHIPWORTHY, "new", str(app), "--rooms", "invoicing,site", "--name", "Acme Plumbing"], check=True
        )
        gauntlet = subprocess.Popen(
            [*SHIPWORTHY, "gauntlet", "--quick", "--report", str(ROOT / "report")], cwd=app
        )
        try:
            return gauntlet.wait()
        except KeyboardInterrupt:  # the same Ctrl-C reached the gauntlet: it heals and stops by itself
            return gauntlet.wait()
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
