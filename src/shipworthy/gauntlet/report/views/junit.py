"""For CI servers: each finding as a test case, in the JUnit XML that they all read.

A suite is a stage. FAIL is a failure, INCONCLUSIVE an error (it is not green either), NOT MEASURED is
skipped, with its reason. An invalid run is an error of its own: nothing else in it may be counted.
"""

from __future__ import annotations

from xml.etree import ElementTree as Xml

from shipworthy.contract.finding import Finding, RunResult
from shipworthy.contract.verdict import Verdict
from shipworthy.gauntlet.report.words import in_line, printable, repro_command, verdict_sentence

TEXT_CHARS_MAX = 4_000


def junit_view(result: RunResult) -> str:
    """Return the run as JUnit XML."""
    root = Xml.Element(
        "testsuites", name=in_line(f"gauntlet of {result.target}", 120), time=f"{result.duration_s:.3f}"
    )
    if not result.valid:
        suite = _suite(root, "the run", [])
        case = Xml.SubElement(suite, "testcase", classname="gauntlet", name="the run counts")
        _outcome(case, "error", verdict_sentence(result), "\n".join(result.notes))
        suite.set("tests", "1")
        suite.set("errors", "1")
    else:
        for stage in dict.fromkeys(finding.stage for finding in result.findings):
            _suite(root, stage, [finding for finding in result.findings if finding.stage == stage])
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    Xml.indent(root)
    return Xml.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(root: Xml.Element, stage: str, found: list[Finding]) -> Xml.Element:
    counts = {verdict: sum(f.verdict is verdict for f in found) for verdict in Verdict}
    suite = Xml.SubElement(
        root,
        "testsuite",
        name=in_line(stage, 60),
        tests=str(len(found)),
        failures=str(counts[Verdict.FAIL]),
        errors=str(counts[Verdict.INCONCLUSIVE]),
        skipped=str(counts[Verdict.NOT_MEASURED]),
    )
    for finding in found:
        case = Xml.SubElement(
            suite, "testcase", classname=in_line(finding.check, 120), name=in_line(finding.subject, 300)
        )
        if finding.source:
            case.set("file", in_line(finding.source.rpartition(":")[0] or finding.source, 300))
        kind = {Verdict.FAIL: "failure", Verdict.INCONCLUSIVE: "error", Verdict.NOT_MEASURED: "skipped"}
        if finding.verdict in kind:
            parts = (finding.cause, finding.fix, finding.source, repro_command(finding))
            _outcome(case, kind[finding.verdict], finding.title, "\n\n".join(part for part in parts if part))
    return suite


def _outcome(case: Xml.Element, kind: str, message: str, text: str) -> None:
    outcome = Xml.SubElement(case, kind, message=in_line(message, 300))
    outcome.text = printable(text)[:TEXT_CHARS_MAX]
