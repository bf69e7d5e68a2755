"""What a spec becomes, before anything is written. Covers: plan, spec."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipworthy.builder.plan import plan
from shipworthy.builder.spec import Spec, SpecRefused, make_spec
from shipworthy.builder.write import write
from shipworthy.kernel.settings import load_settings


def spec(
    *, folder: str = "shop", name: str | None = None, rooms: tuple[str, ...] = (), port: int = 1
) -> Spec:
    return make_spec(
        folder=folder, name=name, rooms=rooms, known_rooms=["auth", "invoicing"], locale="en", port=port
    )


@given(st.text(max_size=90))
def test_a_name_is_refused_or_stands_in_the_settings_as_given(name: str) -> None:
    try:
        made = spec(name=name or "-")
    except SpecRefused:
        return
    text = next(file.text for file in plan(made, folder="shop") if file.path == "app.toml")
    assert tomllib.loads(text)["app"]["name"] == (name or "-").strip()
    assert text.encode()


def test_the_planned_settings_are_ones_the_kernel_takes(tmp_path: Path) -> None:
    write(plan(spec(rooms=("invoicing",), port=8123), folder="shop"), tmp_path / "shop")
    settings = load_settings(tmp_path / "shop")
    assert (settings.app.rooms, settings.http.port) == (("auth", "invoicing"), 8123)


def test_auth_comes_first_and_once_and_the_name_comes_from_the_folder() -> None:
    made = spec(folder="berlin-plumber", rooms=("invoicing", "auth"))
    assert (made.name, made.rooms) == ("Berlin Plumber", ("auth", "invoicing"))


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"rooms": ("invoicing", "invoicing")}, "named twice"),
        ({"rooms": ("invoicng",)}, "did you mean 'invoicing'"),
        ({"port": 65_536}, "not between 0 and 65535"),
        ({"folder": ".."}, "may hold letters"),
    ],
)
def test_a_spec_that_cannot_be_is_refused_with_its_reason(asked: dict[str, object], reason: str) -> None:
    with pytest.raises(SpecRefused, match=reason):
        spec(**asked)  # type: ignore[arg-type]


def test_the_hosted_pipelines_are_safe_and_only_call_the_gauntlet(tmp_path: Path) -> None:
    write(plan(spec(), folder="shop"), tmp_path / "shop")
    workflow = tmp_path / "shop" / ".github" / "workflows" / "gauntlet.yml"
    assert _unsafe(workflow) == []
    for file in (workflow, tmp_path / "shop" / ".gitlab-ci.yml"):
        commands = [
            line for line in file.read_text().splitlines() if "- run: ship" in line or "    - ship" in line
        ]
        assert [line.partition("shipworthy ")[2] for line in commands] == [
            "gauntlet --stage s1-s6 --report report/delivery",
            "gauntlet --full",
        ]
    careless = workflow.read_text().replace("@3d3c42e5aac5ba805825da76410c181273ba90b1", "@main")
    workflow.write_text(careless)
    assert "unpinned-uses" in _unsafe(workflow)  # the linter is not blind


def _unsafe(workflow: Path) -> list[str]:
    zizmor = Path(sys.executable).with_name("zizmor")
    command = [str(zizmor), "--offline", "--no-config", "--no-exit-codes", "--format", "json", str(workflow)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [finding["ident"] for finding in json.loads(done.stdout)]
