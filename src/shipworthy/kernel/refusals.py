"""Every expected refusal that sources can raise: its code, its status, what it says. Read from the sources themselves."""

from __future__ import annotations

import ast
import re
from pathlib import Path

_STATUSES = {
    "Invalid": 422, "NotUnderstood": 400, "SignInNeeded": 401, "Forbidden": 403, "Conflict": 409,
    "TooMany": 429, "Busy": 503, "Upstream": 502,
}  # fmt: skip
# Raised by the edge itself, without a code in the call.
_OF_THE_EDGE = {
    "not_found": (
        404,
        "There is no such thing, for this tenant; another tenant's thing answers the same bytes.",
    ),
    "method_not_allowed": (405, "The address exists; the Allow header says what it takes."),
    "body.too_large": (413, "The body is larger than the route allows."),
    "session.step_up": (403, "Confirm that it is you first, then do this again."),
    "host.unknown": (421, "This server does not serve that host."),
    "edge.not_plain": (
        400,
        "The request is not written plainly, as UTF-8 encoded once; `shipworthy edge explain` says what was wrong.",
    ),
    "edge.head_too_large": (431, "Headers and cookies hold more than the edge reads."),
    "edge.compressed": (415, "A body is taken as it is, not compressed."),
    "internal": (500, "An error of ours; the trace id finds it in the logs."),
}


def refusals_in(*folders: Path) -> dict[str, tuple[int, str]]:
    """Return status and words of each code that the sources below `folders` raise, and of those the edge raises.

    Cost:    parses every file, a second for all of the runtime.
    """
    found = dict(_OF_THE_EDGE)
    for path in sorted(path for folder in folders for path in folder.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        said = _said_before(tree)
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in _STATUSES
                and node.args
            ):
                code = node.args[0]
                if isinstance(code, ast.Constant) and len(node.args) > 1:
                    text = said.get(node.lineno, node.args[1]) if _is_said(node.args[1]) else node.args[1]
                    found.setdefault(str(code.value), (_STATUSES[node.func.id], _text(text)))
    return found


def _said_before(tree: ast.AST) -> dict[int, ast.expr]:
    """Return, by line, what `said` was last made before it: `said = _("…")` and then `raise Invalid(code, said)`."""
    made = [
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and any(_is_said(target) for target in node.targets)
    ]
    last = getattr(tree, "body", [])
    end = last[-1].end_lineno + 1 if last else 1
    return {line: value for at, value in sorted(made, key=lambda pair: pair[0]) for line in range(at, end)}


def _is_said(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "said"


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_":
        return re.sub(r"\{\w+\}", "…", _text(node.args[0]))
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(v.value) if isinstance(v, ast.Constant) else "…" for v in node.values)
    return "…"
