"""The manifest: everything the examiner may know of an app, as one file.

`shipworthy describe --json` writes it for our apps; for others a ten-line one can be
written by hand, since every list may be empty: what is not said is NOT MEASURED.
Schema: manifest.schema.json beside this file (checked against these classes in tests).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

MANIFEST_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A value the examiner may put into requests and queries, as text, looked up in the tenant's own data:
    `sql` selects one value and runs as the query role inside a transaction scoped to one tenant."""

    name: str  # e.g. "invoice_id"
    sql: str


@dataclass(frozen=True, kw_only=True)
class Route:
    """One declared route with everything it promises."""

    name: str  # "invoicing.create_invoice"
    room: str
    method: str
    path: str  # "/api/invoices/{invoice_id}"
    title: str = ""
    auth: Literal["public", "session", "operator"] = "session"
    permission: str | None = None
    step_up_s: int | None = None  # refused where the session's last proof of its person is older
    media: Literal["json", "html", "file"] = "json"
    idempotency: Literal["none", "key"] = "none"  # "key": the Idempotency-Key header makes twice once
    # "end": takes away what the examiner itself needs (an account, say), so nothing sends it in passing.
    effect: Literal["read", "create", "change", "end"] = "read"
    host: Literal["console", "site"] = "console"
    body: dict[str, Any] | None = None  # JSON Schema of the request body
    returns: dict[str, Any] | None = None
    query: dict[str, Any] | None = None  # JSON Schema of what may stand in the query string
    example: dict[str, Any] | None = None  # a valid body; "$name" is a sample, "{mark}" a new word
    headers: dict[str, str] = field(default_factory=dict)  # headers a valid request needs; "$sample" too
    params: dict[str, str] = field(default_factory=dict)  # path parameter -> sample name
    statuses: tuple[int, ...] = (200,)  # success statuses
    slo: str | None = None
    queries_max: int | None = None  # statements one request may run, transaction control not counted
    body_bytes_max: int | None = None
    audit: str | None = None
    personal: tuple[str, ...] = ()  # body fields that hold personal data
    meter: str | None = None
    flag: str | None = None
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Query:
    """One named query: what it is for, the index it expects, how many rows it may return."""

    name: str  # "invoicing.invoice_list_by_status"
    room: str
    purpose: str
    sql: str
    role: str = "app"
    scope: Literal["tenant", "realm"] = "tenant"
    index: tuple[str, ...] = ()
    rows_max: int | None = None
    params: tuple[str, ...] = ()  # one SQL expression per $n, evaluated in the tenant's scope
    writes: bool = False
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Index:
    """An index a migration creates, so that a finding can print the statement that restores it."""

    name: str
    table: str
    definition: str
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table and the scope its rows belong to; `shared` tables hold no tenant's data."""

    name: str
    scope: Literal["tenant", "realm", "shared", "worker"]
    column: str | None = None  # the scoping column


@dataclass(frozen=True, kw_only=True)
class Job:
    """A kind of queued job: idempotent under tenant:kind:source, writing one row to `writes`."""

    kind: str
    room: str
    title: str = ""
    dedupe: str = "tenant:kind:source"
    timeout_s: float = 30.0
    attempts_max: int = 5
    writes: str | None = None  # table that holds exactly one row per (tenant, source)
    writes_kind: str | None = None  # value of its `kind` column
    source_column: str | None = None
    triggered_by: str | None = None  # the route whose success enqueues it
    meter: str | None = None  # the budget it uses; it waits while that is used up
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Slo:
    """A latency objective as an exceedance proportion: `quantile` of requests within `threshold_ms`."""

    name: str
    quantile: float
    threshold_ms: float
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One request of a journey. Strings may hold {user.email}, {user.password}, {uuid}, {n},
    {sample.NAME} and {last.FIELD} (a field of the previous JSON answer)."""

    method: str
    path: str
    host: Literal["console", "site"] = "console"
    json: dict[str, Any] | None = None
    form: dict[str, str] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    expect: tuple[int, ...] = (200, 201, 303)
    measured: bool = True


@dataclass(frozen=True, kw_only=True)
class Journey:
    """A named flow offered at a rate; the measured steps are judged against `slo`.

    Where steps cannot say it, `code` names an `async def` in a Python file of the target's own folder
    ("journeys/pkce.py:sign_in"; docs/how-to/journeys.md) and there are no steps.
    """

    name: str
    slo: str
    rate_per_s: float
    steps: tuple[Step, ...] = ()
    login: bool = True  # run with a signed-in session of a seeded user
    code: str | None = None


@dataclass(frozen=True, kw_only=True)
class FlowStep:
    """One thing a person does or sees in the browser.

    `what` is a label or a text as it is read on the page; beginning with "css=" it is a selector.
    open: go to the path `what`. fill: write `value` into the field `what`. choose: take the option `value` of
    the field `what`. press: the button `what`, of the open dialog if there is one. follow: the link `what`.
    see: `what` stands on the page. mail: open the link with the path `what` in the newest mail to `value`.

    In both, {email}, {password} and {mark} are made up for this run, {mark} as a word of lower-case letters and
    digits; {user.email} and {user.password} are those of the person who is signed in.
    """

    do: Literal["open", "fill", "choose", "press", "follow", "see", "mail"]
    what: str
    value: str = ""
    host: Literal["console", "site"] = "console"  # of open


@dataclass(frozen=True, kw_only=True)
class Flow:
    """What a person must be able to do from beginning to end, walked in a real browser before a release."""

    name: str  # "create_invoice"
    title: str  # "Create an invoice"
    steps: tuple[FlowStep, ...]
    login: bool = True  # begins signed in, as a seeded user


@dataclass(frozen=True, kw_only=True)
class Publishing:
    """How a signed-in person brings a page before visitors, and takes it away again.

    In `body` "{mark}" is filled in with words that stand nowhere else. In routes whatever stands in braces
    is the page's id. An ETag that was answered is sent back as If-Match.
    """

    create: str  # "POST /api/pages"
    body: dict[str, Any]  # {"title": "{mark}", "body": "Words of {mark}."}
    id: str  # field of create's answer; a dot goes one level down
    address: str  # field of an answer that holds the page's public address, or "/blog/{id}"
    publish: str = ""  # "POST /api/pages/{page_id}/publish"; empty where what is saved is seen
    edit: str = ""  # "PUT /api/pages/{page_id}", with the same body
    unpublish: str = ""  # "DELETE /api/pages/{page_id}"


@dataclass(frozen=True, kw_only=True)
class NamedLoad:
    """A load of the playbook, which brings its own journeys and its own oracle.

    "auth_spike" (L1) goes by the target's login, oauth and tokens; its parts are "password", "pkce" and
    "refresh". "invoices" (L2) goes by the oracle of kind "invoice_totals", `read` and `edit`; its parts are
    "read", "edit" and "create", of high value. "crawl" (L3) reads robots.txt, the sitemap and what that
    lists, or else the declared public routes; its part is "page", and its rate counts for each address.
    `slos` names the objective of each part that is wanted.
    """

    kind: Literal["auth_spike", "invoices", "crawl"]
    rate_per_s: float
    slos: dict[str, str]
    weights: dict[str, float] = field(default_factory=dict)  # empty: the playbook's
    read: str = ""  # "GET /api/invoices?status=open"
    edit: str = ""  # "PUT /api/invoices/{id}"; takes the oracle's body, and If-Match where an ETag was given
    id: str = "id"  # the field of the create route's answer that stands for {id} or whatever edit calls it
    host: Literal["console", "site"] = "console"  # which of the app's two hosts is crawled
    origin: str = ""  # "https://www.example.com" where pages are written with it instead of what is examined
    publishing: Publishing | None = None


@dataclass(frozen=True, kw_only=True)
class Budget:
    """A bound: `kind` says what is counted. Of the kinds a browser measures, no subject means every page."""

    kind: Literal[
        "bundle_bytes", "cold_start_s", "page_bytes", "lcp_ms", "cls", "fcp_ms", "ttfb_ms", "tbt_ms"
    ]
    bound: float
    subject: str = ""  # path of the page, where it applies


@dataclass(frozen=True, kw_only=True)
class Oracle:
    """A place where an independent recomputation can be held against the app's own numbers.

    kind "invoice_totals": `create` is the route that answers with totals; `fields` names the
    JSON fields of its body and answer (see gauntlet/probes/money.py).
    """

    kind: Literal["invoice_totals"]
    create: str
    body: dict[str, Any]
    fields: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Login:
    """How a person signs in: enough to get a session and to try wrong passwords."""

    route: str  # "POST /login"
    form: dict[str, str]  # field -> "{email}" | "{password}" | literal
    media: Literal["form", "json"] = "form"
    page: str = ""  # "/login" where the form's hidden fields have to go along, a CSRF token among them
    ok: tuple[int, ...] = (200, 303)
    refused: tuple[int, ...] = (401, 422)
    throttled: tuple[int, ...] = (429,)
    attempts_max: int = 20  # wrong passwords after which throttling must have begun
    reset: str = ""  # "POST /forgot": asks for a mail with the way to a new password
    reset_form: dict[str, str] = field(default_factory=dict)  # {"email": "{email}"}
    reset_page: str = ""  # "/forgot" where that form's hidden fields have to go along


@dataclass(frozen=True, kw_only=True)
class OauthClient:
    """A sign-in through somebody else's OpenID provider, in whose place the examiner puts its own.

    `env` is set before the app is started; in its values {issuer}, {client_id} and
    {client_secret} are filled in. `session` is a route that succeeds only for somebody signed in.
    """

    name: str  # "google"; of a provider that only the examiner uses, "stub"
    start: str  # "GET /sign-in/google": sends the browser to the provider
    callback: str  # "/sign-in/google/callback", or a whole address where the app insists on one
    session: str  # "GET /api/me"
    env: dict[str, str] = field(default_factory=dict)
    form: dict[str, str] = field(default_factory=dict)  # what start needs where it is a POST
    identity: str = ""  # field of the session's JSON answer that names the account, "user.id"
    algorithm: Literal["RS256", "ES256"] = "RS256"  # of the ID tokens; RS256 is what OpenID defaults to


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """How a program gets a pair of tokens for a person, and how it refreshes it.

    In `form` {email} and {password} are filled in, in `refresh_form` {refresh_token}. Field names
    are those of the JSON answers; a dot goes one level down ("data.access_token").
    """

    issue: str  # "POST /oauth/token"
    form: dict[str, str]  # {"grant_type": "password", "username": "{email}", "password": "{password}"}
    refresh: str  # "POST /oauth/token"
    refresh_form: dict[str, str]  # {"grant_type": "refresh_token", "refresh_token": "{refresh_token}"}
    media: Literal["form", "json"] = "json"
    session: bool = False  # the pair is given to somebody signed in, instead of for a password
    ok: tuple[int, ...] = (200, 201)
    refused: tuple[int, ...] = (400, 401, 403)
    access: str = "access_token"
    refreshed: str = "refresh_token"
    expires_in: str = "expires_in"
    opens: str | None = None  # "GET /api/me": answers 200 to an access token (Bearer) and to nothing else
    ttl_s: int | None = None  # how long an access token lives
    grace_s: float = 0.0  # how long a refresh token may be used again after its first use


@dataclass(frozen=True, kw_only=True)
class Scope:
    """How a database session is told whose data it may see, e.g. SET LOCAL app.tenant_id.

    For claims: tenant_setting = "request.jwt.claims" and tenant_value = '{"org_id": "{tenant_id}"}'.
    """

    tenant_setting: str = "app.tenant_id"
    realm_setting: str | None = "app.realm_id"
    tenant_value: str = "{tenant_id}"  # what the setting is set to; {tenant_id} and {email} are filled in
    tenant_column: str = "tenant_id"  # the column that says whose a row is, in tables that have it
    columns: dict[str, str] = field(default_factory=dict)  # table -> its column, where it is called otherwise
    role: str | None = None  # the role a request changes to (SET LOCAL ROLE), "authenticated"
    anonymous_role: str | None = None  # the one of who is not signed in, "anon": it must see no tenant's rows


@dataclass(frozen=True, kw_only=True)
class Flag:
    """A feature flag the app knows: who decides about it, and the day by which it is gone."""

    name: str
    title: str = ""
    default: bool = False
    owner: str = ""
    expires: str = ""  # 2027-03-31


@dataclass(frozen=True, kw_only=True)
class Migrations:
    """How the database's schema is brought forward, and taken back one step: commands, run in the app's folder.

    In all commands and in `env`, {database} is the address of a database of the examiner's own and {python} the
    interpreter that runs the examiner; in `down`, {steps} how many to take back. A `down` without it takes one
    step, and changes nothing, or fails, where none is left.
    """

    up: str
    down: str
    env: dict[str, str] = field(default_factory=dict)
    bookkeeping: tuple[str, ...] = ()  # tables in which the tool notes what it applied, and when
    # Where the SQL of the way up lies, as patterns like "migrations/*.up.sql". A file says its phase in its name
    # (0007_pre_…, 0008_post_…) or on a line: -- phase: expand, or -- phase: contract.
    files: tuple[str, ...] = ()
    # The previous release's tests of its database: run on the new schema, in a copy of the files of the newest git
    # tag before this release. They must fail where there is no schema at all, or they prove nothing.
    previous: str = ""


@dataclass(frozen=True, kw_only=True)
class CodeCommand:
    """How an app examines its own code, where the examiner finds no tool that it knows.

    `run` ends with 0 where all is well. Its green counts only if it ends otherwise on a copy of the app with
    `planted` in it: the path of a file, and what stands in it.
    """

    kind: Literal["lint", "format", "types", "tests"]
    run: str
    planted: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """All that the examiner needs to know; it never imports the app."""

    app: str
    version: int = MANIFEST_VERSION
    runtime: str = ""
    openapi: str = ""  # the path of the app's own description; where empty it is made of the routes
    rooms: tuple[str, ...] = ()
    scope: Scope = field(default_factory=Scope)
    login: Login | None = None
    oauth: tuple[OauthClient, ...] = ()
    tokens: Tokens | None = None
    migrations: Migrations | None = None
    code: tuple[CodeCommand, ...] = ()
    routes: tuple[Route, ...] = ()
    operator_routes: tuple[Route, ...] = ()  # for whoever runs the app; every tenant is refused
    queries: tuple[Query, ...] = ()
    indexes: tuple[Index, ...] = ()
    tables: tuple[Table, ...] = ()
    samples: tuple[Sample, ...] = ()
    jobs: tuple[Job, ...] = ()
    slos: tuple[Slo, ...] = ()
    journeys: tuple[Journey, ...] = ()
    flows: tuple[Flow, ...] = ()
    budgets: tuple[Budget, ...] = ()
    oracles: tuple[Oracle, ...] = ()
    loads: tuple[NamedLoad, ...] = ()
    flags: tuple[Flag, ...] = ()
    personal: tuple[str, ...] = ()
    faults_allowed: tuple[str, ...] = ()
