"""The tutorial's commands, run as they are written, in an empty folder."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from shipworthy.local.ports import free_port
from tests.support.postgres import open_directory

ROOT = Path(__file__).parents[2]
TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
COMMANDS = "".join(re.findall(r"^```sh\n(.*?)^```$", TUTORIAL, re.MULTILINE | re.DOTALL)).splitlines()
TIMEOUT_S = 1_200


def test_every_command_does_what_the_tutorial_says() -> None:
    with open_directory() as folder_of_all:
        folder = folder_of_all
        for command in COMMANDS:
            if command.startswith("cd "):
                folder /= command.removeprefix("cd ")
            elif command == "shipworthy up":
                comes_up_and_goes(folder)
            else:
                done = run(command, folder)
                assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}{done.stderr[-1000:]}"
        assert "shipworthy up" in COMMANDS
        assert (folder / "report" / "report.html").is_file()
        assert (folder / "rooms" / "bookings" / "room.py").is_file()


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def comes_up_and_goes(folder: Path) -> None:
    """Start it as a person does, read where everything is, and press Ctrl-C."""
    settings = folder / "app.toml"
    port = free_port()  # 8000 may be somebody else's here
    settings.write_text(settings.read_text().replace("port = 8000", f"port = {port}"))
    up = subprocess.Popen(
        ["shipworthy", "up"], cwd=folder, env=environment(), stdout=subprocess.PIPE, text=True
    )
    assert up.stdout is not None
    said = ""
    while "Ctrl-C stops it" not in said:
        line = up.stdout.readline()
        assert line, f"it ended: {said}"
        said += line
    for told in (f"http://localhost:{port}", f"http://acme.localhost:{port}", "owner@acme.example"):
        assert told in said
    up.send_signal(signal.SIGINT)
    assert up.wait(timeout=60) == 0


def environment() -> dict[str, str]:
    """Return an environment in which `shipworthy` and `python` are this checkout's."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("SHIPWORTHY_")}
    return {**own, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
