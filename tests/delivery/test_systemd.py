"""Units that systemd understands: hardened alike, the app's own words harmless in them."""

from __future__ import annotations

import configparser
from pathlib import Path

from shipworthy.delivery.systemd import Host, units_of

HOST = Host(app="shop", title="Shop\n[Service]\nUser=root 100%", folder=Path("/srv/my shop"), python="/srv/my $hop/bin/python", port=8123)  # fmt: skip


def read(text: str) -> configparser.RawConfigParser:
    """A unit file as sections; a setting that stands twice is joined by a line break."""

    class Twice(dict):  # type: ignore[type-arg]
        def __setitem__(self, key: str, value: object) -> None:
            if isinstance(value, list) and key in self:
                self[key].extend(value)
                return
            super().__setitem__(key, value)

    parser = configparser.RawConfigParser(
        strict=False, dict_type=Twice, delimiters=("=",), comment_prefixes=("#",)
    )
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    return parser


def test_one_unit_keeps_the_fleet_and_one_brings_a_version_out_both_hardened() -> None:
    units = {name: read(text) for name, text in units_of(HOST).items()}
    assert set(units) == {"shop.service", "shop-deploy.service"}
    for unit in units.values():
        service = unit["Service"]
        assert (service["User"], service["ProtectSystem"], service["NoNewPrivileges"]) == (
            "shop",
            "strict",
            "yes",
        )
        assert service["CapabilityBoundingSet"] == ""
        assert service["StateDirectory"] == "shop"
        assert "/etc/shop/environment" in service["EnvironmentFile"]
        assert service["WorkingDirectory"] == "/srv/my shop"
    fleet, deploy = units["shop.service"], units["shop-deploy.service"]
    assert (
        fleet["Service"]["ExecStart"]
        == '"/srv/my $$hop/bin/python" -m shipworthy serve --deployable --port 8123'
    )
    assert (fleet["Service"]["KillMode"], fleet["Install"]["WantedBy"]) == ("mixed", "multi-user.target")
    assert deploy["Service"]["ExecStart"].endswith("deploy --state /var/lib/shop $DEPLOY_OPTIONS")
    assert (deploy["Unit"]["Requires"], deploy["Service"]["KillSignal"]) == ("shop.service", "SIGINT")


def test_an_apps_name_begins_no_setting_and_no_specifier() -> None:
    for text in units_of(HOST).values():
        unit = read(text)
        assert unit["Unit"]["Description"].startswith("Shop [Service] User=root 100%%")
        assert text.count("\nUser=") == 1
