"""Flags: read again while the app runs, the same for colleagues, and a broken file changes nothing.

Covers: flags, provider, file, targeting.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openfeature.evaluation_context import EvaluationContext

from shipworthy.contract.strict import Undecodable
from shipworthy.kernel.flags.file import read_flags
from shipworthy.kernel.flags.provider import LOOK_AGAIN_S, FileProvider
from shipworthy.kernel.flags.targeting import evaluate, murmur3


def flag(**said: Any) -> dict[str, Any]:
    return {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off", **said}


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def write(path: Path, flags: dict[str, Any] | str) -> None:
    """As an editor does: whole, then renamed."""
    draft = path.with_suffix(".new")
    draft.write_text(flags if isinstance(flags, str) else json.dumps({"flags": flags}))
    os.replace(draft, path)


def ask(provider: FileProvider, name: str = "x", *, key: str = "t", **facts: str) -> bool:
    return provider.resolve_boolean_details(name, False, EvaluationContext(key, dict(facts))).value


def test_a_changed_file_is_in_force_within_a_second_and_a_killed_flag_is_its_default(tmp_path: Path, clock: Clock) -> None:  # fmt: skip
    file = tmp_path / "flags.json"
    provider = FileProvider(file, clock=clock)
    assert not ask(provider)
    write(file, {"x": flag(defaultVariant="on")})
    assert not ask(provider)
    clock.now_s += LOOK_AGAIN_S
    assert LOOK_AGAIN_S < 1.0
    assert ask(provider)
    write(file, {"x": flag(defaultVariant="on", state="DISABLED")})
    clock.now_s += LOOK_AGAIN_S
    assert not ask(provider)


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ("{", "not valid JSON"),
        ("[]", "flags"),
        ({"x": flag(state="enabled")}, "ENABLED"),
        ({"x": flag(defaultVariant="maybe")}, "defaultVariant"),
        ({"x": flag(defaultvariant="on")}, "x.defaultvariant"),
        ({"x": flag(variants={})}, "variants"),
        ({"x": flag(targeting={"sem_ver": [1, "=", 2]})}, "sem_ver"),
        ({"x": flag(targeting={"fractional": [["on", 10], ["of", 90]]})}, "'of'"),
        ({"x": flag(targeting={"fractional": [["on", 0]]})}, "add up to nothing"),
        ({"x": flag(targeting={"if": [True, "on"], "or": []})}, "one operator"),
        ("[" * 100_000, "not valid JSON"),
    ],
)
def test_a_file_that_is_not_understood_changes_nothing_and_says_where(tmp_path: Path, clock: Clock, broken: Any, words: str) -> None:  # fmt: skip
    file = tmp_path / "flags.json"
    write(file, {"x": flag(defaultVariant="on")})
    provider = FileProvider(file, clock=clock)
    write(file, broken)
    clock.now_s += LOOK_AGAIN_S
    assert ask(provider)
    assert words in provider.problem
    with pytest.raises(Undecodable):
        read_flags(file.read_text())
    write(file, {"x": flag()})
    clock.now_s += LOOK_AGAIN_S
    assert not ask(provider)
    assert provider.problem == ""


def test_a_tenant_may_be_named_and_a_share_sticks(tmp_path: Path, clock: Clock) -> None:
    file = tmp_path / "flags.json"
    rule = {"if": [{"in": [{"var": "tenant"}, ["acme"]]}, "on", {"fractional": [["on", 25], ["off", 75]]}]}
    write(file, {"x": flag(targeting=rule), "y": flag(targeting=rule)})
    provider = FileProvider(file, clock=clock)
    assert ask(provider, tenant="acme")
    keys = [f"tenant-{number}" for number in range(2_000)]
    first = [ask(provider, key=key) for key in keys]
    assert [ask(provider, key=key) for key in keys] == first
    assert 0.2 < sum(first) / len(first) < 0.3
    assert [ask(provider, "y", key=key) for key in keys] != first


def test_who_is_in_stays_in_when_the_share_grows() -> None:
    def has(percent: int, key: str) -> bool:
        rule = {"fractional": [["on", percent], ["off", 100 - percent]]}
        return bool(evaluate(rule, {}, flag="x", key=key) == "on")

    for number in range(500):
        assert has(50, str(number)) or not has(10, str(number))


def test_the_hash_is_murmur3_as_others_compute_it() -> None:
    """The test vectors that implementations share."""
    assert murmur3(b"") == 0
    assert murmur3(b"\x00\x00\x00\x00") == 0x2362F9DE
    assert murmur3(b"a") == 0x3C2569B2
    assert murmur3(b"Hello, world!") == 0xC0363E43
    assert murmur3(b"The quick brown fox jumps over the lazy dog") == 0x2E4FF723


RULES = st.recursive(
    st.none() | st.booleans() | st.text(max_size=5) | st.integers(),
    lambda inner: st.dictionaries(
        st.sampled_from(["if", "and", "or", "==", "!=", "!", "in", "var", "starts_with", "ends_with"]),
        st.lists(inner, max_size=4) | inner,
        min_size=1,
        max_size=1,
    ),
    max_leaves=12,
)


@given(RULES)
def test_whatever_the_file_accepts_can_be_asked(rule: Any) -> None:
    text = json.dumps({"flags": {"x": flag(targeting=rule)}})
    try:
        state = read_flags(text).flags["x"]
    except Undecodable:
        return
    evaluate(state.targeting, {"tenant": "a", "user": "b"}, flag="x", key="a")


def test_another_type_than_asked_for_is_the_default(tmp_path: Path, clock: Clock) -> None:
    file = tmp_path / "flags.json"
    write(
        file,
        {
            "x": flag(variants={"on": 3}, defaultVariant="on"),
            "s": flag(variants={"a": "b"}, defaultVariant="a"),
        },
    )
    provider = FileProvider(file, clock=clock)
    assert provider.resolve_boolean_details("x", True).value is True
    assert provider.resolve_integer_details("x", 1).value == 3
    assert provider.resolve_float_details("x", 1.5).value == 3
    assert provider.resolve_string_details("s", "").value == "b"
    assert provider.resolve_object_details("s", {}).value == {}
    assert provider.get_metadata().name == "flags.json"
