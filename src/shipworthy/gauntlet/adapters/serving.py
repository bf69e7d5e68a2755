"""Serves one imported app on 127.0.0.1: `python serving.py asgi|wsgi MODULE:NAME PORT`, in the app's folder.

Run by the app's own interpreter, which has none of our packages: the standard library only. A WSGI app is served
by the standard library's own server, many requests at once; an ASGI app needs a server of its environment.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import socketserver
import sys
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

# Each with the words that come before the app and after it; the first that is installed serves.
_ASGI_SERVERS = (
    ("uvicorn", ["--host", "127.0.0.1", "--port", "{port}", "--log-level", "info"]),
    ("hypercorn", ["--bind", "127.0.0.1:{port}"]),
    ("granian", ["--interface", "asgi", "--host", "127.0.0.1", "--port", "{port}"]),
    ("daphne", ["-b", "127.0.0.1", "-p", "{port}"]),
)


def main() -> None:
    kind, name, port = sys.argv[1:]
    # The script's own folder must not shadow the app's modules; its working directory holds them.
    sys.path[0] = os.getcwd()
    serve_wsgi(loaded(name), int(port)) if kind == "wsgi" else serve_asgi(name, port)


def loaded(name: str) -> Any:
    """Return the app that MODULE:NAME stands for; with () behind it, what the function returns."""
    module, _, path = name.partition(":")
    is_factory = path.endswith("()")
    try:
        found: Any = importlib.import_module(module)
    except ModuleNotFoundError as missing:
        if missing.name is None or not f"{module}.".startswith(f"{missing.name}."):
            raise
        sys.exit(f"there is no module {module!r} in {os.getcwd()}, nor in the packages of {sys.executable}")
    for part in path.removesuffix("()").split("."):
        if not hasattr(found, part):
            sys.exit(f"{module} has no {part!r}; name the app as MODULE:NAME, as in main:app")
        found = getattr(found, part)
    return found() if is_factory else found


def serve_asgi(name: str, port: str) -> None:
    """Become the first ASGI server that the app's environment has."""
    for server, words in _ASGI_SERVERS:
        if importlib.util.find_spec(server) is not None:
            target, factory = name.removesuffix("()"), ["--factory"] if name.endswith("()") else []
            arguments = [word.replace("{port}", port) for word in words]
            os.environ["PYTHONPATH"] = os.pathsep.join(
                filter(None, (os.getcwd(), os.environ.get("PYTHONPATH")))
            )
            # The server takes this process's place: whoever stops it stops the server.
            os.execv(sys.executable, [sys.executable, "-m", server, *arguments, *factory, target])  # noqa: S606
    names = ", ".join(server for server, _ in _ASGI_SERVERS)
    sys.exit(f"{sys.executable} has no ASGI server ({names}): install one there, or set target.start")


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 128


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.0"

    def address_string(self) -> str:
        return str(self.client_address[0])  # without asking a resolver for a name


def serve_wsgi(app: Any, port: int) -> None:
    server = _Server(("127.0.0.1", port), _Handler)
    server.set_app(app)
    server.serve_forever()


if __name__ == "__main__":
    main()
