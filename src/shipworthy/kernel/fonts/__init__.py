"""The fonts we print and draw with: Inter (OFL.txt), for Latin, Greek and Cyrillic."""

from __future__ import annotations

from pathlib import Path

FONTS = Path(__file__).parent
