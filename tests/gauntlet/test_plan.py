"""The plan is pure, whole and in order; what cannot be measured stays in it with the reason.

Covers: capabilities, check, view.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from shipworthy.contract.finding import Finding
from shipworthy.contract.manifest import Login, Manifest, Query, Route
from shipworthy.contract.target import Credential, Handle, Process, Target
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.capabilities import fault_refused, is_loopback, lack, present
from shipworthy.gauntlet.check import Check
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.plan import UnknownName, plan, still_possible
from shipworthy.gauntlet.stages import ALL_CHECKS

STRANGER = Target(name="Acme", kind="command", manifest=Manifest(app="Acme"))


async def nothing(_exam: Exam) -> Sequence[Finding]:
    return []


def check(name: str, *, stage: str = "plans", **facts: object) -> Check:
    return Check(name=name, title=f"Is {name} so", stage=stage, run=nothing, **facts)  # type: ignore[arg-type]


def test_checks_that_disturb_run_last_and_the_others_keep_their_order() -> None:
    checks = [
        check("a.lock", disturbs=True, locks_out=True),
        check("b.kill", disturbs=True),
        check("c"),
        check("d", stage="load"),
        check("e.kill", disturbs=True),
    ]
    in_order = [planned.check.name for planned in plan(STRANGER, checks)]
    assert in_order == ["c", "d", "b.kill", "e.kill", "a.lock"]


def test_nothing_that_signs_in_runs_after_an_account_is_locked() -> None:
    in_order = [planned.check for planned in plan(STRANGER, ALL_CHECKS)]
    first = next(number for number, check in enumerate(in_order) if check.locks_out)
    assert {check.name for check in in_order[first:]} == {"auth.no_enumeration", "auth.login_throttle"}
    names = [check.name for check in in_order]
    assert names.index("logs.canaries") > names.index("idempotency.after_crash")


def test_a_store_that_is_not_postgresql_is_the_reason_and_never_a_green() -> None:
    for url, store in (("mysql+aiomysql://me@127.0.0.1/shop", "mysql"), ("sqlite:///shop.db", "sqlite")):
        target = Target(name="Acme", kind="command", manifest=Manifest(app="Acme"), database=url)
        (planned,) = plan(target, [check("a", needs=("database.app",))])
        assert f"keeps its data in {store}" in planned.obstacle
        assert planned.not_measured().verdict is Verdict.NOT_MEASURED
    known = Target(
        name="Acme", kind="command", manifest=Manifest(app="Acme"), database="postgres://me@127.0.0.1/shop"
    )
    assert plan(known, [check("a", needs=("database.app",))])[0].obstacle == ""


def test_what_needs_more_than_another_machine_may_be_asked_is_not_measured_there() -> None:
    here, away = (
        Target(name="Acme", kind="url", manifest=Manifest(app="Acme"), url=url)
        for url in ("http://127.0.0.1:1", "https://shop.sample.example")
    )
    assert plan(here, [check("a", needs=("any_rate",))])[0].obstacle == ""
    assert "20 requests a second" in plan(away, [check("a", needs=("any_rate",))])[0].obstacle


def test_a_check_that_lacks_something_stays_in_the_plan_and_says_how_to_get_it() -> None:
    (planned,) = plan(STRANGER, [check("a", needs=("queries", "login", "http"))])
    assert "names no queries" in planned.obstacle
    assert "[login]" in planned.remedy
    finding = planned.not_measured()
    assert (finding.verdict, finding.id) == (Verdict.NOT_MEASURED, "a:all")
    assert finding.cause == planned.obstacle


def test_what_a_manifest_offers_is_counted_on_before_the_start() -> None:
    query = Query(name="q", room="r", purpose="p", sql="select 1")
    ours = Target(name="Ours", kind="shipworthy", manifest=Manifest(app="Ours", queries=(query,)))
    (planned,) = plan(ours, [check("a", needs=("queries", "database.admin", "tenants.2"))])
    assert planned.obstacle == ""


def test_faults_are_refused_unless_the_target_allows_them() -> None:
    kill = check("drill", faults=("process.kill",))
    (refused,) = plan(STRANGER, [kill])
    assert "does not allow process.kill" in refused.obstacle
    allowed = Target(name="A", kind="command", manifest=Manifest(app="A"), allow_faults=True)
    declared = Target(name="A", kind="command", manifest=Manifest(app="A", faults_allowed=("process.kill",)))
    assert [plan(target, [kill])[0].obstacle for target in (allowed, declared)] == ["", ""]
    remote = Target(
        name="A", kind="url", manifest=Manifest(app="A"), url="https://a.example", allow_faults=True
    )
    assert "this machine only" in fault_refused(remote, "process.kill")


def test_only_takes_a_finding_id_a_check_or_a_family() -> None:
    checks = [check("plans.index_used"), check("slo", stage="load", modes=("full",))]
    (planned,) = plan(STRANGER, checks, only="plans.index_used:invoicing.list")
    assert (planned.check.name, planned.subject) == ("plans.index_used", "invoicing.list")
    (family,) = plan(STRANGER, checks, only="slo.login:login")
    assert (family.check.name, family.subject) == ("slo", "login")
    with pytest.raises(UnknownName, match=r"did you mean 'plans.index_used'"):
        plan(STRANGER, checks, only="plans.index_use")


def test_stages_and_modes_choose_and_an_unknown_stage_names_the_nearest() -> None:
    checks = [check("a"), check("b", stage="load"), check("c", stage="load", modes=("full",))]
    assert [p.check.name for p in plan(STRANGER, checks, stages=["load"])] == ["b"]
    assert [p.check.name for p in plan(STRANGER, checks, mode="full")] == ["a", "b", "c"]
    with pytest.raises(UnknownName, match="did you mean 'load'"):
        plan(STRANGER, checks, stages=["laod"])


def test_what_the_running_instance_turns_out_to_lack_is_found_before_the_question() -> None:
    ours = Target(name="Ours", kind="shipworthy", manifest=Manifest(app="Ours"))
    (planned,) = plan(ours, [check("a", needs=("database.worker",))])
    late = still_possible(planned, present(ours, Handle(base_url="http://127.0.0.1:1")))
    assert (planned.obstacle, late.obstacle != "") == ("", True)
    assert "role worker" in late.obstacle


def test_a_handle_offers_what_it_holds() -> None:
    people = tuple(Credential(email=f"{n}@x.test", password="p", tenant_id=n) for n in ("1", "2"))
    manifest = Manifest(app="A", login=Login(route="POST /login", form={}),
                        routes=(Route(name="r", room="", method="POST", path="/", idempotency="key"),))  # fmt: skip
    offered = present(
        Target(name="A", kind="command", manifest=manifest),
        Handle(base_url="http://x", processes=(Process(name="worker", pid=1),), tenants=people, started_in_s=1.0,
               database_urls={"app": "postgresql://x"}, site_url="http://s.localhost"),
    )  # fmt: skip
    wanted = {"http", "login", "idempotency", "routes.session", "tenants.2.ids", "process.worker", "database.app",
              "database.any", "site", "started"}  # fmt: skip
    assert wanted <= offered
    assert not {"database.admin", "queries", "restarts"} & offered


def test_every_check_is_named_once_and_everything_it_needs_has_words() -> None:
    assert len({check.name for check in ALL_CHECKS}) == len(ALL_CHECKS)
    for needed in {need for check in ALL_CHECKS for need in check.needs}:
        why, _ = lack(needed)
        assert "does not offer" not in why, needed


def test_a_check_fills_in_what_its_findings_have_in_common() -> None:
    found = check("a", playbook=("P6",)).finding("s", Verdict.PASS, "t", severity=Severity.LOW)
    assert (found.id, found.stage, found.playbook, found.severity) == ("a:s", "plans", ("P6",), Severity.LOW)


def test_only_this_machine_is_this_machine() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "localhost", "acme.localhost", "::1")))
    assert not any(map(is_loopback, ("10.0.0.1", "localhost.example", "example.com", "")))


def test_a_stage_of_the_delivery_is_asked_whole_when_it_is_named_and_not_in_every_quick_run() -> None:
    checks = [
        check("code.lint", stage="code", modes=("stage", "full")),
        check("build.secrets", stage="build"),
        check("budget.cold_start", stage="budgets"),
        check("build.slow", stage="build", modes=("full",)),
    ]

    def asked(mode: str, *stages: str) -> list[str]:
        return [planned.check.name for planned in plan(STRANGER, checks, mode=mode, stages=stages)]  # type: ignore[arg-type]

    assert asked("quick", "s1") == ["code.lint"]
    assert asked("quick", "s4") == ["build.secrets", "budget.cold_start"]
    assert asked("full", "s4") == ["build.secrets", "budget.cold_start", "build.slow"]
    assert asked("quick") == ["build.secrets", "budget.cold_start"]
    assert asked("full") == [one.name for one in checks]
    with pytest.raises(UnknownName, match="there is no stage 's9'"):
        asked("quick", "s9")


def test_a_range_of_the_delivery_is_its_stages_and_one_that_is_none_is_refused() -> None:
    checks = [
        check("a", stage="build"),
        check("b", stage="preview", modes=("full", "stage")),
        check("c", stage="migrations"),
        check("d", stage="budgets", modes=("full",)),
        check("e", stage="canary", modes=("full", "stage")),
    ]
    assert [p.check.name for p in plan(STRANGER, checks, stages=("s3-s5",))] == ["a", "b", "c"]
    assert [p.check.name for p in plan(STRANGER, checks, stages=("s5-s6",))] == ["b", "e"]
    assert [p.check.name for p in plan(STRANGER, checks, stages=("s4-s4", "s3"))] == ["a", "c"]
    assert [p.check.name for p in plan(STRANGER, checks)] == ["a", "c"]  # nobody named the full run's stage
    for wrong, why in (("s5-s3", "backwards; say s3-s5"), ("s3-s9", "no stage 's")):
        with pytest.raises(UnknownName, match=why):
            plan(STRANGER, checks, stages=(wrong,))
