"""Proving an export without a database: the file's hash, the chain in it, its values, and the anchor's signature."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from shipworthy.kernel.audit.anchors import FORMAT as ANCHOR_FORMAT
from shipworthy.kernel.audit.chain import Break, first_break
from shipworthy.kernel.audit.export import FORMAT, MANIFEST, Kind, Manifest, Proof, rows_in
from shipworthy.kernel.audit.keys import is_signed, key_from, key_id
from shipworthy.kernel.audit.merkle import leaf_of, root_by
from shipworthy.kernel.audit.personal import unproven

_CHUNK_BYTES = 1024 * 1024


class NotAnExport(Exception):
    """What was given is no export of a trail; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Proven:
    """What an export proves. `broken` is the first row that does not hold; `problems` is what else is wrong.

    `anchored` is the row that a signed anchor vouches for, with every row before it; None without an anchor.
    `signed_by` is the id of the key that signed it, and `is_key_known` whether it is one the caller trusts.
    """

    manifest: Manifest
    broken: Break | None
    problems: tuple[str, ...]
    anchored: int | None = None
    signed_by: str = ""
    is_key_known: bool = False

    @property
    def holds(self) -> bool:
        return self.broken is None and not self.problems


def prove_export(place: Path, *, trusted: Mapping[str, bytes]) -> Proven:
    """Prove the export in a folder or a ZIP file; `trusted` are public keys by their ids.

    Errors:  NotAnExport; OSError.
    """
    with _files_of(place) as opened:
        with opened(MANIFEST) as file:
            manifest = _manifest(file.read())
        problems = []
        with opened(manifest.file) as file:
            if _sha256(file) != manifest.sha256:
                problems.append(
                    f"{manifest.file} is not the file that the manifest names: its SHA-256 differs"
                )
        with opened(manifest.file) as file:
            walk = _Walk(manifest)
            try:
                broken = walk.over(rows_in(file, _kind(manifest)))
            except (ValueError, KeyError, TypeError) as unreadable:
                at = walk.rows + 1
                broken = Break(manifest.first_seq + at - 1, f"line {at} cannot be read: {unreadable}")
    problems += walk.problems
    if manifest.anchor is None:
        return Proven(manifest=manifest, broken=broken, problems=tuple(problems))
    said = manifest.anchor
    is_known = said.kid in trusted
    if wrong := _wrong_with(said, manifest, walk.hash_at_anchor, trusted):
        problems.append(wrong)
    return Proven(
        manifest=manifest,
        broken=broken,
        problems=tuple(problems),
        anchored=None if wrong else said.seq,
        signed_by=said.kid,
        is_key_known=is_known,
    )


class _Walk:
    """One walk over the rows, that notes what the manifest is compared with."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._head = bytes.fromhex(manifest.prev)
        self.rows = 0
        self.hash_at_anchor: bytes | None = None
        self.problems: list[str] = []

    def over(self, rows: Iterator[dict[str, Any]]) -> Break | None:
        said = self._manifest
        broken = first_break(self._noted(rows), seq=max(said.first_seq - 1, 0), prev=bytes.fromhex(said.prev))
        if broken is None and (self.rows, self._head.hex()) != (said.rows, said.head):
            return Break(
                said.first_seq + self.rows,
                f"the file ends after {self.rows} of {said.rows} rows: rows were cut off its end"
                if self.rows < said.rows
                else "the last row is not the one that the manifest names",
            )
        return broken

    def _noted(self, rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        anchor = self._manifest.anchor
        for row in rows:
            self.rows += 1
            self._head = row["hash"]
            if anchor is not None and row["seq"] == anchor.seq:
                self.hash_at_anchor = row["hash"]
            if name := unproven(row["detail"], row["personal"]):
                self.problems.append(
                    f"row {row['seq']}: the value of {name!r} is not the one that was recorded"
                )
            yield row


def _wrong_with(
    said: Proof, manifest: Manifest, head: bytes | None, trusted: Mapping[str, bytes]
) -> str | None:
    try:
        public = trusted.get(said.kid) or key_from(said.public_key)
        path = [bytes.fromhex(step) for step in said.path]
    except ValueError:
        return "the anchor in the manifest cannot be read"
    if said.format != ANCHOR_FORMAT or key_id(public) != said.kid:
        return "the anchor in the manifest is of another format or key"
    if head is None:
        return f"the anchor vouches for row {said.seq}, which is not in the file"
    leaf = leaf_of(manifest.tenant, seq=said.seq, head=head)
    root = root_by(leaf, index=said.index, leaves=said.tenants, path=path)
    if root is None or root.hex() != said.root:
        return f"anchor {said.number} does not vouch for row {said.seq}: the chain was written anew"
    if not is_signed(public, said.head.signed, said.signature):
        return f"the signature of anchor {said.number} is wrong"
    return None


def _manifest(text: bytes) -> Manifest:
    try:
        manifest = msgspec.json.decode(text, type=Manifest)
        bytes.fromhex(manifest.prev), bytes.fromhex(manifest.head)
    except (msgspec.DecodeError, ValueError) as broken:
        raise NotAnExport(f"{MANIFEST} is not one of an export: {broken}") from broken
    if manifest.format != FORMAT or manifest.file not in ("audit.csv", "audit.jsonl"):
        raise NotAnExport(f"{MANIFEST} is of another format: {manifest.format!r}, {manifest.file!r}")
    return manifest


def _kind(manifest: Manifest) -> Kind:
    return "csv" if manifest.file.endswith(".csv") else "jsonl"


def _sha256(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def _files_of(place: Path) -> Iterator[Any]:
    """Yield what opens a file of an export by its name."""
    try:
        if place.is_dir():
            yield lambda name: (place / name).open("rb")
            return
        with zipfile.ZipFile(place) as archive:
            yield archive.open
    except (zipfile.BadZipFile, KeyError) as broken:
        raise NotAnExport(f"{place} is neither a folder nor a ZIP file with an export: {broken}") from broken
    except FileNotFoundError as missing:
        raise NotAnExport(f"{missing.filename} is not there") from missing
