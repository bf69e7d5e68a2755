"""A preview of the target, for a check that wants an instance of its own: brought up, and taken down again.

Our own apps bring it up themselves (`preview up .`), with an end of its own for when we are killed; a
stranger's app is started by its command, as for a run.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from shipworthy.contract.strict import decode
from shipworthy.contract.target import Handle, Target
from shipworthy.gauntlet.adapters.instance import StartFailed
from shipworthy.gauntlet.adapters.start import started

LIFE = "10m"  # longer than any check may take
UP_TIMEOUT_S = 300.0  # with a template to build, on two busy cores
_DOWN_TIMEOUT_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Preview:
    """A running preview. Units: seconds; None where they are not known."""

    handle: Handle
    ready_in_s: float | None = None
    template_built_in_s: float | None = None


@asynccontextmanager
async def previewed(target: Target, scratch: Path) -> AsyncIterator[Preview]:
    """Bring a preview of the target up until the block ends.

    Errors:  StartFailed with the words of what brings it up.
    """
    if target.kind != "shipworthy":
        async with started(target, scratch) as instance:
            yield Preview(handle=instance.handle, ready_in_s=instance.handle.started_in_s)
        return
    name = f"gauntlet-{secrets.token_hex(3)}"
    facts = json.loads(
        await _said(target, ("up", ".", "--name", name, "--ttl", LIFE, "--json"), UP_TIMEOUT_S)
    )
    try:
        yield _preview(facts)
    finally:
        with contextlib.suppress(StartFailed):  # its time ends in any case
            await asyncio.shield(_said(target, ("down", name), _DOWN_TIMEOUT_S))


def _preview(facts: dict[str, Any]) -> Preview:
    text = Path(facts["handle"]).read_text(encoding="utf-8")
    handle = decode(Handle, json.loads(text), source="the preview's handle", text=text)
    return Preview(
        handle=replace(handle, base_url=facts["url"]),
        ready_in_s=facts["ready_in_s"],
        template_built_in_s=facts["template_built_in_s"],
    )


async def _said(target: Target, arguments: Sequence[str], timeout_s: float) -> str:
    assert target.start is not None
    process = await asyncio.create_subprocess_exec(
        *target.start,
        "preview",
        *arguments,
        cwd=target.workdir,
        env={**os.environ, **target.env},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), timeout_s)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise StartFailed(f"No preview within {timeout_s:g} s.") from None
    except BaseException:
        process.terminate()  # it takes the wish back
        await process.wait()
        raise
    if process.returncode != 0:
        lines = err.decode("utf-8", "replace").strip()
        raise StartFailed(lines.rpartition("Error: ")[2] or f"exit status {process.returncode}")
    return out.decode("utf-8", "replace")
