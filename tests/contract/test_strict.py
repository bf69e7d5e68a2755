"""Strict decoding: whatever does not fit is refused with its place and the nearest name."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from shipworthy.contract.finding import Distribution, Measure
from shipworthy.contract.manifest import Manifest
from shipworthy.contract.strict import Undecodable, decode, encode
from shipworthy.contract.target import GauntletFile
from shipworthy.contract.verdict import ExitCode, Verdict

GAUNTLET = """\
# a stranger's app
[target]
name = "Acme"
start = "uvicorn app:app --port {port}"

[[slo]]
name = "login"
quantile = 0.95
threshold_ms = 200

[[slo]]
name = "list"
quantile = 0.95
threshold_ms = 300

[[journey]]
name = "login"
slo = "login"
rate_per_s = 5
steps = [
    { method = "GET", path = "/login" },
    { method = "POST", path = "/login", form = { email = "{user.email}" } },
]
"""


def refusal(cls: type[Any], text: str, *, source: str = "gauntlet.toml") -> Undecodable:
    with pytest.raises(Undecodable) as caught:
        decode(cls, tomllib.loads(text), source=source, text=text)
    return caught.value


def changed(old: str, new: str) -> str:
    assert old in GAUNTLET
    return GAUNTLET.replace(old, new)


def test_a_whole_gauntlet_file_decodes_with_defaults_filled_in() -> None:
    file = decode(GauntletFile, tomllib.loads(GAUNTLET))
    assert file.target.name == "Acme"
    assert file.target.health == "/"
    assert [s.threshold_ms for s in file.slo] == [200.0, 300.0]
    assert file.journey[0].steps[1].form == {"email": "{user.email}"}


def test_an_unknown_key_is_refused_with_its_line_and_the_nearest_name() -> None:
    error = refusal(GauntletFile, changed('start = "uvicorn', 'strat = "uvicorn'))
    assert str(error) == "gauntlet.toml:4: unknown key 'target.strat'; did you mean 'start'?"
    assert (error.path, error.line) == ("target.strat", 4)


def test_an_unknown_section_is_refused_with_its_line_and_the_nearest_name() -> None:
    error = refusal(GauntletFile, changed("[target]", "[traget]"))
    assert str(error) == "gauntlet.toml:2: unknown key 'traget'; did you mean 'target'?"


def test_an_unknown_key_with_nothing_near_lists_what_is_known() -> None:
    error = refusal(GauntletFile, changed('name = "Acme"', 'name = "Acme"\nzzz = 1'))
    assert "unknown key 'target.zzz'; known: name, start, url" in str(error)


def test_a_mistake_in_the_second_of_two_tables_names_the_second_ones_line() -> None:
    error = refusal(GauntletFile, changed("threshold_ms = 300", 'threshold_ms = "300"'))
    assert str(error) == "gauntlet.toml:14: slo.1.threshold_ms must be a number, not '300'"


def test_a_missing_key_names_the_table_it_is_missing_from() -> None:
    error = refusal(GauntletFile, changed('name = "list"\n', ""))
    assert str(error) == "gauntlet.toml:11: missing key 'slo.1.name'"


def test_a_missing_section_is_named_without_a_line() -> None:
    error = refusal(GauntletFile, "")
    assert str(error) == "gauntlet.toml: missing key 'target'"
    assert error.line is None


def test_a_mistake_inside_an_inline_table_names_the_line_it_stands_on() -> None:
    error = refusal(GauntletFile, changed('form = { email = "{user.email}" }', 'fomr = { email = "x" }'))
    assert str(error) == "gauntlet.toml:22: unknown key 'journey.0.steps.1.fomr'; did you mean 'form'?"


def test_a_mistake_that_stands_on_several_lines_names_the_key_that_holds_it() -> None:
    error = refusal(GauntletFile, changed('"POST", path = "/login"', '"POST", path = 7'))
    assert str(error) == "gauntlet.toml:20: journey.0.steps.1.path must be text, not 7"


def test_a_list_in_brackets_is_not_mistaken_for_a_section() -> None:
    text = '[target]\nname = "a"\nenv = { A = "b" }\n[[route]]\nexpect = [\n[1],\n]\npath = "/"\nmehtod = "GET"\n'
    text = text.replace("[1],", "200,\n  # [target]")
    assert refusal(GauntletFile, text).line == 10


def test_text_over_several_lines_is_not_searched_for_keys() -> None:
    text = '[target]\nname = "a"\nstart = """\nworkdri = 1\n"""\nworkdri = "x"\n'
    assert refusal(GauntletFile, text).line == 6


def test_dotted_and_quoted_keys_are_found_too() -> None:
    assert refusal(GauntletFile, 'target.name = "a"\ntarget."strat" = "x"\n').line == 2
    assert refusal(GauntletFile, '[target]\nname = "a"\n[target.env]\nA = "b"\nB = 1\n').line == 5


def test_a_section_of_a_table_in_a_list_belongs_to_the_last_one() -> None:
    text = '[target]\nname = "a"\n[[route]]\npath = "/1"\n[route.json]\na = 1\n[[route]]\npath = 2\n'
    error = refusal(GauntletFile, text)
    assert (error.path, error.line) == ("route.1.path", 8)


def test_a_mistake_in_a_json_manifest_names_its_line() -> None:
    text = json.dumps({"app": "Acme", "routes": [{"name": "a"}, {"name": "b", "paht": "/"}]}, indent=1)
    with pytest.raises(Undecodable) as caught:
        decode(Manifest, json.loads(text.replace('"a"', '"a", "room":"r","method":"GET","path":"/"')))
    assert caught.value.line is None
    whole = text.replace('"name": "a"', '"name": "a:{[", "room":"r","method":"GET","path":"/"')
    with pytest.raises(Undecodable) as caught:
        decode(Manifest, json.loads(whole), source="manifest.json", text=whole)
    line = next(n for n, text_line in enumerate(whole.splitlines(), 1) if "paht" in text_line)
    assert str(caught.value) == (f"manifest.json:{line}: unknown key 'routes.1.paht'; did you mean 'path'?")


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("name = 7", "target.name must be text, not 7"),
        ('name = "a"\nstart_timeout_s = true', "target.start_timeout_s must be a number, not True"),
        ('name = "a"\nstart_timeout_s = "1"', "target.start_timeout_s must be a number, not '1'"),
        ('name = "a"\nstart_timeout_s = inf', "target.start_timeout_s must be a finite number, not inf"),
        ('name = "a"\nstart_timeout_s = nan', "target.start_timeout_s must be a finite number, not nan"),
        ('name = "a"\nallow_faults = 1', "target.allow_faults must be true or false, not 1"),
        ('name = "a"\nenv = ["A"]', "target.env must be a table, not ['A']"),
        ('name = "a"\nenv = { A = 1 }', "target.env.A must be text, not 1"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_in_words(value: str, complaint: str) -> None:
    assert complaint in str(refusal(GauntletFile, f"[target]\n{value}\n"))


def test_a_section_that_should_be_a_table_is_refused() -> None:
    assert str(refusal(GauntletFile, "target = 1\n")) == "gauntlet.toml:1: target must be a table, not 1"
    assert "slo must be a list, not 'x'" in str(refusal(GauntletFile, 'slo = "x"\n[target]\nname = "a"\n'))


def test_a_word_outside_the_allowed_ones_lists_them() -> None:
    text = '[target]\nname = "a"\n[[route]]\npath = "/"\nidempotency = "maybe"\n'
    assert "route.0.idempotency must be one of 'none', 'key', not 'maybe'" in str(refusal(GauntletFile, text))


def test_a_number_with_a_point_is_not_taken_for_a_whole_one() -> None:
    text = '[target]\nname = "a"\n[[route]]\npath = "/"\nqueries_max = 1.5\n'
    assert "queries_max must be a whole number, not 1.5" in str(refusal(GauntletFile, text))


def test_a_pair_of_the_wrong_length_is_refused_in_words() -> None:
    data = {"journey": "login", "threshold_ms": None, "points": [[1.0, 0.5], [2.0]]}
    with pytest.raises(Undecodable, match=r"points\.1 must be a list of 2, not \[2\.0\]"):
        decode(Distribution, data)


def test_an_unknown_verdict_is_refused_with_the_known_ones() -> None:
    @dataclass(frozen=True)
    class Answer:
        verdict: Verdict

    assert decode(Answer, {"verdict": "NOT MEASURED"}).verdict is Verdict.NOT_MEASURED
    for wrong in ("SKIPPED", 3, ["PASS"], None):
        with pytest.raises(
            Undecodable, match="must be one of 'PASS', 'FAIL', 'INCONCLUSIVE', 'NOT MEASURED'"
        ):
            decode(Answer, {"verdict": wrong})


def test_none_is_taken_only_where_it_may_stand() -> None:
    assert decode(Measure, {"name": "p95", "unit": "ms", "estimate": 1, "bound": None}).bound is None
    with pytest.raises(Undecodable, match="estimate must be a number, not None"):
        decode(Measure, {"name": "p95", "unit": "ms", "estimate": None})


def test_encode_is_the_inverse_of_decode_and_plain_json() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Everything:
        kind: Literal["a", "b"] = "a"
        verdict: Verdict = Verdict.NOT_MEASURED
        code: ExitCode = ExitCode.INVALID_RUN
        pairs: tuple[tuple[float, str], ...] = ((1.5, "x"),)
        names: list[str] = field(default_factory=lambda: ["n"])
        facts: dict[str, float] = field(default_factory=lambda: {"f": 0.25})
        anything: Any = None
        nested: Measure | None = field(default_factory=lambda: Measure(name="m", unit="ms", estimate=2.0))

    whole = Everything(anything={"deep": [1, None]})
    plain = encode(whole)
    assert json.loads(json.dumps(plain)) == plain
    assert type(plain["verdict"]) is str
    assert type(plain["code"]) is int
    assert plain["pairs"] == [[1.5, "x"]]
    assert decode(Everything, plain) == whole
