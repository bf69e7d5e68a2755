"""The shop's handlers and its worker, with the defects they can be given. See shop.py.

A process of its own is `python -m tests.support.shop_app web|worker URL PORT DEFECT…`.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import random
import sys
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import asyncpg
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route as Path

from shipworthy.contract.target import Credential
from tests.support.engines import ENGINES

ANN = Credential(
    email="ann@acme.test", password="pw-a", tenant_id=str(uuid.UUID(int=0xA)), realm_id=str(uuid.UUID(int=7))
)
GUS = Credential(
    email="gus@globex.test",
    password="pw-g",
    tenant_id=str(uuid.UUID(int=0xB)),
    realm_id=str(uuid.UUID(int=7)),
)
TRIES_MAX = 5


class ShopApp:
    """The shop's handlers. Defects are named where they are done."""

    def __init__(self, pool: Any, defects: set[str]) -> None:
        self.pool, self.defects = pool, defects
        self._tries: Counter[str] = Counter()
        self._looking: Counter[str] = Counter()

    def asgi(self) -> Starlette:
        return Starlette(
            routes=[
                Path("/health", self.health),
                Path("/login", self.login, methods=["POST"]),
                Path("/forgot", self.forgot, methods=["POST"]),
                Path("/orders", self.order, methods=["POST"]),
                Path("/orders/{order_id}/bill", self.bill, methods=["POST"]),
                Path("/invoices", self.invoice, methods=["POST"]),
                Path("/", self.start),
                Path("/desk", self.desk),
                Path("/{name:path}", self.asset),
            ]
        )

    async def health(self, _request: Request) -> Response:
        return Response("ok")

    # Signing in

    async def login(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        email, password = form.get("email", ""), form.get("password", "")
        person = next((p for p in (ANN, GUS) if p.email == email), None)
        is_right = person is not None and person.password == password
        if await self._is_turned_away(email, is_right):
            locked = "locks_in_silence" in self.defects
            return (
                _wrong() if locked else JSONResponse({"detail": "later"}, 429, headers={"retry-after": "60"})
            )
        if "tells_who_lives_here" in self.defects and person is None:
            return JSONResponse({"detail": "no such account"}, 404)
        if not is_right:
            return _wrong()
        answer = Response(status_code=204)
        answer.set_cookie("sid", email)
        return answer

    async def forgot(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        if "tells_who_may_reset" in self.defects and form["email"] not in (ANN.email, GUS.email):
            return JSONResponse({"detail": "no such account"}, 404)
        return JSONResponse({"detail": f"If {form['email']} is known, a mail is on its way."}, 202)

    async def _is_turned_away(self, email: str, is_right: bool) -> bool:
        if "never_throttles" in self.defects or ("throttles_wrong_ones_only" in self.defects and is_right):
            return False
        seen = self._tries[email]
        if "counts_late" in self.defects:
            await asyncio.sleep(0.05)  # reads, looks away, then writes what it read
            self._tries[email] = seen + (not is_right)
        else:
            self._tries[email] += not is_right
        return seen >= TRIES_MAX

    # Taking an order once

    async def order(self, request: Request) -> Response:
        person = _person(request)
        if person is None:
            return Response(status_code=401)
        raw = await request.body()
        if not isinstance(json.loads(raw).get("note"), str):
            return JSONResponse({"detail": "a note is text"}, 422)
        if request.headers.get("if-match", "*") != "*":
            return Response(status_code=412)  # an order that is not there yet has no version
        how = next((name for name in _ORDERS if name in self.defects), "")
        tenant_id, key = uuid.UUID(person.tenant_id), request.headers.get("idempotency-key", "")
        return await _ORDERS.get(how, ShopApp._order_once)(self, tenant_id, key, raw)

    async def _order_once(self, tenant_id: uuid.UUID, key: str, raw: bytes) -> Response:
        """Key, effect and answer in one transaction; who comes second waits for the first."""
        digest = hashlib.sha256(raw).hexdigest()
        async with self.pool.acquire() as connection, connection.transaction():
            claimed = await connection.fetchval(_CLAIM, tenant_id, key, digest)
            if claimed is None:
                return await self._replayed(connection, tenant_id, key, digest)
            answer = await self._placed(connection, tenant_id, raw)
            await connection.execute(_KEEP, tenant_id, key, 201, answer)
        return Response(answer, 201, media_type="application/json")

    async def _replayed(self, connection: Any, tenant_id: uuid.UUID, key: str, digest: str) -> Response:
        first = await connection.fetchrow(_KNOWN, tenant_id, key)
        if first["digest"] != digest and "takes_any_body" not in self.defects:
            return JSONResponse({"detail": "this key was used"}, 409)
        if first["status"] is None:
            return JSONResponse({"detail": "still at it"}, 409)
        if "forgets_the_answer" in self.defects:
            return JSONResponse({"detail": "done before"}, 201)
        return Response(first["body"], first["status"], media_type="application/json")

    async def _order_twice(self, tenant_id: uuid.UUID, _key: str, raw: bytes) -> Response:
        """No key at all."""
        async with self.pool.acquire() as connection:
            answer = await self._placed(connection, tenant_id, raw)
        return Response(answer, 201, media_type="application/json")

    async def _look_first(self, tenant_id: uuid.UUID, key: str, raw: bytes) -> Response:
        """Looks the key up, then takes it: those who come at once all find it free."""
        known = await self.pool.fetchrow(_KNOWN, tenant_id, key)
        if known is not None:
            return Response(known["body"], known["status"], media_type="application/json")
        self._looking[key] += 1
        for _ in range(20):  # let the others look as well: this race must not depend on luck
            await asyncio.sleep(0.005)
        async with self.pool.acquire() as connection, connection.transaction():
            answer = await self._placed(connection, tenant_id, raw)
            await connection.execute(_CLAIM, tenant_id, key, "")
            await connection.execute(_KEEP, tenant_id, key, 201, answer)
        return Response(answer, 201, media_type="application/json")

    async def _effect_then_key(self, tenant_id: uuid.UUID, key: str, raw: bytes) -> Response:
        """Two transactions: a crash between them leaves an effect that no key knows."""
        known = await self.pool.fetchrow(_KNOWN, tenant_id, key)
        if known is not None:
            return Response(known["body"], known["status"], media_type="application/json")
        async with self.pool.acquire() as connection:
            answer = await self._placed(connection, tenant_id, raw)
            await connection.execute(_CLAIM, tenant_id, key, "")
            await connection.execute(_KEEP, tenant_id, key, 201, answer)
        return Response(answer, 201, media_type="application/json")

    async def _key_then_effect(self, tenant_id: uuid.UUID, key: str, raw: bytes) -> Response:
        """Two transactions: a crash between them leaves a key that stands for nothing."""
        async with self.pool.acquire() as connection:
            if await connection.fetchval(_CLAIM, tenant_id, key, hashlib.sha256(raw).hexdigest()) is None:
                return await self._replayed(connection, tenant_id, key, hashlib.sha256(raw).hexdigest())
            answer = await self._placed(connection, tenant_id, raw)
            await connection.execute(_KEEP, tenant_id, key, 201, answer)
        return Response(answer, 201, media_type="application/json")

    async def _placed(self, connection: Any, tenant_id: uuid.UUID, raw: bytes) -> str:
        order_id, note = uuid.uuid4(), json.loads(raw)["note"]
        await connection.execute("insert into orders values ($1, $2, $3)", tenant_id, order_id, note)
        return json.dumps({"note": note} if "names_nothing" in self.defects else {"order_id": str(order_id)})

    # Billing it by a job

    async def bill(self, request: Request) -> Response:
        person = _person(request)
        if person is None:
            return Response(status_code=401)
        if "refuses_bills" in self.defects:
            return JSONResponse({"detail": "busy"}, 503)
        order_id = uuid.UUID(request.path_params["order_id"])
        sql = "insert into job (tenant_id, order_id) values ($1, $2)"
        await self.pool.execute(sql, uuid.UUID(person.tenant_id), order_id)
        return JSONResponse({})

    # Adding up an invoice

    async def invoice(self, request: Request) -> Response:
        body = await request.json()
        engine = next((name for name in ENGINES if name in self.defects), "exact")
        net, tax = ENGINES[engine]([(line["amount"], line["price"], line["rate"]) for line in body["lines"]])
        if "refuses_fine_prices" in self.defects and any(len(line["price"]) > 4 for line in body["lines"]):
            return JSONResponse({"detail": "two decimals at most"}, 422)
        sums = {"net": net, "tax": tax, "gross": net + tax}
        return JSONResponse({"sums": {} if "says_no_sums" in self.defects else sums}, 201)

    # Pages

    async def start(self, request: Request) -> Response:
        return RedirectResponse("/desk", 303) if _person(request) else HTMLResponse("<p>sign in</p>")

    async def desk(self, _request: Request) -> Response:
        elsewhere = (
            '<script src="https://cdn.example/x.js"></script>' if "loads_elsewhere" in self.defects else ""
        )
        return HTMLResponse(
            '<link rel="stylesheet" href="/a.css"><link rel="icon" href="/i.png">'
            f'<script src="b.js"></script><script>inline()</script>{elsewhere}'
        )

    async def asset(self, request: Request) -> Response:
        """A stylesheet of 1,000 bytes that imports one of 500, a script that is 2,000 bytes compressed."""
        name = request.path_params["name"]
        if name == "a.css":
            return Response(b'@import url("more.css");'.ljust(1_000), media_type="text/css")
        if name == "more.css":
            return Response(b" " * 500, media_type="text/css")
        if name == "b.js" and "lost_script" not in self.defects:
            return _compressed(request)
        return Response(status_code=404)


_CLAIM = "insert into order_key values ($1, $2, $3) on conflict do nothing returning key"
_KNOWN = "select * from order_key where tenant_id = $1 and key = $2"
_KEEP = "update order_key set status = $3, body = $4 where tenant_id = $1 and key = $2"
_ORDERS: dict[str, Callable[..., Any]] = {
    "takes_no_key": ShopApp._order_twice,
    "looks_first": ShopApp._look_first,
    "effect_then_key": ShopApp._effect_then_key,
    "key_then_effect": ShopApp._key_then_effect,
}


def _compressed(request: Request) -> Response:
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(b"x" * 50_000)
    noise = random.Random(1).randbytes(1_500)
    body = gzip.compress(noise + b" " * 40_000, mtime=0).ljust(2_000, b"\0")
    return Response(body, headers={"content-encoding": "gzip"}, media_type="text/javascript")


def _person(request: Request) -> Credential | None:
    return next((p for p in (ANN, GUS) if p.email == request.cookies.get("sid", "").strip('"')), None)


def _wrong() -> Response:
    return JSONResponse({"detail": "wrong address or password"}, 401)


# The worker

_TAKE = """
update job set taken_at = now(), taken = taken + 1 where job_id = (
  select job_id from job where taken_at is null or taken_at < now() - interval '1 second'
  order by job_id limit 1 for update skip locked)
returning job_id, tenant_id, order_id, taken
"""
_WORK = "insert into receipt (tenant_id, order_id) values ($1, $2)"
_WORK_ONCE = """
insert into receipt (tenant_id, order_id) select $1, $2
where not exists (select from receipt where order_id = $2)
"""


async def work(url: str, defects: frozenset[str]) -> None:
    """Bill orders until killed, one after the other. Only one worker runs at a time."""
    connection = await asyncpg.connect(url)
    while "does_nothing" not in defects:
        job = await connection.fetchrow(_TAKE)
        if job is None:
            await asyncio.sleep(0.02)
            continue
        if "acknowledges_first" in defects:
            await connection.execute("delete from job where job_id = $1", job["job_id"])
        async with connection.transaction():
            sql = _WORK if "works_twice" in defects else _WORK_ONCE
            await connection.execute(sql, job["tenant_id"], job["order_id"])
            if "works_twice" not in defects or job["taken"] > 1:
                await connection.execute("delete from job where job_id = $1", job["job_id"])
    await asyncio.Event().wait()


async def serve(url: str, port: int, defects: set[str]) -> None:
    """Serve the shop until killed."""
    pool = await asyncpg.create_pool(url, min_size=1, max_size=20)
    app = ShopApp(pool, defects).asgi()
    await uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", lifespan="off")).serve()


if __name__ == "__main__":
    part, database_url, its_port, *its_defects = sys.argv[1:]
    if part == "worker":
        asyncio.run(work(database_url, frozenset(its_defects)))
    else:
        asyncio.run(serve(database_url, int(its_port), set(its_defects)))
