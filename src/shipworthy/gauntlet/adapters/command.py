"""A stranger's app, started by its own command on a free port of this machine."""

from __future__ import annotations

import random
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from shipworthy.contract.target import Handle, Process, Target
from shipworthy.gauntlet.adapters.instance import Program, StartedInstance, StartFailed, start_program
from shipworthy.gauntlet.http import HttpSession, Unanswered

HEALTH_TIMEOUT_S = 2.0


@asynccontextmanager
async def started_by_command(target: Target, scratch: Path) -> AsyncIterator[StartedInstance]:
    """Run the target's command until the block ends.

    {port}, {dir} (a directory of its own) and {python} (the one that runs us) are filled in.

    Ready is when the health path answers anything but a server error.
    Errors:  StartFailed with the command's last words.
    """
    assert target.start is not None
    port = free_port()
    known = {"{port}": str(port), "{dir}": str(scratch), "{python}": sys.executable}
    command = [_filled(word, known) for word in target.start]
    env = {name: _filled(value, known) for name, value in target.env.items()}
    program = await start_program(command, cwd=target.workdir, env=env, log=scratch / "app.log")
    try:
        base_url = f"http://127.0.0.1:{port}"
        started_in_s = await _until_healthy(program, base_url, target)
        handle = Handle(
            base_url=base_url,
            pid=program.pid,
            processes=(Process(name="web", pid=program.pid),),
            database_urls=target.database_urls,
            tenants=target.credentials,
            started_in_s=round(started_in_s, 3),
            log_files=(str(program.log),),
        )
        yield StartedInstance(handle, program)
    finally:
        await program.stop()


def _filled(word: str, known: Mapping[str, str]) -> str:
    for placeholder, value in known.items():
        word = word.replace(placeholder, value)
    return word


async def _until_healthy(program: Program, base_url: str, target: Target) -> float:
    session = HttpSession(base_url)

    async def is_healthy() -> bool:
        try:
            answer = await session.get(target.health, timeout_s=HEALTH_TIMEOUT_S)
        except Unanswered:
            return False
        return answer.status < 500

    try:
        return await program.wait_for(
            f"An answer to GET {target.health}", is_healthy, timeout_s=target.start_timeout_s
        )
    finally:
        await session.close()


def free_port() -> int:
    """Return a loopback port that nobody listens on just now, nor an outgoing connection is given.

    Linux gives those from 32,768 on; one of them could be taken before the program listens.
    """
    for port in random.SystemRandom().sample(range(10_000, 32_768), 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise StartFailed("None of 100 ports tried between 10,000 and 32,768 of this machine is free.")
