"""Make the filter of passwords that are tried first: `python tools/breached.py DJANGO_LIST ZXCVBN_FOLDER`.

DJANGO_LIST is django/contrib/auth/common-passwords.txt.gz of Django 5.2 (BSD-3-Clause; the 20,000 most
common of Royce Williams's list), ZXCVBN_FOLDER the package zxcvbn 4.5 (MIT; 30,000 from leaked lists).
"""

from __future__ import annotations

import gzip
import importlib.util
import sys
from pathlib import Path

from shipworthy.rooms.auth.breached import FILE, filter_of

SOURCE = "Django 5.2 common-passwords (BSD-3-Clause) and zxcvbn 4.5 passwords (MIT), lower case"


def main(django_list: str, zxcvbn_folder: str) -> None:
    common = gzip.decompress(Path(django_list).read_bytes()).decode().split("\n")
    spec = importlib.util.spec_from_file_location("lists", Path(zxcvbn_folder) / "frequency_lists.py")
    assert spec is not None
    assert spec.loader is not None
    lists = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(lists)
    passwords = {word.strip().lower() for word in (*common, *lists.FREQUENCY_LISTS["passwords"])} - {""}
    FILE.write_bytes(filter_of(sorted(passwords), source=SOURCE))
    sys.stdout.write(f"{len(passwords)} passwords, {FILE.stat().st_size} bytes\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
