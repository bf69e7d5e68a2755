"""`Ctx`: who asks, for whom, and by what means. Passed down, never ambient."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shipworthy.kernel.db.tx import Tx
    from shipworthy.kernel.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose data a transaction may see. The realm is known before anyone is signed in (D18).

    Both are `uuid.UUID`: their text form is the only thing ever written into a SQL string.
    """

    realm_id: uuid.UUID
    tenant_id: uuid.UUID | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.realm_id, uuid.UUID):
            raise TypeError(f"realm_id must be a UUID, not {type(self.realm_id).__name__}")
        if self.tenant_id is not None and not isinstance(self.tenant_id, uuid.UUID):
            raise TypeError(f"tenant_id must be a UUID, not {type(self.tenant_id).__name__}")


@dataclass(frozen=True, slots=True)
class Principal:
    """The signed-in person and the tenant they act for."""

    user_id: uuid.UUID
    session_id: uuid.UUID
    tenant_id: uuid.UUID | None
    role: str | None
    email: str
    name: str = ""
    tenant_name: str = ""
    amr: tuple[str, ...] = ()  # by what means they were recognised (RFC 8176): "pwd", "otp", "pop", …
    proven_at: datetime | None = None  # when they last proved who they are
    language: str = ""  # the one they chose on their account, if they did
    is_operator: bool = False  # of the installation, whatever organisation they act for

    @property
    def acr(self) -> str:
        """How sure we are of the person: "2" after two factors, "1" after one."""
        return "2" if "mfa" in self.amr else "1"


@dataclass(slots=True)
class Ctx:
    """One request's or job's context. `db` is its one transaction, committed at the edge."""

    scope: Scope
    runtime: Runtime
    trace_id: str
    principal: Principal | None = None
    tx: Tx | None = None
    host: str = ""
    client: str = ""  # the peer's network address
    after_commit: list[Callable[[], Awaitable[None] | None]] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def db(self) -> Tx:
        """The transaction. Routes declared `transaction=False` open their own with `begin()`."""
        assert self.tx is not None, "this route runs without a transaction; use ctx.begin()"
        return self.tx

    @property
    def user(self) -> Principal:
        """The signed-in person; the edge has already refused when a route needs one."""
        assert self.principal is not None, "this route is public"
        return self.principal

    @property
    def tenant_id(self) -> uuid.UUID:
        assert self.scope.tenant_id is not None, "no tenant in this context"
        return self.scope.tenant_id

    def is_on(self, flag: str) -> bool:
        """Say whether a declared feature is on for whoever this is about: by tenant, else by person."""
        return self.runtime.flags.is_on(flag, self)

    def now(self) -> datetime:
        return self.runtime.now()

    def new_id(self) -> uuid.UUID:
        return self.runtime.new_id()

    def begin(self, scope: Scope | None = None) -> Any:
        """Open a transaction of its own: `async with ctx.begin() as tx`. Commits on clean exit."""
        return self.runtime.database.begin(scope or self.scope)


def utc_now() -> datetime:
    """The wall clock; the only place that reads it."""
    return datetime.now(UTC)
