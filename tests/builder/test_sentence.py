"""From a sentence to a spec: a local stub answers like OpenAI's chat completions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from shipworthy.builder.sentence import Endpoint, Unasked, endpoint_from, sentence_schema, spec_of_sentence
from shipworthy.builder.spec import SpecRefused
from tests.support.model import Model, running_model

GOOD = '{"app": {"name": "Plumber", "rooms": ["invoicing"]}}'


@pytest.fixture
def stub() -> Iterator[Model]:
    with running_model() as model:
        yield model


def only_rooms(data: dict[str, Any]) -> list[str]:
    """Stand for what checks a spec: one room is known."""
    rooms: list[str] = data["app"]["rooms"]
    if rooms != ["invoicing"]:
        raise SpecRefused(f"there is no room {rooms[0]!r}; did you mean 'invoicing'?")
    return rooms


def ask(stub: Model, sentence: str = "invoices for a plumber") -> list[str]:
    endpoint = Endpoint(url=stub.url, model="small", key="k3y")
    return spec_of_sentence(sentence, endpoint=endpoint, rooms={"invoicing": "Invoices."}, check=only_rooms)


def test_the_model_fills_in_the_spec_under_its_schema(stub: Model) -> None:
    stub.answers = [f"```json\n{GOOD}\n```"]
    assert ask(stub) == ["invoicing"]
    asked = stub.asked[0]
    assert asked["response_format"]["json_schema"]["schema"] == sentence_schema()
    assert (asked["model"], asked["messages"][-1]["content"]) == ("small", "invoices for a plumber")
    assert "- invoicing: Invoices." in asked["messages"][0]["content"]
    assert stub.keys == ["Bearer k3y"]


@pytest.mark.parametrize(
    ("wrong", "shown"),
    [
        ("I would love to help!", "is not JSON"),
        ("[]", "one JSON object"),
        ('{"app": {"rooms": ["invoicng"]}}', "did you mean 'invoicing'"),
        ('{"app": {"rooms": ["invoicing"]}, "db": {"provider": "url"}}', "not db"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_a_wrong_answer_is_shown_back_and_mended(stub: Model, wrong: str, shown: str) -> None:
    stub.answers = [wrong, GOOD]
    assert ask(stub) == ["invoicing"]
    assert shown in stub.asked[1]["messages"][-1]["content"]


def test_a_third_wrong_answer_is_the_last(stub: Model) -> None:
    stub.answers = ["no", "no", "no", GOOD]
    with pytest.raises(SpecRefused, match="refused 3 times, at last because: the answer is not JSON"):
        ask(stub)
    assert len(stub.asked) == 3


def test_an_endpoint_that_knows_no_schemas_is_asked_without(stub: Model) -> None:
    stub.answers = [(400, "unknown response_format"), GOOD]
    assert ask(stub) == ["invoicing"]
    assert "response_format" not in stub.asked[1]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((401, "k3y is wrong"), "answered 401"),
        ((500, ""), "answered 500"),
        ((200, "<html>"), "does not answer like OpenAI"),
        ((200, '{"choices": []}'), "does not answer like OpenAI"),
        ((302, ""), "answered 302"),
    ],
)
def test_an_endpoint_that_fails_is_told_in_one_sentence_without_the_key(
    stub: Model, answer: tuple[int, str], words: str
) -> None:
    stub.answers = [answer]
    with pytest.raises(Unasked, match=words) as refused:
        ask(stub)
    assert "k3y" not in str(refused.value)
    assert len(stub.asked) == 1


def test_an_endpoint_that_is_not_there_is_told(stub: Model) -> None:
    gone = Endpoint(url="http://127.0.0.1:1", model="small")
    with pytest.raises(Unasked, match="does not answer"):
        spec_of_sentence("x", endpoint=gone, rooms={}, check=only_rooms)
    with pytest.raises(SpecRefused, match="1 to 2000 characters"):
        ask(stub, " ")


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "SHIPWORTHY_MODEL_URL is not set"),
        ({"SHIPWORTHY_MODEL_URL": "localhost:1"}, "begins with http"),
        ({"SHIPWORTHY_MODEL_URL": "file:///etc/passwd"}, "begins with http"),
        ({"SHIPWORTHY_MODEL_URL": "http://models.example/v1", "SHIPWORTHY_MODEL_KEY": "k3y"}, "use https://"),
    ],
)
def test_an_environment_without_a_safe_endpoint_is_refused(environment: dict[str, str], words: str) -> None:
    with pytest.raises(Unasked, match=words) as refused:
        endpoint_from(environment)
    assert "k3y" not in str(refused.value)
    assert (
        endpoint_from({"SHIPWORTHY_MODEL_URL": "https://models.example/v1/"}).url
        == "https://models.example/v1"
    )
