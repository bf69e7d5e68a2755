"""A small HTTP client for an ASGI application in this process: cookies, origin, no redirects."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((v for n, v in self.headers if n == name), None)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Client:
    """One browser-like caller. `host` decides realm and lane."""

    app: Any
    host: str = "localhost"
    address: str = "127.0.0.1"
    cookies: dict[str, str] = field(default_factory=dict)

    async def get(self, path: str, **kwargs: Any) -> Answer:
        return await self.request("GET", path, **kwargs)

    async def post(self, path: str, **kwargs: Any) -> Answer:
        return await self.request("POST", path, **kwargs)

    async def request(
        self,
        method: str,
        path: str,
        *,
        json_body: Any = None,
        form: dict[str, str] | None = None,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        origin: str | None = "same",
    ) -> Answer:
        sent = {"host": self.host, **(headers or {})}
        if json_body is not None:
            body = json.dumps(json_body).encode()
            sent.setdefault("content-type", "application/json")
        elif form is not None:
            body = urlencode(form).encode()
            sent.setdefault("content-type", "application/x-www-form-urlencoded")
        if origin is not None and method not in ("GET", "HEAD"):
            sent.setdefault("origin", f"http://{self.host}" if origin == "same" else origin)
        if self.cookies:
            sent["cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        answer = await self._send(method, path, sent, body or b"")
        self._keep_cookies(answer)
        return answer

    async def _send(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        address, _, query = path.partition("?")  # not urlsplit: "//x" is a path here, not a host
        scope = {
            "type": "http",
            "method": method,
            "path": address,
            "raw_path": address.encode(),
            "query_string": query.encode(),
            "headers": [(n.lower().encode(), v.encode()) for n, v in headers.items()],
            "client": (self.address, 50_000),
            "scheme": "http",
            "http_version": "1.1",
        }
        received = [{"type": "http.request", "body": body, "more_body": False}]
        messages: list[Any] = []

        async def receive() -> Any:
            return received.pop(0) if received else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            messages.append(message)

        await self.app(scope, receive, send)
        start = messages[0]
        content = b"".join(m.get("body", b"") for m in messages[1:])
        return Answer(start["status"], [(n.decode(), v.decode()) for n, v in start["headers"]], content)

    def _keep_cookies(self, answer: Answer) -> None:
        for name, value in answer.headers:
            if name == "set-cookie":
                pair, _, attributes = value.partition(";")
                key, _, text = pair.partition("=")
                if "max-age=0" in attributes.lower():
                    self.cookies.pop(key, None)
                else:
                    self.cookies[key] = text
