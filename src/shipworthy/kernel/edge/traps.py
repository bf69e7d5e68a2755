"""Traps: addresses that nobody asks for who means well. Falling into one costs nobody their access: it makes them suspect.

Two kinds: files that our apps never have and that programs try everywhere, and one address that robots.txt asks everybody
to leave alone, which only those visit who read it to find out what to look at.
"""

from __future__ import annotations

import re

TRAP_PATH = "/-/private/"
_FILES = re.compile(
    r"/(?:\.env(?:\.\w{1,20})?|\.git/(?:config|head|index)|\.aws/credentials|\.ssh/.{1,30}|\.svn/entries|wp-config\.php.{0,8}"
    r"|phpmyadmin/.{0,40}|server-status|actuator/.{1,30}|_ignition/.{1,30}|vendor/phpunit/.{1,80}|cgi-bin/.{1,80}"
    r"|solr/admin.{0,40}|\.ds_store|id_rsa|backup\.(?:zip|sql|tar\.gz)|dump\.sql|web\.config|boaform/.{1,40})",
    re.IGNORECASE,
)


def is_trap(path: str) -> bool:
    """Say whether a path is one. Cost: 0.3 us."""
    return path.startswith(TRAP_PATH) or _FILES.fullmatch(path) is not None
