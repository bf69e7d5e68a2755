"""`Flags`: is something on, for whom? One question for pages, handlers and jobs, answered through OpenFeature.

What a flag is, the rooms declare (`Room.flags`); for whom it is on, `flags.json` says. It sticks by
tenant, so that colleagues see the same; who acts for no tenant, by person.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from openfeature import api
from openfeature.evaluation_context import EvaluationContext
from openfeature.provider.no_op_provider import NoOpProvider

from shipworthy.contract.manifest import Flag
from shipworthy.kernel.flags.provider import FileProvider

if TYPE_CHECKING:
    from shipworthy.kernel.context import Ctx

_NUMBER = itertools.count(1)  # each runtime of a process asks its own file


class Flags:
    """The flags of one runtime. Cost: some 20 µs a question."""

    def __init__(self, file: Path, declared: Sequence[Flag]) -> None:
        self.provider = FileProvider(file)
        self._defaults = {flag.name: flag.default for flag in declared}
        self._domain = f"shipworthy-{next(_NUMBER)}"
        api.set_provider_and_wait(self.provider, domain=self._domain)
        self._client = api.get_client(domain=self._domain)

    def is_on(self, name: str, ctx: Ctx) -> bool:
        """Return what the file says for whoever asks; the declared default where it says nothing."""
        assert name in self._defaults, f"no room declares the flag {name!r}"
        return self._client.get_boolean_value(name, self._defaults[name], _whom(ctx))

    def close(self) -> None:
        """Let go of the file; OpenFeature's registry is of the whole process."""
        api.set_provider_and_wait(NoOpProvider(), domain=self._domain)


def _whom(ctx: Ctx) -> EvaluationContext:
    person = ctx.principal
    tenant = str(ctx.scope.tenant_id) if ctx.scope.tenant_id else ""
    user = str(person.user_id) if person else ""
    facts = {"realm": str(ctx.scope.realm_id), "tenant": tenant, "user": user, "role": (person.role or "") if person else ""}  # fmt: skip
    return EvaluationContext(targeting_key=tenant or user or str(ctx.scope.realm_id), attributes=facts)
