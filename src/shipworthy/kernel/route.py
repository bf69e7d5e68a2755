"""Routes are declarations: what is said here becomes validation, manifest, metrics and audit (D7)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from shipworthy.kernel.source import line_of_code

if TYPE_CHECKING:
    from shipworthy.kernel.errors import Refusal
    from shipworthy.kernel.runtime import Runtime

Handler = Callable[..., Awaitable[Any]]
# Asked with a request's head before its body is read; what it returns is answered at once, in the same words
# for everybody: the words of one code must never differ.
Door = Callable[[Mapping[str, Any]], "Refusal | None"]


@dataclass(frozen=True, kw_only=True)
class Route:
    """One declared route. `handler(ctx, *path_params, body)` returns a value or a Reply."""

    method: str
    path: str
    handler: Handler
    title: str = ""
    auth: Literal["public", "session", "operator"] = "session"
    permission: str | None = None
    step_up_s: int | None = None  # whoever asks must have proven who they are within so many seconds
    media: Literal["json", "html", "file"] = "json"
    body: type[Any] | None = None  # msgspec Struct; JSON or form by content type
    returns: type[Any] | None = None
    query: type[Any] | None = None  # msgspec Struct of the query string
    status: int = 200
    idempotency: Literal["none", "key"] = "none"
    effect: Literal["read", "create", "change", "end"] = "read"  # "end": of the account itself
    transaction: bool = True
    example: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)  # what a valid request also sends, e.g. if-match
    params: Mapping[str, str] = field(default_factory=dict)  # path parameter -> sample
    slo: str | None = None
    queries_max: int | None = None
    body_bytes_max: int | None = None
    audit: str | None = None
    personal: tuple[str, ...] = ()
    meter: str | None = None
    flag: str | None = None
    screened: bool = True  # the edge looks for attacks in its body; not where people write pages and code
    door: Callable[[Runtime], Door] | None = None

    @property
    def source(self) -> str:
        """Where the handler stands, as module path and line."""
        return line_of_code(self.handler)


def route(method: str, path: str, handler: Handler, **declared: Any) -> Route:
    """Declare a route; a positional method, path and handler read best in a table."""
    return Route(method=method, path=path, handler=handler, **declared)
