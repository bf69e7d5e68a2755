"""The tree over the ends of all chains, and the keys that sign its root. Covers: keys, merkle."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.kernel.audit.keys import AuditKeys, key_from, key_id, key_text
from shipworthy.kernel.audit.merkle import leaf_of, path_of, root_by, root_of


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=40), st.data())
def test_a_path_leads_to_the_root_from_its_own_leaf_only(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    path, root = path_of(leaves, index), root_of(leaves)
    assert root_by(leaves[index], index=index, leaves=len(leaves), path=path) == root
    assert root_by(b"x" * 32, index=index, leaves=len(leaves), path=path) != root
    assert root_by(leaves[index], index=index, leaves=len(leaves), path=[*path, root]) is None
    assert root_by(leaves[index], index=len(leaves), leaves=len(leaves), path=path) is None
    if path:
        assert root_by(leaves[index], index=index, leaves=len(leaves), path=path[:-1]) is None


def test_a_public_key_survives_being_passed_on() -> None:
    keys = AuditKeys((b"first", b"second"))
    assert [key_from(key_text(public)) for public in keys.own] == keys.own
    kid, signature = keys.sign(b"said")
    assert kid == key_id(keys.own[0])
    assert keys.proves(kid, b"said", signature)
    assert not keys.proves(kid, b"other", signature)
    assert not keys.proves(key_id(keys.own[1]), b"said", signature)
    for nonsense in ("", "AAAA", "ä" * 43):
        with pytest.raises(ValueError, match=r"32 bytes|ASCII|base64|padding|Invalid"):
            key_from(nonsense)


def test_ids_of_tenants_are_not_confused() -> None:
    first, second = uuid.uuid4(), uuid.uuid4()
    assert leaf_of(first, seq=1, head=b"x") != leaf_of(second, seq=1, head=b"x")
    assert leaf_of(first, seq=1, head=b"x") != leaf_of(first, seq=2, head=b"x")
