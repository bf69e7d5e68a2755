"""From a sentence to a spec, through any endpoint that speaks like OpenAI's chat completions.

The model fills in the spec, under its schema, and never writes code. What it answers is read as strictly as a
person's app.toml; what is wrong with it is shown back to it twice at most.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any, TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from shipworthy.builder.schema import app_schema
from shipworthy.builder.spec import TO_BE_SET, SpecRefused
from shipworthy.contract.strict import Undecodable

T = TypeVar("T")

URL, KEY, MODEL = "SHIPWORTHY_MODEL_URL", "SHIPWORTHY_MODEL_KEY", "SHIPWORTHY_MODEL"
ANSWERS_MAX = 3  # the first one, and one more for each of two times that it was wrong
TIMEOUT_S = 120.0
_ANSWER_BYTES_MAX = 1_000_000
_SENTENCE_CHARS_MAX = 2_000
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
# What a sentence can decide. Where it runs and what it costs is decided by whoever runs it.
SECTIONS = ("app", "auth", "room", "slo", "budget", "sessions")
_BAD_REQUEST = 400


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where the model is asked. The key never stands in a message."""

    url: str
    model: str
    key: str = ""


class Unasked(SpecRefused):
    """No endpoint is there to ask, or it does not answer."""


def endpoint_from(environment: Mapping[str, str]) -> Endpoint:
    """Return the endpoint that the environment names.

    Errors:  Unasked when it names none, or one to which a key must not travel.
    """
    url, key = environment.get(URL, "").strip(), environment.get(KEY, "").strip()
    if not url:
        raise Unasked(
            f"{URL} is not set. Set it to the address of an endpoint that speaks like OpenAI's, such as "
            f"http://localhost:11434/v1, with {KEY} and {MODEL} where it wants them"
        )
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Unasked(f"{URL} must be an address that begins with http:// or https://")
    if parts.scheme == "http" and key and parts.hostname not in _LOOPBACK:
        raise Unasked(f"{URL} is not https://, so the key in {KEY} would travel in the open; use https://")
    return Endpoint(url=url.rstrip("/"), model=environment.get(MODEL, "").strip() or "default", key=key)


def spec_of_sentence(
    sentence: str, *, endpoint: Endpoint, rooms: Mapping[str, str], check: Callable[[dict[str, Any]], T]
) -> T:
    """Return what `check` makes of the model's answer. `rooms` are those of ours, with what each is.

    Errors:  Unasked when the endpoint does not answer; SpecRefused when its third answer is still wrong.
    """
    if not sentence.strip() or len(sentence) > _SENTENCE_CHARS_MAX:
        raise SpecRefused(f"say in 1 to {_SENTENCE_CHARS_MAX} characters what the app is for")
    said: list[dict[str, str]] = [
        {"role": "system", "content": _instructions(rooms)},
        {"role": "user", "content": sentence},
    ]
    wrong = ""
    for _ in range(ANSWERS_MAX):
        answer = _asked(endpoint, said)
        try:
            return check(_read(answer))
        except (SpecRefused, Undecodable) as refused:
            wrong = str(refused)
        said += [
            {"role": "assistant", "content": answer[:20_000]},
            {
                "role": "user",
                "content": f"That is refused: {wrong}. Answer with the whole corrected JSON and nothing else.",
            },
        ]
    raise SpecRefused(
        f"the model's answer was refused {ANSWERS_MAX} times, at last because: {wrong}. "
        "Say it otherwise, or leave --from out and answer the questions"
    )


def sentence_schema() -> dict[str, Any]:
    """Return the part of app.toml's schema that a sentence can decide."""
    schema = app_schema()
    return {**schema, "properties": {name: schema["properties"][name] for name in SECTIONS}}


def _instructions(rooms: Mapping[str, str]) -> str:
    known = "\n".join(f"- {name}: {what}" for name, what in rooms.items())
    return (
        "You turn one sentence about an app into its spec. Answer with one JSON object and nothing else, valid under the "
        "JSON schema below. Leave out every key whose default will do.\n"
        f"app.rooms names the rooms that are wanted, of these:\n{known}\n"
        "For a kind of thing that none of them keeps, add [room.NAME] with its fields, and NAME to app.rooms. One field of "
        "it must be a text that is required.\n"
        "app.locale is the language of the people who use it: en or de. A sign-in through others is an entry of "
        f'auth.providers, such as {{"google": {{"kind": "google", "client_id": "{TO_BE_SET}"}}}}; the client_id is always '
        f'"{TO_BE_SET}".\n{json.dumps(sentence_schema(), ensure_ascii=False)}'
    )


def _read(answer: str) -> dict[str, Any]:
    text = answer.strip().removeprefix("```json").removeprefix("```").removesuffix("```").strip()
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as broken:
        raise SpecRefused(f"the answer is not JSON ({str(broken)[:200]})") from broken
    if not isinstance(data, dict) or not all(isinstance(said, dict) for said in data.values()):
        raise SpecRefused("the answer must be one JSON object whose values are objects")
    if beyond := sorted(set(data) - set(SECTIONS)):
        raise SpecRefused(f"a sentence decides {', '.join(SECTIONS)} only, not {', '.join(beyond)}")
    return data


class _NoRedirects(HTTPRedirectHandler):
    """A redirect would take the key to another host."""

    def redirect_request(self, *_args: Any, **_named: Any) -> None:
        return None


def _asked(endpoint: Endpoint, said: list[dict[str, str]]) -> str:
    body: dict[str, Any] = {"model": endpoint.model, "messages": said, "temperature": 0}
    strict = {"type": "json_schema", "json_schema": {"name": "spec", "schema": sentence_schema()}}
    try:
        answer = _posted(endpoint, {**body, "response_format": strict})
    except HTTPError as refused:
        if refused.code != _BAD_REQUEST:
            raise Unasked(f"the endpoint in {URL} answered {refused.code} {refused.reason}") from refused
        answer = _again(endpoint, body)  # many do not know how to be held to a schema
    try:
        return str(json.loads(answer)["choices"][0]["message"]["content"])
    except (ValueError, LookupError, TypeError, RecursionError) as broken:
        raise Unasked(f"the endpoint in {URL} does not answer like OpenAI's chat completions") from broken


def _again(endpoint: Endpoint, body: dict[str, Any]) -> bytes:
    try:
        return _posted(endpoint, body)
    except HTTPError as refused:
        raise Unasked(f"the endpoint in {URL} answered {refused.code} {refused.reason}") from refused


def _posted(endpoint: Endpoint, body: dict[str, Any]) -> bytes:
    headers = {"content-type": "application/json", "accept": "application/json"}
    if endpoint.key:
        headers["authorization"] = f"Bearer {endpoint.key}"
    request = Request(f"{endpoint.url}/chat/completions", json.dumps(body).encode(), headers)  # noqa: S310 - http(s) only
    try:
        with build_opener(_NoRedirects).open(request, timeout=TIMEOUT_S) as answer:
            read: bytes = answer.read(_ANSWER_BYTES_MAX + 1)
    except HTTPError:
        raise
    except (URLError, HTTPException, OSError) as failed:
        reason = getattr(failed, "reason", failed)
        raise Unasked(f"the endpoint in {URL} does not answer ({reason})") from failed
    if len(read) > _ANSWER_BYTES_MAX:
        raise Unasked(f"the endpoint in {URL} answered more than {_ANSWER_BYTES_MAX} bytes")
    return read
