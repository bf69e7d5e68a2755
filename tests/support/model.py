"""A model that gives the answers it was told to give, behind the address of OpenAI's chat completions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any


@dataclass
class Model:
    """Gives its answers one after another, a text or (status, body), and keeps what it was asked."""

    answers: list[str | tuple[int, str]] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    url: str = ""


@contextmanager
def running_model() -> Iterator[Model]:
    """Serve on a free port of this machine until the block ends."""
    model = Model()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            model.asked.append(json.loads(body))
            model.keys.append(self.headers.get("authorization", ""))
            answer = model.answers.pop(0)
            status, text = answer if isinstance(answer, tuple) else (200, _said(answer))
            self.send_response(status)
            if status == 302:
                self.send_header("location", f"{model.url}/elsewhere")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    model.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield model
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def stub_model(*answers: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield the address of a model that gives these answers, and what it is asked."""
    with running_model() as model:
        model.answers = list(answers)
        yield model.url, model.asked


def _said(content: str) -> str:
    return json.dumps({"choices": [{"message": {"role": "assistant", "content": content}}]})
