"""Views of a result for others to read: coding agents, code hosts, CI servers. Pure: a result in, a text out."""

from __future__ import annotations

from collections.abc import Callable

from shipworthy.contract.finding import RunResult
from shipworthy.gauntlet.report.views.agent import agent_view
from shipworthy.gauntlet.report.views.junit import junit_view
from shipworthy.gauntlet.report.views.markdown import markdown_view
from shipworthy.gauntlet.report.views.sarif import sarif_view

VIEWS: dict[str, Callable[[RunResult], str]] = {
    "agent": agent_view,
    "markdown": markdown_view,
    "sarif": sarif_view,
    "junit": junit_view,
}
