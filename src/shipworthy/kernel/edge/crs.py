"""OWASP's Core Rule Set through ModSecurity's engine, where both are found: the second net, for those who want it.

The rules and the engine are others' work, kept up by people who do nothing else; they cost a millisecond, so they are asked
only about what changes something or carries a query, never about kept pages. What opens something (passwords, codes, tokens)
is taken out before they see a request. What they find is noted or refused by the same switch as our own rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from shipworthy.kernel.edge.attacks import Finding

DEBIAN_DIR = Path("/usr/share/modsecurity-crs")  # package modsecurity-crs
_ENGINE = """
SecRuleEngine On
SecRequestBodyAccess On
SecResponseBodyAccess Off
SecAuditEngine Off
SecRequestBodyLimit 2097152
SecRequestBodyNoFilesLimit 1048576
SecPcreMatchLimit 100000
SecPcreMatchLimitRecursion 100000
SecRule REQUEST_HEADERS:Content-Type "^application/json" "id:1100,phase:1,pass,nolog,t:lowercase,ctl:requestBodyProcessor=JSON"
"""
# The rules that add up and decide: which one was hit stands before them.
_DECIDES = (901_000, 949_000, 959_000, 980_000)


@dataclass(frozen=True)
class CrsMissing:
    """Why the rule set is not in use, in one sentence for operators."""

    why: str


class Crs:
    """The engine with the rules of one folder."""

    def __init__(self, engine: Any, rules: Any, *, files: int) -> None:
        self._engine, self._rules, self.files = engine, rules, files

    def attack_in(
        self,
        *,
        method: str,
        target: str,
        headers: Mapping[str, str],
        fields: Iterable[tuple[str, str]],
        client: str,
    ) -> Finding | None:
        """Return what the rules say of a request whose secrets are taken out. Cost: about 1 ms."""
        body = urlencode(list(fields)).encode()
        with self._engine.transaction(self._rules) as asked:
            asked.process_connection(client or "127.0.0.1", 0, "127.0.0.1", 80)
            asked.process_uri(target, method, "1.1")
            for name, value in headers.items():
                if name not in _LEFT_OUT:
                    asked.add_request_header(name, value)
            if body:
                asked.add_request_header("content-type", "application/x-www-form-urlencoded")
                asked.add_request_header("content-length", str(len(body)))
            asked.process_request_headers()
            if body:
                asked.append_request_body(body)
            asked.process_request_body()
            if asked.intervention() is None:
                return None
            return _finding(asked.get_rule_messages())


# What opens something, and what describes a body that is not the one the engine sees.
_LEFT_OUT = frozenset({"cookie", "authorization", "content-type", "content-length", "content-encoding"})


def open_crs(folder: str) -> Crs | CrsMissing:
    """Return the rule set of `folder`, or of the distribution's package; or why there is none."""
    home = Path(folder) if folder else DEBIAN_DIR
    files = sorted((home / "rules").glob("*.conf")) if home.is_dir() else []
    if not files:
        said = f"{home} holds no rules/*.conf"
        hint = (
            "install the package modsecurity-crs, or set edge.crs_dir" if not folder else "see edge.crs_dir"
        )
        return CrsMissing(f"{said}; {hint}")
    try:
        from libmodsecurity import ModSecurity, RulesSet
    except ImportError:
        return CrsMissing("the engine is not installed; add the extra: shipworthy[crs]")
    setup = next((p for p in (home / "crs-setup.conf", home / "crs-setup.conf.example", Path("/etc/modsecurity/crs/crs-setup.conf")) if p.is_file()), None)  # fmt: skip
    if setup is None:
        return CrsMissing(f"{home} holds no crs-setup.conf")
    rules = RulesSet()
    loaded = [rules.load(_ENGINE), *(rules.load_from_uri(str(path)) for path in (setup, *files))]
    if min(loaded) < 0:
        return CrsMissing(f"the rules of {home} are not understood: {rules.get_parser_error()[:300]}")
    engine = ModSecurity()
    engine.set_connector_information("shipworthy")
    engine.set_log_callback(_said_by_events)  # without one it writes what people sent to standard error
    return Crs(engine, rules, files=len(files))


def _said_by_events(_line: str) -> None:
    """What was found is told as an event, scrubbed like every other."""


def _finding(messages: Iterable[Any]) -> Finding:
    """Return the gravest of the rules that were hit (0 is the gravest)."""
    hit = [one for one in messages if not any(first <= one.rule_id < first + 1_000 for first in _DECIDES)]
    if not hit:
        return Finding("crs.score", 5, "many small things of the Core Rule Set", "")
    worst = min(hit, key=lambda one: one.severity)
    return Finding(f"crs.{worst.rule_id}", 5, worst.message, worst.match[:60])
