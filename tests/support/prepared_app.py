"""A stand-in for the command `shipworthy`: the same command, run on a prepared copy of an installation.

    python prepared_app.py FACTS.json up --state DIR …

FACTS.json names `env`, which is set, and `state`, whose content is put into DIR before the command
begins: secrets and files belong to the database they were made with. The process becomes the real
command, so it is what its starter watches and ends.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path


def main() -> None:
    facts = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    arguments = sys.argv[2:]
    if "--state" in arguments:
        state = Path(arguments[arguments.index("--state") + 1])
        shutil.copytree(facts["state"], state, ignore=shutil.ignore_patterns("logs", "lock", "mail"))
    os.environ.update(facts["env"])
    os.execv(sys.executable, [sys.executable, "-m", "shipworthy", *arguments])


if __name__ == "__main__":
    main()
