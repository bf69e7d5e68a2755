"""Settings: typed, with the unit in the name, loaded once from `app.toml` and passed down.

An unknown key is an error naming its line and the nearest known name. Secrets never stand in
`app.toml`: they come from the environment (SHIPWORTHY_*) or the state directory.
"""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass, field, fields, replace
from math import inf
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from shipworthy.contract.lines import line_of
from shipworthy.contract.strict import Undecodable, decode
from shipworthy.kernel.contradictions import refuse_contradictions
from shipworthy.kernel.edge.section import EdgeSection
from shipworthy.kernel.operating import BackupSection, OncallSection, RaciSection
from shipworthy.kernel.quotas.section import QuotasSection
from shipworthy.kernel.room_spec import RoomSection

APP_FILE = "app.toml"
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, kw_only=True)
class AppSection:
    """[app]: its name and the rooms it is made of."""

    name: str
    rooms: tuple[str, ...]
    locale: Literal["en", "de"] = "en"
    hosts: tuple[str, ...] = ("localhost", "127.0.0.1")  # the console's; any other must be a site's domain


@dataclass(frozen=True, kw_only=True)
class HttpSection:
    """[http]: the web process."""

    port: int = 8000
    workers: int = 1
    public_scheme: Literal["http", "https"] = "http"
    public_port: int = 0  # in the addresses we print; 0: the scheme's own
    body_bytes_max: int = 1_048_576
    body_timeout_s: float = 30.0  # for a request's body to arrive whole
    trusted_proxies: int = 0  # how many X-Forwarded-For hops are ours
    tenant_told: bool = False  # to a proxy of ours, in X-Shipworthy-Tenant, which must take it off again


@dataclass(frozen=True, kw_only=True)
class DbSection:
    """[db]: embedded on a laptop, a URL elsewhere (SHIPWORTHY_DB_URL_<ROLE> from the environment)."""

    provider: Literal["embedded", "url"] = "embedded"
    pooling: Literal["none", "transaction"] = (
        "none"  # what stands before it; SHIPWORTHY_DB_URL_<ROLE>_DIRECT leads past
    )
    pool_size: int = 8
    acquire_timeout_s: float = 5.0


@dataclass(frozen=True, kw_only=True)
class SessionsSection:
    """[sessions]: where sessions live and how long. `valkey` is at SHIPWORTHY_VALKEY_URL, or `up` brings one."""

    store: Literal["memory", "valkey", "postgres"] = "postgres"
    idle_ttl_s: int = 24 * 3600
    absolute_ttl_s: int = 30 * 24 * 3600
    cache_ttl_s: float = 5.0


@dataclass(frozen=True, kw_only=True)
class ProviderSection:
    """[auth.providers.NAME]: a sign-in through somebody else; secrets in SHIPWORTHY_OAUTH_<NAME>_SECRET and …_SECRET_NEXT."""

    client_id: str
    kind: Literal["google", "github", "microsoft", "oidc"] = "oidc"
    issuer: str = ""  # of "oidc", and of one "microsoft" directory; the others have theirs
    scopes: tuple[str, ...] = ()  # empty: what signing in needs
    label: str = ""  # on the button; empty: the name, capitalised
    second_factor_trusted: bool = False  # it asks for a second factor itself, so we do not ask again


@dataclass(frozen=True, kw_only=True)
class AuthSection:
    """[auth]: passwords, the login throttle and sign-in through others."""

    password_chars_min: int = 15  # NIST SP 800-63B for a password that may be the only factor; at least 8
    hash_memory_kib: int = 19_456
    hash_passes: int = 2
    hash_workers: int = 0  # 0: by the cores and the memory, at least one
    hash_cores_reserved: int = 1  # for everything that is not hashing: there hashes give way to it
    hash_wait_max_ms: int = 150  # from a place in the line to the hash done; who would wait longer is refused
    hash_queue_max: int = 64  # places a worker and class, however short the wait
    login_failures_max: int = 10  # per account and network within the window
    login_window_s: int = 900
    verify_ttl_s: int = 24 * 3600
    reset_ttl_s: int = 30 * 60
    undo_ttl_s: int = 7 * 24 * 3600  # how long the old address can take a change of address back
    leaving_ttl_s: int = 14 * 24 * 3600  # how long an account that was deleted can be taken back
    access_ttl_s: int = 300  # of a program's access token
    refresh_idle_ttl_s: int = 14 * 24 * 3600
    refresh_ttl_s: int = 90 * 24 * 3600
    refresh_grace_s: float = 30.0  # in which a refresh token gives its successor again
    providers: dict[str, ProviderSection] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class MailSection:
    """[mail]: outgoing mail. `host` empty means the laptop's inbox."""

    sender: str = "app@localhost"
    host: str = "127.0.0.1"
    port: int = 0
    timeout_s: float = 10.0


@dataclass(frozen=True, kw_only=True)
class FilesSection:
    """[files]: object storage; `url` is file:///… or s3://… (empty: the state directory). SHIPWORTHY_FILES_KEYS signs links."""

    url: str = ""
    link_ttl_s: int = 3600  # how long a link to a document opens at least; at most twice that


@dataclass(frozen=True, kw_only=True)
class PdfSection:
    """[pdf]: the process that prints; `font_dirs` are folders with fonts beyond Latin, Greek, Cyrillic and Hebrew."""

    memory_mib: int = 1024
    cpu_s: int = 20  # of one document
    timeout_s: float = 25.0
    font_dirs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TaxSection:
    """[tax]: `vat_check_url` is VIES' REST API or one that speaks like it, `rates_url` a service that answers
    `GET {rates_url}/DE?on=2026-01-31` with `{"rates": [{"name": "standard", "percent": "19"}]}`; empty asks nobody."""

    vat_check_url: str = ""
    rates_url: str = ""


@dataclass(frozen=True, kw_only=True)
class SiteSection:
    """[site]: published pages."""

    cache_bytes_max: int = 64 * 1024 * 1024
    visits_counted: bool = True  # by a script in every page, without cookies
    shared_max_age_s: int = 300
    stale_while_revalidate_s: int = 86_400
    cdn: Literal["none", "cloudflare", "fastly"] = "none"  # told what changed; SHIPWORTHY_CDN_TOKEN opens it
    cdn_purge_url: str = ""  # of the zone or service, whole
    dns_server: str = ""  # host:port, asked whose a domain is; empty: the machine's own resolver
    indexnow_url: str = ""  # told of published pages; empty: nobody is


@dataclass(frozen=True, kw_only=True)
class TelemetrySection:
    """[telemetry]: traces of a share of all requests, in the state directory or sent to a collector as OTLP."""

    metrics: bool = True
    sample_percent: float = 1.0  # of requests, with the jobs they cause; failures are kept anyway
    otlp_url: str = ""  # "http://127.0.0.1:4318/v1/traces"; empty: traces.jsonl of the state directory


@dataclass(frozen=True, kw_only=True)
class AuditSection:
    """[audit]: the ends of all chains are signed and put into the file store; SHIPWORTHY_AUDIT_KEYS signs."""

    anchor_period_s: int = 3600


@dataclass(frozen=True, kw_only=True)
class SloSection:
    """[slo]: the playbook's objectives; an app may tighten them."""

    login_p95_ms: float = 200.0
    invoice_create_p95_ms: float = 700.0
    page_p95_ms: float = 150.0


@dataclass(frozen=True, kw_only=True)
class AlertsSection:
    """[alerts]: whom `slo watch` tells of broken objectives and `deploy` calls; SHIPWORTHY_ALERTS_SECRET signs what is posted."""

    mail: tuple[str, ...] = ()
    webhook_url: str = ""


@dataclass(frozen=True, kw_only=True)
class BudgetSection:
    """[budget]: what fails the build."""

    bundle_bytes: int = 120_000
    page_bytes: int = 60_000
    cold_start_s: float = 5.0


@dataclass(frozen=True, kw_only=True)
class Settings:
    """`app.toml`, whole, plus what is known only at run time (`home`, `secrets`)."""

    app: AppSection
    http: HttpSection = field(default_factory=HttpSection)
    edge: EdgeSection = field(default_factory=EdgeSection)
    db: DbSection = field(default_factory=DbSection)
    sessions: SessionsSection = field(default_factory=SessionsSection)
    auth: AuthSection = field(default_factory=AuthSection)
    mail: MailSection = field(default_factory=MailSection)
    files: FilesSection = field(default_factory=FilesSection)
    pdf: PdfSection = field(default_factory=PdfSection)
    tax: TaxSection = field(default_factory=TaxSection)
    site: SiteSection = field(default_factory=SiteSection)
    telemetry: TelemetrySection = field(default_factory=TelemetrySection)
    audit: AuditSection = field(default_factory=AuditSection)
    slo: SloSection = field(default_factory=SloSection)
    budget: BudgetSection = field(default_factory=BudgetSection)
    alerts: AlertsSection = field(default_factory=AlertsSection)
    backup: BackupSection = field(default_factory=BackupSection)
    oncall: OncallSection = field(default_factory=OncallSection)
    raci: RaciSection = field(default_factory=RaciSection)
    quotas: QuotasSection = field(default_factory=QuotasSection)
    room: dict[str, RoomSection] = field(default_factory=dict)


def load_settings(home: Path) -> Settings:
    """Read `app.toml` in `home`.

    Errors:  FileNotFoundError when there is none; Undecodable for anything it does not know, for
             numbers out of range, and for settings that contradict one another.
    """
    return settings_of(_text_of(home / APP_FILE))


def settings_of(text: str) -> Settings:
    """Read the text of an `app.toml`. Errors: as `load_settings`."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as broken:
        raise Undecodable(f"not valid TOML: {broken}", path="", source=APP_FILE) from broken
    settings = decode(Settings, data, source=APP_FILE, text=text)
    refuse_contradictions(settings, data, text, source=APP_FILE)
    return _consistent(_from_environment(settings), text)


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as broken:
        raise Undecodable(f"not UTF-8 text: {broken.reason}", path="", source=APP_FILE) from broken
    except FileNotFoundError:
        raise
    except OSError as failed:
        raise Undecodable(f"cannot be read: {failed.strerror}", path="", source=APP_FILE) from failed


def _consistent(settings: Settings, text: str) -> Settings:
    _in_range(settings, text)
    _providers_in_order(settings, text)
    if (url := settings.telemetry.otlp_url) and not url.startswith(("http://", "https://")):
        raise Undecodable(
            f"telemetry.otlp_url must begin with http:// or https://, not {url!r}",
            path="telemetry.otlp_url",
            line=line_of(text, ("telemetry", "otlp_url")),
            source=APP_FILE,
        )
    if settings.edge.limits == "valkey" and settings.sessions.store != "valkey":
        raise Undecodable(
            'edge.limits = "valkey" counts in the Valkey of the sessions; set sessions.store = "valkey" too, or '
            'edge.limits = "postgres"',
            path="edge.limits",
            line=line_of(text, ("edge", "limits")),
            source=APP_FILE,
        )
    return settings


_PROVIDER_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")  # stands in addresses and names of variables


def _providers_in_order(settings: Settings, text: str) -> None:
    for name, provider in settings.auth.providers.items():
        path = f"auth.providers.{name}"
        problem = None
        if not _PROVIDER_NAME.fullmatch(name):
            problem = f"{path}: a name is lower-case letters, digits and hyphens, at most 31, a letter first"
        elif not provider.client_id:
            problem = f"{path}.client_id must not be empty"
        elif provider.kind == "oidc" and not provider.issuer:
            problem = f'{path}: kind "oidc" needs an issuer, the address its tokens name'
        elif provider.kind in ("google", "github") and provider.issuer:
            problem = f"{path}: the issuer of {provider.kind} is known; leave it out"
        elif provider.issuer and not _is_issuer(provider.issuer, settings.http.public_scheme):
            problem = f"{path}.issuer must be an https:// address without query or fragment, not {provider.issuer!r}"
        if problem:
            line = line_of(text, ("auth", "providers", name))
            raise Undecodable(problem, path=path, line=line, source=APP_FILE)


def _is_issuer(issuer: str, public_scheme: str) -> bool:
    """Plain HTTP is for a provider on this very machine, while the app itself is on a laptop."""
    try:
        parts = urlsplit(issuer)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    is_bare = not (parts.query or parts.fragment or parts.username is not None or port == 0)
    is_safe = parts.scheme == "https" or (
        public_scheme == "http" and parts.scheme == "http" and host in LOOPBACK
    )
    return bool(host) and is_bare and is_safe


def _stub_provider(settings: Settings, text: str) -> Settings:
    """Add the provider that an examiner brings along: `issuer;client_id`, on this machine only."""
    issuer, _, client_id = text.partition(";")
    host = urlsplit(issuer).hostname if _is_issuer(issuer, "http") else None
    if host not in LOOPBACK or not client_id:
        raise Undecodable(
            f"SHIPWORTHY_OAUTH_STUB must be <issuer>;<client_id> with an issuer on this machine, not {text!r}",
            path="SHIPWORTHY_OAUTH_STUB",
            source="environment",
        )
    stub = ProviderSection(client_id=client_id, issuer=issuer)
    return replace(settings, auth=replace(settings.auth, providers={**settings.auth.providers, "stub": stub}))


_AT_LEAST_ONE = {
    "edge.network_requests_burst", "edge.tenant_requests_burst", "edge.page_requests_burst",
    "http.workers", "http.body_bytes_max", "db.pool_size", "db.acquire_timeout_s", "sessions.idle_ttl_s",
    "sessions.absolute_ttl_s", "auth.hash_memory_kib", "auth.hash_passes", "auth.hash_wait_max_ms", "auth.hash_queue_max", "auth.reset_ttl_s", "auth.undo_ttl_s", "auth.leaving_ttl_s",
    "audit.anchor_period_s", "auth.login_failures_max", "auth.login_window_s", "auth.verify_ttl_s",
    "auth.access_ttl_s", "auth.refresh_idle_ttl_s", "auth.refresh_ttl_s", "files.link_ttl_s", "mail.timeout_s", "pdf.memory_mib", "pdf.cpu_s", "pdf.timeout_s", "backup.keep", "oncall.shift_days", "quotas.soft_percent",
}  # fmt: skip
_AT_LEAST = {"auth.password_chars_min": 8}  # NIST SP 800-63B, whatever stands beside the password
_AT_MOST = {"telemetry.sample_percent": 100, "oncall.hour_utc": 23, "oncall.shift_days": 7, "quotas.soft_percent": 100, "quotas.grace_percent": 100}  # fmt: skip
_PORTS = {"http.port", "http.public_port", "mail.port"}


def _in_range(settings: Settings, text: str) -> None:
    """Errors: Undecodable for a number that cannot be meant."""
    for section in fields(settings):
        if section.name == "room":
            continue
        for name, value in vars(getattr(settings, section.name)).items():
            if isinstance(value, (int, float)):
                path = f"{section.name}.{name}"
                at_least_one = path in _AT_LEAST_ONE and isinstance(value, int)
                least = _AT_LEAST.get(path, 1 if at_least_one else 0)
                most = 65_535 if path in _PORTS else _AT_MOST.get(path, inf)
                # Written so that NaN, which compares with nothing, is refused too.
                if not (least <= value <= most and value < inf):
                    bound = f"{least} to {most}" if most < inf else f"at least {least}"
                    raise Undecodable(
                        f"{path} must be {bound}, not {value}",
                        path=path,
                        line=line_of(text, (section.name, name)),
                        source=APP_FILE,
                    )


def _from_environment(settings: Settings) -> Settings:
    """Apply what the supervisor passes to its children: mail, public and file addresses."""
    mail_port = os.environ.get("SHIPWORTHY_MAIL_PORT")
    if mail_port:
        port = _port("SHIPWORTHY_MAIL_PORT", mail_port)
        settings = replace(settings, mail=replace(settings.mail, port=port))
    public_port = os.environ.get("SHIPWORTHY_PUBLIC_PORT")
    if public_port:
        port = _port("SHIPWORTHY_PUBLIC_PORT", public_port)
        settings = replace(settings, http=replace(settings.http, public_port=port))
    if os.environ.get("SHIPWORTHY_BEHIND_FRONT"):
        hops = settings.http.trusted_proxies + 1
        settings = replace(settings, http=replace(settings.http, trusted_proxies=hops, tenant_told=True))
    host = os.environ.get("SHIPWORTHY_HOST")
    if host and host not in settings.app.hosts:
        settings = replace(settings, app=replace(settings.app, hosts=(*settings.app.hosts, host)))
    files_url = os.environ.get("SHIPWORTHY_FILES_URL")
    if files_url and not settings.files.url:
        settings = replace(settings, files=replace(settings.files, url=files_url))
    stub = os.environ.get("SHIPWORTHY_OAUTH_STUB")
    return _stub_provider(settings, stub) if stub else settings


def _port(name: str, text: str) -> int:
    if not (text.isdecimal() and len(text) <= 5 and int(text) <= 65_535):
        raise Undecodable(f"{name} must be a port, not {text!r}", path=name, source="environment")
    return int(text)
