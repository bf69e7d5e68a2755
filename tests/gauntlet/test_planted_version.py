"""A planted version is bad in its own way, well where it must be, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shipworthy.gauntlet.adapters.command import free_port
from shipworthy.gauntlet.http import HttpSession, Unanswered
from shipworthy.gauntlet.planted_version import LAST_WORDS, Defect, written
from shipworthy.gauntlet.processid import living_in_group

# Stands for `python -m shipworthy`: it serves, and says whatever else it is asked.
_PYTHON = """#!{python}
import http.server, sys
if "serve" not in sys.argv:
    print("asked", *sys.argv[1:])
    sys.exit(7)
class App(http.server.BaseHTTPRequestHandler):
    def answer(self):
        length = int(self.headers.get("content-length") or 0)
        said = self.rfile.read(length) or self.path.encode()
        self.send_response(200)
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)
    do_GET = do_POST = answer
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[-1])), App).serve_forever()
"""


@contextmanager
def planted(
    folder: Path, defect: Defect, *, delay_ms: float = 0.0
) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    port = free_port()
    process = subprocess.Popen(
        [program(folder, defect, delay_ms=delay_ms), "-m", "shipworthy", "serve", "--port", str(port)],
        stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        yield port, process
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert not living_in_group(process.pid)


def program(folder: Path, defect: Defect, *, delay_ms: float = 0.0) -> Path:
    python = folder / "it's python"
    python.write_text(_PYTHON.format(python=sys.executable))
    python.chmod(0o755)
    return written(folder, defect, python=str(python), delay_ms=delay_ms)


async def up(port: int) -> HttpSession:
    session = HttpSession(f"http://127.0.0.1:{port}")
    for _ in range(600):
        try:
            if (await session.get("/-/healthz")).status == 200:
                return session
        except Unanswered:
            await asyncio.sleep(0.05)
    raise AssertionError("it did not come up")


async def test_every_third_answer_fails_and_its_health_never_does(tmp_path: Path) -> None:
    with planted(tmp_path, "errors") as (port, _):
        session = await up(port)
        assert [(await session.get("/page")).status for _ in range(6)] == [200, 200, 500, 200, 200, 500]
        assert {(await session.get("/-/healthz")).status for _ in range(4)} == {200}
        answers = [await session.post("/form", form={"a": "b" * 5_000}) for _ in range(3)]
        assert [answer.status for answer in answers] == [200, 200, 500]
        assert answers[0].text == "a=" + "b" * 5_000
        await session.close()


async def test_every_answer_is_late(tmp_path: Path) -> None:
    with planted(tmp_path, "slow", delay_ms=300) as (port, _):
        session = await up(port)
        began_s = time.monotonic()
        assert (await session.get("/page")).text == "/page"
        assert time.monotonic() - began_s >= 0.3
        await session.close()


def test_it_never_comes_up_and_what_does_not_serve_is_not_spoilt(tmp_path: Path) -> None:
    with planted(tmp_path, "dies") as (_, process):
        _, said = process.communicate(timeout=60)
        assert (process.returncode, LAST_WORDS in said) == (3, True)
    done = subprocess.run(
        [program(tmp_path, "dies"), "-m", "shipworthy", "migrate", "a b"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (7, "asked -m shipworthy migrate a b\n")
