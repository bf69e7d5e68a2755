"""The rules below the factors, by their standards.

Covers: totp, sealing, means, qr.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest

from shipworthy.rooms.auth.factors.means import amr_of
from shipworthy.rooms.auth.factors.qr import svg
from shipworthy.rooms.auth.factors.sealing import seal, unseal
from shipworthy.rooms.auth.factors.totp import address, code_at, step_of

SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_codes_are_those_of_rfc_6238(seconds: int, code: str) -> None:
    assert code_at(SECRET, seconds // 30, digits=8) == code


def test_a_code_is_good_one_step_either_way_and_no_further() -> None:
    now = datetime.fromtimestamp(1111111111, UTC)
    step = 1111111111 // 30
    for off in (-2, -1, 0, 1, 2):
        expected = step + off if abs(off) <= 1 else None
        assert step_of(SECRET, code_at(SECRET, step + off), now=now) == expected
    for wrong in ("", "0000000", "٠١٢٣٤٥", "\udcff"):
        assert step_of(SECRET, wrong, now=now) is None


def test_a_seal_opens_for_its_person_with_its_key_only() -> None:
    realm_id, user_id = uuid.uuid4(), uuid.uuid4()
    sealed = seal(b"key", SECRET, realm_id=realm_id, user_id=user_id)
    assert SECRET not in sealed
    assert sealed != seal(b"key", SECRET, realm_id=realm_id, user_id=user_id)
    assert unseal(b"key", sealed, realm_id=realm_id, user_id=user_id) == SECRET
    assert unseal(b"other", sealed, realm_id=realm_id, user_id=user_id) is None
    assert unseal(b"key", sealed, realm_id=realm_id, user_id=uuid.uuid4()) is None
    assert unseal(b"key", sealed, realm_id=uuid.uuid4(), user_id=user_id) is None
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    assert unseal(b"key", changed, realm_id=realm_id, user_id=user_id) is None
    assert unseal(b"key", b"short", realm_id=realm_id, user_id=user_id) is None


def test_the_qr_code_holds_the_address_and_no_script() -> None:
    text = address(SECRET, issuer="Ship & Co", account="a@b.example")
    assert text == (
        "otpauth://totp/Ship%20%26%20Co%3Aa%40b.example"
        "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Ship%20%26%20Co"
    )
    markup = svg(text, label="<QR & co>")
    assert markup.startswith("<svg") and "<script" not in markup and "&lt;QR &amp; co&gt;" in markup
    assert " style=" not in markup  # the content policy allows none


@pytest.mark.parametrize(
    ("means", "amr"),
    [
        (("pwd",), ("pwd",)),
        (("pwd", "otp"), ("pwd", "otp", "mfa")),
        (("pop", "user"), ("pop", "user", "mfa")),
        (("pop",), ("pop",)),
        (("pwd", "mail"), ("pwd", "mail")),
        (("pwd", "otp", "mfa", "otp"), ("pwd", "otp", "mfa")),
    ],
)
def test_two_kinds_of_proof_are_two_factors(means: tuple[str, ...], amr: tuple[str, ...]) -> None:
    assert amr_of(*means) == amr
