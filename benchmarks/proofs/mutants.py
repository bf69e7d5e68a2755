"""All mutants, those that need load and drills among them: what `make bench NAME=mutants` shows of the others."""

from __future__ import annotations

import sys

from tests.support.mutants import load_mutants

from benchmarks.mutants import show

if __name__ == "__main__":
    sys.exit(show(load_mutants()))
