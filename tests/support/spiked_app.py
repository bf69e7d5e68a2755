"""An app in memory for the named loads: sign-in, tokens, invoices; with defects to switch on.

Defects: locks_out, lets_in, same_token, float_tax, no_keys, forgets, slow.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as Path

from shipworthy.contract.manifest import Login, Manifest, NamedLoad, Oracle, Slo, Tokens
from shipworthy.contract.target import Credential, Handle, Target
from shipworthy.gauntlet.adapters.instance import StartedInstance
from shipworthy.gauntlet.check import Check
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.plan import PlannedCheck
from tests.support.ledger import served

ANN = Credential(email="ann@spiked.example", password="a wide river", tenant="Ann")
LOGIN = Login(
    route="POST /login", form={"email": "{email}", "password": "{password}"}, media="json", ok=(200,)
)
TOKENS = Tokens(
    issue="POST /token",
    form={"email": "{email}", "password": "{password}"},
    refresh="POST /refresh",
    refresh_form={"token": "{refresh_token}"},
)
ORACLE = Oracle(
    kind="invoice_totals",
    create="POST /invoices",
    body={"lines": [{"quantity": "1", "unit_price": "1.00", "tax_rate_bp": 1900}]},
    fields={
        "lines": "lines", "quantity": "quantity", "unit_price": "unit_price", "tax_rate_bp": "tax_rate_bp",
        "net_minor": "net", "tax_minor": "tax", "gross_minor": "gross",
    },
)  # fmt: skip
SPIKE = NamedLoad(kind="auth_spike", rate_per_s=60.0, slos={"password": "fast", "refresh": "fast"})
INVOICES = NamedLoad(
    kind="invoices",
    rate_per_s=80.0,
    slos={"read": "fast", "edit": "fast", "create": "fast"},
    weights={"read": 1.0, "edit": 1.0, "create": 1.0},
    read="GET /invoices",
    edit="PUT /invoices/{id}",
)
MANIFEST = Manifest(
    app="Spiked",
    login=LOGIN,
    tokens=TOKENS,
    oracles=(ORACLE,),
    loads=(SPIKE, INVOICES),
    slos=(Slo(name="fast", quantile=0.95, threshold_ms=4_000.0),),
)


@dataclass
class SpikedApp:
    """The app's state: what it holds and what is wrong with it."""

    defects: set[str] = field(default_factory=set)
    tokens: set[str] = field(default_factory=set)
    invoices: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    guesses: int = 0
    base_url: str = ""

    def exam(self, check: Check, **changes: Any) -> Exam:
        from dataclasses import replace

        target = Target(name="Spiked", kind="url", manifest=replace(MANIFEST, **changes), credentials=(ANN,))
        exam = Exam(target, StartedInstance(Handle(base_url=self.base_url, tenants=(ANN,)), None))
        exam.begin(PlannedCheck(check=check))
        return exam

    async def login(self, request: Request) -> Response:
        said = await request.json()
        if said["password"] != ANN.password:
            self.guesses += 1
            return JSONResponse({}, 200 if "lets_in" in self.defects else 401)
        if "locks_out" in self.defects and self.guesses > 2:
            return JSONResponse({"error": "locked"}, 429)
        return JSONResponse({}, headers={"set-cookie": "sid=1"})

    async def token(self, _request: Request) -> Response:
        return self._pair()

    async def refresh(self, request: Request) -> Response:
        token = (await request.json())["token"]
        if "same_token" in self.defects:
            return JSONResponse({"refresh_token": token})
        if token not in self.tokens:
            return JSONResponse({}, 401)
        self.tokens.discard(token)
        return self._pair()

    async def read(self, _request: Request) -> Response:
        if "slow" in self.defects:
            await asyncio.sleep(5)
        return JSONResponse([])

    async def create(self, request: Request) -> Response:
        key = "" if "no_keys" in self.defects else request.headers["idempotency-key"]
        known = self.keys.get(key)
        if known is None:
            known = str(uuid.uuid4())
            self.keys[key] = known
            self.invoices[known] = self._summed(await request.json())
            if not key:
                del self.keys[key]
        return self._shown(known, 201)

    async def edit(self, request: Request) -> Response:
        known = request.path_params["invoice_id"]
        if "forgets" in self.defects or known not in self.invoices:
            return JSONResponse({}, 404)
        if request.headers["if-match"] != self.invoices[known]["etag"]:
            return JSONResponse({}, 412)
        self.invoices[known] = self._summed(await request.json())
        return self._shown(known, 200)

    def _shown(self, known: str, status: int) -> Response:
        invoice = self.invoices[known]
        body = json.dumps({"id": known, **{n: invoice[n] for n in ("net", "tax", "gross")}})
        return Response(body, status, {"etag": invoice["etag"]}, "application/json")

    def _summed(self, body: Any) -> dict[str, Any]:
        by_rate: dict[int, int] = {}
        for line in body["lines"]:
            net = _cents(Decimal(line["quantity"]) * Decimal(line["unit_price"]) * 100)
            by_rate[line["tax_rate_bp"]] = by_rate.get(line["tax_rate_bp"], 0) + net
        if "float_tax" in self.defects:
            tax = int(sum(net * (rate / 10_000) for rate, net in by_rate.items()))
        else:
            tax = sum(_cents(Decimal(net) * rate / 10_000) for rate, net in by_rate.items())
        net = sum(by_rate.values())
        return {"net": net, "tax": tax, "gross": net + tax, "etag": f'"{uuid.uuid4().hex}"'}

    def _pair(self) -> Response:
        token = uuid.uuid4().hex
        self.tokens.add(token)
        return JSONResponse({"access_token": "a", "refresh_token": token})


@asynccontextmanager
async def spiked_app(*defects: str) -> AsyncIterator[SpikedApp]:
    """Serve the app in this event loop."""
    app = SpikedApp(defects=set(defects))
    asgi = Starlette(
        routes=[
            Path("/", app.read),
            Path("/login", app.login, methods=["POST"]),
            Path("/token", app.token, methods=["POST"]),
            Path("/refresh", app.refresh, methods=["POST"]),
            Path("/invoices", app.create, methods=["POST"]),
            Path("/invoices", app.read, methods=["GET"]),
            Path("/invoices/{invoice_id}", app.edit, methods=["PUT"]),
        ]
    )
    async with served(asgi) as app.base_url:
        yield app


def _cents(exact: Decimal) -> int:
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))
