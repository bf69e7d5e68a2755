"""The manifest: a few lines by hand are enough, and what is written is read back whole."""

from __future__ import annotations

import json

import pytest

from shipworthy.contract.manifest import MANIFEST_VERSION, Manifest
from shipworthy.contract.strict import Undecodable, decode, encode
from tests.support.manifests import full_manifest

BY_HAND = """
{
  "app": "Acme",
  "routes": [
    {"name": "invoices", "room": "billing", "method": "GET", "path": "/invoices", "queries_max": 4}
  ],
  "slos": [{"name": "list", "quantile": 0.95, "threshold_ms": 300}],
  "journeys": [
    {"name": "list", "slo": "list", "rate_per_s": 5, "steps": [{"method": "GET", "path": "/invoices"}]}
  ]
}
"""


def test_ten_lines_by_hand_are_a_manifest_and_the_rest_is_empty() -> None:
    manifest = decode(Manifest, json.loads(BY_HAND), source="manifest.json", text=BY_HAND)
    assert manifest.version == MANIFEST_VERSION
    assert manifest.routes[0].queries_max == 4
    assert manifest.routes[0].auth == "session"
    assert manifest.journeys[0].steps[0].expect == (200, 201, 303)
    assert manifest.queries == manifest.tables == manifest.jobs == ()
    assert manifest.scope.tenant_setting == "app.tenant_id"
    assert manifest.login is None


def test_a_wrong_word_by_hand_is_named_with_its_line() -> None:
    text = BY_HAND.replace("threshold_ms", "treshold_ms")
    with pytest.raises(Undecodable) as caught:
        decode(Manifest, json.loads(text), source="manifest.json", text=text)
    assert str(caught.value) == (
        "manifest.json:7: unknown key 'slos.0.treshold_ms'; did you mean 'threshold_ms'?"
    )


def test_a_manifest_that_says_everything_survives_the_file() -> None:
    manifest = full_manifest()
    assert decode(Manifest, json.loads(json.dumps(encode(manifest)))) == manifest
