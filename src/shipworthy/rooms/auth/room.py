"""The auth room's declaration: who may sign in, how, and what the examiner may know of it."""

from __future__ import annotations

from pathlib import Path

from shipworthy.contract.manifest import (
    Journey,
    Login,
    NamedLoad,
    OauthClient,
    Sample,
    Slo,
    Step,
    Table,
    Tokens,
)
from shipworthy.kernel.language import mark
from shipworthy.kernel.room import NO_TENANT, Room
from shipworthy.kernel.runtime import Runtime
from shipworthy.kernel.settings import AuthSection, Settings
from shipworthy.rooms.auth.catalogue import q
from shipworthy.rooms.auth.factors.passkey_web import ROUTES as PASSKEY_ROUTES
from shipworthy.rooms.auth.factors.web import ROUTES as FACTOR_ROUTES
from shipworthy.rooms.auth.flows import FLOWS
from shipworthy.rooms.auth.gate.networks import STATE as NETWORKS
from shipworthy.rooms.auth.gate.networks import Networks
from shipworthy.rooms.auth.hashing import STATE, open_pool, pool_of
from shipworthy.rooms.auth.jobs import JOBS
from shipworthy.rooms.auth.language import ROUTES as LANGUAGE_ROUTES
from shipworthy.rooms.auth.oauth.installed import start_providers, stop_providers, variable_of
from shipworthy.rooms.auth.oauth.web import ROUTES as OAUTH_ROUTES
from shipworthy.rooms.auth.orgs.invitation_web import ROUTES as INVITATION_ROUTES
from shipworthy.rooms.auth.orgs.members import names_of, owners_of
from shipworthy.rooms.auth.orgs.roles import PERMISSIONS
from shipworthy.rooms.auth.orgs.web import ROUTES as ORG_ROUTES
from shipworthy.rooms.auth.programs.bearer import Bearers
from shipworthy.rooms.auth.programs.web import ROUTES as PROGRAM_ROUTES
from shipworthy.rooms.auth.recovery.web import ROUTES as RECOVERY_ROUTES
from shipworthy.rooms.auth.seed import seed
from shipworthy.rooms.auth.web import ROUTES

_FOLDER = Path(__file__).parent
_OWN_ACCOUNT = frozenset({"account.read", "account.write"})
_REALM_TABLES = (
    "app_user",
    "credential",
    "membership",
    "device",
    "one_time_token",
    "auth_mail",
    "login_bucket",
    "login_network",
    "identity",
    "oauth_state",
    "program",
    "totp",
    "recovery_code",
    "passkey",
    "factor_challenge",
)


async def _start(runtime: Runtime) -> None:
    runtime.state[STATE] = open_pool(runtime.settings)
    runtime.state[NETWORKS] = Networks(signing_key=runtime.signing_key, realm_id=runtime.realm_id)
    runtime.bearers = Bearers()
    runtime.names = names_of
    runtime.owners = owners_of
    start_providers(runtime)


async def _stop(runtime: Runtime) -> None:
    await stop_providers(runtime)
    pool_of(runtime).close()


def _slos(settings: Settings) -> tuple[Slo, ...]:
    return (Slo(name="login", quantile=0.95, threshold_ms=settings.slo.login_p95_ms, title=mark("Sign in")),)


def _tokens(settings: Settings) -> Tokens:
    return Tokens(
        issue="POST /api/programs",
        form={"name": "Examination"},
        session=True,
        refresh="POST /api/token",
        refresh_form={"grant_type": "refresh_token", "refresh_token": "{refresh_token}"},
        opens="GET /api/me",
        ttl_s=settings.auth.access_ttl_s,
        grace_s=settings.auth.refresh_grace_s,
    )


_LOGIN_FORM = {"email": "{user.email}", "password": "{user.password}"}

ROOM = Room(
    name="auth",
    folder=_FOLDER,
    queries=q,
    routes=ROUTES
    + LANGUAGE_ROUTES
    + OAUTH_ROUTES
    + PROGRAM_ROUTES
    + RECOVERY_ROUTES
    + FACTOR_ROUTES
    + PASSKEY_ROUTES
    + ORG_ROUTES
    + INVITATION_ROUTES,
    jobs=JOBS,
    permissions={
        NO_TENANT: _OWN_ACCOUNT,
        **{role: _OWN_ACCOUNT | held for role, held in PERMISSIONS.items()},
    },
    tables=(
        *(Table(name=name, scope="realm", column="realm_id") for name in _REALM_TABLES),
        Table(name="invitation", scope="tenant", column="tenant_id"),
    ),
    samples=(
        # Of whoever signed in last, the oldest session: the newest is the one the examiner works in.
        Sample(
            name="session_id",
            sql="select session_id from session where revoked_at is null and user_id = (select user_id from session"
            " where tenant_id = my_tenant() order by created_at desc limit 1) order by created_at, session_id limit 1",
        ),
        Sample(
            name="identity_id",
            sql="select identity_id from identity where user_id = (select user_id from session"
            " where tenant_id = my_tenant() order by created_at desc limit 1) order by linked_at limit 1",
        ),
        Sample(
            name="program_id",
            sql="select program_id from program where ended_at is null and user_id = (select user_id from session"
            " where tenant_id = my_tenant() order by created_at desc limit 1) order by created_at limit 1",
        ),
        # Of anybody in the organisation: the example owner has no second factor, so that one can sign in.
        Sample(
            name="passkey_id",
            sql="select passkey_id from passkey where user_id in (select user_id from membership"
            " where tenant_id = my_tenant()) order by created_at, passkey_id limit 1",
        ),
        # Not the last owner, nor whom another route may have removed: who joined last.
        Sample(
            name="member_id",
            sql="select user_id from membership where tenant_id = my_tenant() and role <> 'owner'"
            " order by created_at desc, user_id limit 1",
        ),
        Sample(
            name="invitation_id",
            sql="select invitation_id from invitation where tenant_id = my_tenant() order by created_at limit 1",
        ),
        Sample(name="organisation_id", sql="select my_tenant()"),
        # The one the examiner brings (SHIPWORTHY_OAUTH_STUB).
        Sample(name="provider", sql="select 'stub'"),
    ),
    slos=_slos,
    journeys=(
        Journey(
            name="login",
            slo="login",
            rate_per_s=10.0,
            login=False,
            steps=(Step(method="POST", path="/login", form=_LOGIN_FORM, expect=(303,)),),
        ),
    ),
    flows=FLOWS,
    login=Login(
        route="POST /login",
        form={"email": "{email}", "password": "{password}"},
        ok=(303, 200),
        refused=(401,),
        throttled=(429,),
        attempts_max=AuthSection().login_failures_max + 5,
        reset="POST /forgot",
        reset_form={"email": "{email}"},
    ),
    oauth=(
        OauthClient(
            name="stub",
            start="GET /oauth/stub",
            callback="/oauth/stub/callback",
            session="GET /account",
            env={"SHIPWORTHY_OAUTH_STUB": "{issuer};{client_id}", variable_of("stub"): "{client_secret}"},
            algorithm="ES256",
        ),
    ),
    tokens=_tokens,
    loads=(
        NamedLoad(
            kind="auth_spike",
            rate_per_s=500.0,  # the playbook's L1
            slos={"password": "login", "pkce": "login", "refresh": "login"},
        ),
    ),
    personal=("email", "email_raw", "email_canon", "name", "password", "pending"),
    on_start=_start,
    on_stop=_stop,
    seed=seed,
    volume_sql=(_FOLDER / "volume.sql").read_text(encoding="utf-8"),
)
