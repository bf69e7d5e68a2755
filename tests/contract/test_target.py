"""Targets and handles: the smallest files that work, and those of our own instances."""

from __future__ import annotations

import json
import tomllib

from shipworthy.contract.strict import decode, encode
from shipworthy.contract.target import Credential, GauntletFile, Handle, Process

STRANGER = """
[target]
name = "Acme"
url = "http://127.0.0.1:8000"

[login]
route = "POST /login"
form = { email = "{email}", password = "{password}" }

[[credential]]
email = "a@acme.test"
password = "one"
marker = "Acme Ltd"

[[route]]
path = "/invoices"
queries_max = 5

[[budget]]
kind = "page_bytes"
bound = 200_000
subject = "/"
"""


def test_two_lines_are_a_gauntlet_file() -> None:
    file = decode(GauntletFile, tomllib.loads('[target]\nname = "Acme"\n'))
    assert file.target.start_timeout_s == 60.0
    assert file.target.allow_faults is False
    assert file.slo == file.journey == file.route == file.credential == ()
    assert file.login is None


def test_a_strangers_file_says_routes_budgets_and_how_to_sign_in() -> None:
    file = decode(GauntletFile, tomllib.loads(STRANGER))
    assert file.login is not None
    assert file.login.throttled == (429,)
    assert (file.route[0].method, file.route[0].expect, file.route[0].auth) == ("GET", (200,), "public")
    assert file.budget[0].bound == 200_000.0
    assert file.credential[0].marker == "Acme Ltd"


def test_a_handle_survives_the_file_it_is_passed_in() -> None:
    handle = Handle(
        base_url="http://127.0.0.1:4000",
        pid=10,
        processes=(Process(name="web", pid=11), Process(name="worker", pid=12)),
        database_urls={"app": "postgresql://app@127.0.0.1:5433/acme"},
        tenants=(Credential(email="a@x.test", password="p", tenant_id="t1", marker="M1"),),
        started_in_s=0.9,
        log_files=("web.log",),
    )
    assert decode(Handle, json.loads(json.dumps(encode(handle)))) == handle
    assert decode(Handle, {"base_url": "http://127.0.0.1:1"}).tenants == ()
