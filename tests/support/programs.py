"""Small programs that a test lets the examiner start: a stranger's server, and a stand-in for `shipworthy`."""

from __future__ import annotations

import sys
from pathlib import Path

# A server of the standard library: any framework, in any language, looks like this from outside.
SERVER = """
import http.server, os, sys, time
from pathlib import Path
port, folder = int(sys.argv[1]), Path(sys.argv[2])
(folder / "pid").write_text(str(os.getpid()))
if "--child" in sys.argv:
    import subprocess
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(600)"
    child = subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE)
    child.stdout.readline()
    (folder / "child").write_text(str(child.pid))
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/die":
            print("dying as asked", flush=True)
            os._exit(3)
        self.send_response(500 if "--sick" in sys.argv else 200)
        self.end_headers()
        self.wfile.write(b"hello")
print("listening", flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""

# What our own command promises: describe prints a manifest, up serves and writes a handle.
STAND_IN = """
import http.server, json, os, signal, sys, threading
from pathlib import Path
if sys.argv[1] == "describe":
    if Path("broken").exists():
        sys.exit("app.toml:3: unknown key 'nam'; did you mean 'name'?")
    print(Path("manifest.json").read_text())
    sys.exit()
arguments = dict(zip(sys.argv[2::2], sys.argv[3::2]))
assert arguments["--seed"] == "volume" and arguments["--port"] == "0" and arguments["--state"]
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
def write(worker):
    draft = Path(arguments["--handle"] + ".new")
    draft.write_text(json.dumps({"base_url": f"http://127.0.0.1:{server.server_port}", "pid": os.getpid(),
      "processes": [{"name": "worker", "pid": worker}], "started_in_s": 0.1}))
    draft.replace(arguments["--handle"])
write(11)
signal.signal(signal.SIGUSR1, lambda *_: write(12))
def stop(*_):
    Path("stopped-cleanly").write_text("yes")
    os._exit(0)
signal.signal(signal.SIGTERM, stop)
while True:
    signal.pause()
"""


def server_command(folder: Path, *flags: str) -> tuple[str, ...]:
    """Write the server into `folder`; return the command that starts it, with {port} and {dir} open."""
    program = folder / "server.py"
    program.write_text(SERVER)
    return (sys.executable, str(program), "{port}", str(folder), *flags)


def stand_in_command(folder: Path) -> tuple[str, ...]:
    """Write the stand-in into `folder`; return its command."""
    program = folder / "stand_in.py"
    program.write_text(STAND_IN)
    return (sys.executable, str(program))
