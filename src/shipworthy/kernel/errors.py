"""Expected refusals, in one tree. Only the HTTP edge turns a kind into a status.

    Refusal
    ├── Invalid      the request is understood and wrong            (422)
    ├── SignInNeeded nobody is signed in                            (401)
    ├── Forbidden    signed in, and not allowed                     (403)
    ├── Missing      there is no such thing, for this tenant        (404)
    ├── Conflict     the thing is not in a state that permits it    (409)
    ├── TooMany      this caller asked too often                    (429)
    ├── Busy         we cannot do it now; try again                 (503)
    └── Upstream     somebody we depend on failed                   (502)

A message says what happened, to which thing, and what to do next. It never holds another
tenant's data or a secret. Codes are stable and documented in docs/reference/errors.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from shipworthy.kernel.language import _, mark


class Refusal(Exception):
    """An expected refusal with a stable `code`. `fields` names what was wrong, by field.

    `members` are said beside these where a protocol has words of its own (RFC 9457, 3.2).
    """

    kind: ClassVar[str] = "invalid"
    members: Mapping[str, str | int] = {}

    def __init__(
        self,
        code: str,
        message: str,
        *,
        fields: Mapping[str, str] | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fields = dict(fields or {})
        self.retry_after_s = retry_after_s
        self.page: Any = None

    def shown_on(self, page: Any) -> Self:
        """Let a person see `page` (their form, filled in again) instead of the general error page."""
        self.page = page
        return self


class Invalid(Refusal):
    kind = "invalid"


class SignInNeeded(Refusal):
    kind = "sign_in"


class Forbidden(Refusal):
    kind = "forbidden"


class Missing(Refusal):
    """There is no such thing. Another tenant's thing answers with the very same bytes."""

    kind = "missing"

    def __init__(self, what: str = mark("page")) -> None:
        super().__init__(
            "not_found",
            _("There is no such {what}. Check the address, or go back to the list.", what=_(what)),
        )


class Conflict(Refusal):
    kind = "conflict"


class TooMany(Refusal):
    kind = "too_many"


class Busy(Refusal):
    kind = "busy"


class Upstream(Refusal):
    kind = "upstream"
