"""Documents as YAML, for programs of others: Kubernetes and Compose."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any


def written(documents: Sequence[Mapping[str, Any]]) -> str:
    """Return documents as YAML: every text in quotes, so that none is read as something else."""
    return "---\n".join("\n".join(_block(document, "")) + "\n" for document in documents)


def _block(value: Any, indent: str) -> list[str]:
    lines: list[str] = []
    if isinstance(value, Mapping):
        for key, one in value.items():
            if isinstance(one, (Mapping, list)) and one:
                lines += [f"{indent}{key}:", *_block(one, indent + "  ")]
            else:
                lines.append(f"{indent}{key}: {json.dumps(one)}")
        return lines
    for one in value:
        if isinstance(one, (Mapping, list)) and one:
            first, *rest = _block(one, indent + "  ")
            lines += [f"{indent}- {first.lstrip()}", *rest]
        else:
            lines.append(f"{indent}- {json.dumps(one)}")
    return lines
