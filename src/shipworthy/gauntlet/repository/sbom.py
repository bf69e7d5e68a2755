"""The bill of materials in CycloneDX 1.6, with the programs that packages bring along; and its licences."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component as Part
from cyclonedx.model.component import ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

from shipworthy.contract.finding import Finding, Measure
from shipworthy.contract.verdict import Severity, Verdict
from shipworthy.gauntlet.evidence import table_evidence
from shipworthy.gauntlet.exam import Exam
from shipworthy.gauntlet.repository.components import Component, known_components

FILE = "sbom.cdx.json"
_NAMESPACE = UUID("6f8a3c1e-5d0b-4c8e-9a77-2d1f0b6e4c35")  # any constant: of our bills
# Whoever offers an app over a network, or hands it on, owes its source under these; a decision, not a default.
_STRONG = ("AGPL", "GPL", "SSPL")
_SHOWN_MAX = 60


async def bill_of_materials(exam: Exam) -> Sequence[Finding]:
    """Write the bill beside the report; say what is in it."""
    components = await known_components(exam)
    exam.keep(FILE, bill(components, name=exam.target.name))
    programs = [(name, one.label) for one in components for name, _ in one.programs]
    title = f"{len(components)} packages and {len(programs)} programs they bring along, in {FILE}"
    rows = [(one.kind, one.name, one.version, one.licence or "not stated") for one in components]
    evidence = [table_evidence("Packages", ("kind", "name", "version", "licence"), rows[:_SHOWN_MAX])]
    if programs:
        evidence.append(table_evidence("Programs in them", ("program", "from"), programs[:_SHOWN_MAX]))
    measures = (
        Measure(name="packages", unit="packages", estimate=len(components)),
        Measure(name="programs", unit="programs", estimate=len(programs)),
    )
    return [exam.finding("packages", Verdict.PASS, title, measures=measures, evidence=tuple(evidence))]


async def licences_known(exam: Exam) -> Sequence[Finding]:
    """Return a finding for each package whose licence asks for a decision, and one for those that state none."""
    components = await known_components(exam)
    found = [
        exam.finding(
            one.name,
            Verdict.FAIL,
            f"{one.label} is under {one.licence}",
            severity=Severity.MEDIUM,
            cause="Whoever hands the app on, or with AGPL and SSPL offers it over a network, owes its whole source.",
            fix="Replace the package, buy another licence of it, or publish the app's source: let somebody decide.",
        )
        for one in components
        if is_strong(one.licence)
    ]
    if silent := [one for one in components if not one.licence]:
        rows = [(one.name, one.version) for one in silent]
        found.append(
            exam.finding(
                "unstated",
                Verdict.NOT_MEASURED,
                f"{len(silent)} packages do not state their licence: {', '.join(one.name for one in silent[:4])}",
                cause="Neither an expression, nor a classifier, nor a short name is given.",
                fix="Read their licence file; a package without a licence may not be used.",
                evidence=(table_evidence("They state none", ("name", "version"), rows[:_SHOWN_MAX]),),
            )
        )
    if not any(finding.verdict is Verdict.FAIL for finding in found):
        stated = len(components) - len(silent)
        found.append(
            exam.finding("stated", Verdict.PASS, f"{stated} packages state a licence that asks for nothing")
        )
    return found


def is_strong(licence: str) -> bool:
    """Say whether every choice a licence leaves obliges to publish the app's own source."""
    choices = licence.upper().replace("(", "").replace(")", "").split(" OR ")
    return bool(licence) and all(
        any(part.strip().startswith(_STRONG) and " WITH " not in f"{part} " for part in choice.split(" AND "))
        for choice in choices
    )


def bill(components: Sequence[Component], *, name: str) -> str:
    """Return the bill as CycloneDX JSON; the same components give the same bill, but for its time."""
    licences, bom = LicenseFactory(), Bom()
    root = Part(name=name, type=ComponentType.APPLICATION, bom_ref=name)
    bom.metadata.component = root
    parts: dict[tuple[str, str], Part] = {}
    for one in components:
        purl = PackageURL(type=one.kind, name=one.name, version=one.version)
        parts[one.kind, one.name] = part = Part(
            name=one.name,
            version=one.version,
            purl=purl,
            bom_ref=purl.to_string(),
            licenses=[licences.make_from_string(one.licence)] if one.licence else [],
            components=[
                Part(
                    name=program,
                    version=one.version,
                    type=ComponentType.FILE,
                    bom_ref=f"{purl.to_string()}#{program}",
                    hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)],
                )
                for program, digest in one.programs
            ],
        )
        bom.components.add(part)
    for one in components:
        needed = [parts[one.kind, need] for need in one.needs if (one.kind, need) in parts]
        bom.register_dependency(parts[one.kind, one.name], needed)
    wanted = {(one.kind, need) for one in components for need in one.needs}
    bom.register_dependency(root, [part for key, part in parts.items() if key not in wanted])
    whole = "\n".join(sorted(str(part.purl) for part in parts.values()))
    bom.serial_number = uuid5(_NAMESPACE, whole)
    return make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2)
