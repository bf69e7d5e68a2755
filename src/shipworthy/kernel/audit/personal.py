"""Personal values in the trail: the chain holds a salted commitment, the value and its salt lie beside it, erasable.

    detail = {"email": {"commitment": "sha256 of salt and value, as hex"}}

Who has the value and its salt can prove that it is what was recorded; once both are erased the commitment says
nothing about anybody, and not a bit of the chain has changed.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shipworthy.kernel.audit.record import record
from shipworthy.kernel.context import Ctx
from shipworthy.kernel.db.queries import load_queries
from shipworthy.kernel.db.tx import Tx

q = load_queries(Path(__file__).parent.parent / "queries.sql", room="kernel")

_SALT_BYTES = 16


async def record_personal(
    ctx: Ctx,
    action: str,
    *,
    of: str,
    id: object,
    personal: Mapping[str, str],
    subject: str,
    detail: Mapping[str, Any] | None = None,
    tx: Tx | None = None,
) -> None:
    """Record as `record` does, in a tenant, with `personal` values that can be erased by their `subject`.

    A subject is whom they are about, in words of the room: "user:<id>", "address:<e-mail address>".
    """
    transaction = tx or ctx.db
    salts = {name: secrets.token_bytes(_SALT_BYTES) for name in personal}
    sealed = {name: {"commitment": commitment(value, salts[name])} for name, value in personal.items()}
    audit_id = await record(ctx, action, of=of, id=id, detail={**(detail or {}), **sealed}, tx=transaction)
    await transaction.many(
        q.audit_personal_write,
        [
            {"audit_id": audit_id, "name": name, "subject": subject, "value": value, "salt": salts[name]}
            for name, value in personal.items()
        ],
    )


async def erase_personal(ctx: Ctx, subject: str, *, tx: Tx | None = None) -> int:
    """Erase all values about a subject in this tenant; return how many. The trail keeps that it was done."""
    transaction = tx or ctx.db
    erased = await transaction.run(q.audit_personal_erase, subject=subject)
    if erased:  # the row does not say of whom: it stays
        kind = subject.partition(":")[0]
        await record(ctx, "audit.personal_erased", of="subject", id=kind, detail={"values": erased}, tx=tx)
    return erased


async def personal_of(tx: Tx, audit_ids: list[uuid.UUID]) -> dict[uuid.UUID, dict[str, dict[str, str]]]:
    """Return the values that are still there, by row and name, each with its salt."""
    found: dict[uuid.UUID, dict[str, dict[str, str]]] = {}
    for row in await tx.all(q.audit_personal_get, audit_ids=audit_ids):
        value = {"value": row["value"], "salt": bytes(row["salt"]).hex()}
        found.setdefault(row["audit_id"], {})[row["name"]] = value
    return found


def commitment(value: str, salt: bytes) -> str:
    return hashlib.sha256(salt + value.encode()).hexdigest()


def unproven(detail: Mapping[str, Any], values: Mapping[str, Mapping[str, str]]) -> str | None:
    """Return the name of a value that is not what the chain committed to; None where all are."""
    for name, said in values.items():
        committed = detail.get(name)
        if not isinstance(committed, dict) or committed.get("commitment") != commitment(
            said["value"], bytes.fromhex(said["salt"])
        ):
            return name
    return None
