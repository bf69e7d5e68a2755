"""The house as a test: fails with the reason and the fix, one line each. Run by `make check`.

Ratchets, not walls: a file or function just over the line fails, because that is where growth
starts; one that is long on purpose does not.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SRC = ROOT / "src" / "shipworthy"
TESTS = ROOT / "tests"
DOCS = ROOT / "docs"

FILE_LINES, FILE_LINES_LONG = 400, 440
FUNCTION_LINES, FUNCTION_LINES_LONG = 70, 80

# Needle -> what to use instead. Where it may stand all the same, say so in ALLOWED.
BANNED = {
    r"\bdatetime\.now\(|\bdatetime\.utcnow\(": "take the time from ctx.now() (the clock is kernel/context.py)",
    r"\btime\.sleep\(": "await an event; tests move time",
    r"\brandom\.(random|choice|randint)\(": "take ids and randomness through ctx, or `secrets`",
    r"(?<![\w.])print\(": "use click, rich or the log",
}
ALLOWED = {
    "kernel/context.py": r"datetime",
    "kernel/telemetry/log.py": r"datetime",
    "gauntlet": r"datetime|random",  # the examiner owns its clock and its seeds
    "local": r"datetime|sleep",
    "delivery": r"datetime",  # deploys are dated by the machine they run on
}
FLOAT_FREE = (
    "kernel/money",
    "rooms/invoicing/tax.py",
    "rooms/invoicing/pricing",
    "rooms/invoicing/numbering.py",
    "rooms/invoicing/draft.py",
)
# Where an amount may be; in all of it, one function rounds.
MONEY = ("kernel/money", "rooms/invoicing")
ROUNDS_MONEY = "kernel/money/rounding.py"
ROUNDING_NAMES = {
    "quantize",
    "to_integral",
    "to_integral_value",
    "to_integral_exact",
    "floor",
    "ceil",
    "trunc",
    "fsum",
}
# A number in a signature carries its unit; these words without one are how milliseconds meet seconds.
UNITLESS = re.compile(r"^(?:.*_)?(timeout|ttl|delay|interval|duration|period|age|size|length|latency)$")
GENERIC = {
    "utils.py",
    "util.py",
    "helpers.py",
    "service.py",
    "services.py",
    "common.py",
    "misc.py",
    "manager.py",
}


def main() -> int:
    problems = sorted({problem for rule in RULES for problem in rule()})
    for problem in problems:
        print(problem)
    print(f"tidy: {len(problems)} problems" if problems else f"tidy: {len(RULES)} rules hold")
    return 1 if problems else 0


def sources() -> list[Path]:
    return sorted(p for p in SRC.rglob("*.py") if "scaffolds" not in p.parts)


def where(path: Path, line: int | None = None) -> str:
    return f"{path.relative_to(ROOT)}:{line}" if line else str(path.relative_to(ROOT))


def every_source_has_its_test() -> Iterator[str]:
    """tests/a/test_b.py mirrors src/a/b.py; a test may also say `Covers: b, c.` in its docstring."""
    covered: dict[Path, set[str]] = {}
    for test in TESTS.rglob("test_*.py"):
        doc = ast.get_docstring(ast.parse(test.read_text(encoding="utf-8"))) or ""
        named = re.search(r"Covers:([^.]*)\.", doc, re.DOTALL)
        names = {n.strip() for n in named.group(1).replace("\n", " ").split(",")} if named else set()
        covered.setdefault(test.parent.relative_to(TESTS), set()).update(
            {test.stem.removeprefix("test_"), *names}
        )
    for path in sources():
        relative = path.relative_to(SRC)
        if path.name in ("__init__.py", "__main__.py", "room.py") or not _has_code(path):
            continue
        if path.stem not in covered.get(relative.parent, set()):
            yield f"{where(path)}: no test; write tests/{relative.parent}/test_{path.stem}.py or add 'Covers: {path.stem}.' to one there"


def _has_code(path: Path) -> bool:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return any(isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) for node in ast.walk(tree))


def every_query_is_used() -> Iterator[str]:
    for path in SRC.rglob("queries.sql"):
        code = "\n".join(p.read_text(encoding="utf-8") for p in path.parent.rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if (
                header := re.match(r"^-- ([a-z][a-z0-9_]*) --$", line)
            ) and f"q.{header.group(1)}" not in code:
                yield f"{where(path, number)}: query {header.group(1)} is never used; delete it"


def every_migration_can_be_taken_back() -> Iterator[str]:
    for up in SRC.rglob("*.up.sql"):
        if not up.with_name(up.name.replace(".up.", ".down.")).exists():
            yield f"{where(up)}: no down part; a migration says how to take itself back"


def every_security_requirement_names_a_test() -> Iterator[str]:
    """docs/reference/asvs.md claims only what a test that exists proves."""
    page = DOCS / "reference" / "asvs.md"
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if not re.match(r"\| \d", line):
            continue
        row = re.fullmatch(r"\| \d+\.\d+\.\d+ \| [^|]+ \| `(tests/[\w/]+\.py)::(test_\w+)` \|", line)
        if row is None:
            yield f"{where(page, number)}: write it as | 1.2.3 | what must hold | `tests/x.py::test_y` |"
        elif not _has_test(ROOT / row[1], row[2]):
            yield f"{where(page, number)}: there is no test {row[2]} in {row[1]}; name one that proves it, or drop the row"


def _has_test(path: Path, name: str) -> bool:
    return path.is_file() and any(
        isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    )


def every_error_code_is_documented() -> Iterator[str]:
    page = DOCS / "reference" / "errors.md"
    known = page.read_text(encoding="utf-8") if page.exists() else ""
    refusals = {
        "Invalid",
        "SignInNeeded",
        "Forbidden",
        "Conflict",
        "TooMany",
        "Busy",
        "Upstream",
        "NotUnderstood",
    }
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = (
                isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in refusals
            )
            if named and node.args and isinstance(node.args[0], ast.Constant):
                code = str(node.args[0].value)
                if f"`{code}`" not in known:
                    yield f"{where(path, node.lineno)}: error code {code} is not in docs/reference/errors.md"


def every_setting_is_documented() -> Iterator[str]:
    page = DOCS / "reference" / "settings.md"
    known = page.read_text(encoding="utf-8") if page.exists() else ""
    for path in (SRC / "kernel" / "settings.py", *SRC.glob("kernel/*/section.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and node.name.endswith("Section"):
                for field in node.body:
                    if (
                        isinstance(field, ast.AnnAssign)
                        and isinstance(field.target, ast.Name)
                        and f"`{field.target.id}`" not in known
                    ):
                        yield f"{where(path, field.lineno)}: setting {field.target.id} is not in docs/reference/settings.md"


def every_command_is_documented() -> Iterator[str]:
    page = DOCS / "reference" / "cli.md"
    known = page.read_text(encoding="utf-8") if page.exists() else ""
    for path in sorted((SRC / "cli").glob("*.py")):
        for found in re.finditer(r'"(--[a-z][a-z-]+)"', path.read_text(encoding="utf-8")):
            if f"`{found.group(1)}`" not in known and found.group(1) not in (
                "--help",
                "--port",
                "--dir",
                "--page-port",
                "--handle",
            ):
                yield f"{where(path)}: flag {found.group(1)} is not in docs/reference/cli.md"


def every_dependency_is_explained() -> Iterator[str]:
    page = DOCS / "dependencies.md"
    known = page.read_text(encoding="utf-8") if page.exists() else ""
    for name in re.findall(
        r'^\s+"([a-zA-Z0-9-]+)[>=<]', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE
    ):
        if f"`{name}`" not in known:
            yield f"pyproject.toml: dependency {name} is not in docs/dependencies.md (why, and who may import it)"


def nothing_banned_is_called() -> Iterator[str]:
    for path in sources():
        relative = path.relative_to(SRC).as_posix()
        allowed = "|".join(pattern for prefix, pattern in ALLOWED.items() if relative.startswith(prefix))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            code = line.partition("#")[0]
            for needle, instead in BANNED.items():
                if re.search(needle, code) and not (allowed and re.search(allowed, code)):
                    yield f"{where(path, number)}: {instead}"
            if relative.startswith(FLOAT_FREE) and re.search(r"\bfloat\(", code):
                yield f"{where(path, number)}: no float near money; use int minor units or Decimal"


def money_is_rounded_in_one_place() -> Iterator[str]:
    for path in sources():
        relative = path.relative_to(SRC).as_posix()
        if relative.startswith(MONEY) and relative != ROUNDS_MONEY:
            for line, name in roundings(path.read_text(encoding="utf-8")):
                yield f"{where(path, line)}: {name} rounds; call round_minor (kernel/money/rounding.py), which says how"


def roundings(code: str) -> Iterator[tuple[int, str]]:
    """Yield every place of a module that rounds a number by itself, or takes a rounding mode of the library."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id in {"round", *ROUNDING_NAMES}:
                yield node.lineno, node.func.id
            elif node.func.id == "int" and any(isinstance(n, ast.Div) for n in ast.walk(node)):
                yield node.lineno, "int() of a quotient"
        elif isinstance(node, ast.Attribute) and node.attr in {"__round__", *ROUNDING_NAMES}:
            yield node.lineno, node.attr
        elif isinstance(node, (ast.Name, ast.Attribute)):
            name = node.id if isinstance(node, ast.Name) else node.attr
            if name.startswith("ROUND_"):
                yield node.lineno, name
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, name.name) for name in node.names if name.name.startswith("ROUND_"))


def names_carry_their_unit() -> Iterator[str]:
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                for argument in [*node.args.args, *node.args.kwonlyargs]:
                    kind = ast.unparse(argument.annotation) if argument.annotation else ""
                    if UNITLESS.match(argument.arg) and re.search(r"\b(int|float)\b", kind):
                        yield f"{where(path, node.lineno)}: {node.name}({argument.arg}) has no unit; say {argument.arg}_s, _ms or _bytes"


def growth_is_noticed() -> Iterator[str]:
    for path in sources():
        text = path.read_text(encoding="utf-8")
        lines = text.count("\n")
        if FILE_LINES < lines <= FILE_LINES_LONG:
            yield f"{where(path)}: {lines} lines; move a capability into a file of its own"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if FUNCTION_LINES < length <= FUNCTION_LINES_LONG:
                    yield f"{where(path, node.lineno)}: {node.name} has {length} lines; split it where it changes subject"


def names_say_what_they_own() -> Iterator[str]:
    for path in sources():
        if path.name in GENERIC:
            yield f"{where(path)}: a generic name; call the file after what it does"


def no_file_is_dead() -> Iterator[str]:
    text = "\n".join(p.read_text(encoding="utf-8") for p in [*sources(), *TESTS.rglob("*.py")])
    for path in sources():
        if path.name in ("__init__.py", "__main__.py") or "cli" in path.parts:
            continue
        module = ".".join(path.relative_to(SRC.parent).with_suffix("").parts)
        parent, _, stem = module.rpartition(".")
        if (
            module not in text
            and not re.search(rf"from {re.escape(parent)} import (\([^)]*|[^\n]*)\b{stem}\b", text)
            and path.name != "room.py"
        ):
            yield f"{where(path)}: nobody imports it; delete it"


def nothing_names_a_machine() -> Iterator[str]:
    """No path of a workplace and no registry host stands in what we publish."""
    needles = ["/" + "work/", "/root" + "/", "pypi" + ".org", "pythonhosted" + ".org", "registry.npm" + "js"]
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    for name in tracked:
        path = ROOT / name
        if (
            path.suffix in (".py", ".md", ".toml", ".sql", ".html", ".lock", ".json", ".in", "")
            and path.is_file()
        ):
            text = path.read_text(encoding="utf-8", errors="ignore")
            for needle in needles:
                if needle in text:
                    yield f"{name}: names {needle!r}, which is a place of one machine or registry"


def every_template_is_rendered() -> Iterator[str]:
    code = "\n".join(
        p.read_text(encoding="utf-8") for p in [*sources(), *SRC.rglob("*.html"), *TESTS.rglob("*.py")]
    )
    for template in SRC.rglob("templates/*.html"):
        if f"/{template.name}" not in code:
            yield f"{where(template)}: never rendered; delete it"


RULES = [
    every_source_has_its_test,
    every_query_is_used,
    every_migration_can_be_taken_back,
    every_security_requirement_names_a_test,
    every_error_code_is_documented,
    every_setting_is_documented,
    every_command_is_documented,
    every_dependency_is_explained,
    nothing_banned_is_called,
    money_is_rounded_in_one_place,
    names_carry_their_unit,
    growth_is_noticed,
    names_say_what_they_own,
    no_file_is_dead,
    nothing_names_a_machine,
    every_template_is_rendered,
]

if __name__ == "__main__":
    sys.exit(main())
