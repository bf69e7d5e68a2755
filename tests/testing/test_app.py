"""What apps test themselves with: the app, its people, and nothing left behind. Covers: client."""

from __future__ import annotations

import tempfile
from pathlib import Path

from shipworthy.testing import app_under_test


def test_people_of_two_tenants_ask_an_app_that_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "app.toml").write_text('[app]\nname = "Inn"\nrooms = ["auth", "invoicing"]\n')
    before = set(Path(tempfile.gettempdir()).glob("shipworthy-test-*"))
    with app_under_test(tmp_path) as app:
        owner, viewer = app.signed_in("acme"), app.signed_in("acme", role="viewer")
        made = owner.post("/api/customers", {"name": "Harbour"})
        assert (made.status, viewer.post("/api/customers", {"name": "x"}).status) == (201, 403)
        address = f"/api/customers/{made.json['customer_id']}"
        assert owner.put(address, {"name": "Quay"}).json["name"] == "Quay"
        assert (viewer.get(address).status, app.signed_in("globex").get(address).status) == (200, 404)
        assert app.visitor().get(address).status == 401
        assert owner.delete("/api/nothing").status == 404
        assert app.signed_in("acme") is owner
    assert set(Path(tempfile.gettempdir()).glob("shipworthy-test-*")) == before
    assert not (tmp_path / ".shipworthy").exists()
