"""A command run inside this process: what a person would type, without the second that an interpreter takes to start."""

from __future__ import annotations

from click.testing import CliRunner, Result

from shipworthy.cli.main import group


def typed(*arguments: str) -> Result:
    """Run one command to its end; an error of ours is raised, a refusal is its exit code and its words."""
    return CliRunner().invoke(group, list(arguments), catch_exceptions=False)


def assert_refused_inside(done: Result, *words: str) -> None:
    """Exit code 2 and one sentence that holds `words`."""
    assert done.exit_code == 2, done.output
    for word in words:
        assert word in done.output
