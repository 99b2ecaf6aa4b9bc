"""Collects the conformance matrix while pytest runs.

Part of the plug-in, not a conftest of the suite: with xdist the controller gets all reports but
collects no test, so it would not load that.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import matrix

TARGETS = ("cpython", "unix", "board", "renode")
RESULTS = Path("results", "conformance")


class Collector:
    """Puts the matrix together where the reports of all workers arrive."""

    def __init__(self) -> None:
        self.results: list[matrix.Result] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        found = dict(report.user_properties).get("conformance")
        if not isinstance(found, list | tuple) or not (report.when == "call" or report.failed):
            return
        why = ""
        if report.skipped and isinstance(report.longrepr, tuple):
            why = report.longrepr[2]
        elif report.failed:
            lines = report.longreprtext.splitlines()
            why = "\n".join(line for line in lines if not line.startswith("[gw"))
        section, case, target = found
        self.results.append(
            matrix.Result(section, case, target, report.outcome, why, round(report.duration, 3))
        )

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self.results:
            return
        self.results.sort(key=lambda r: (r.section, r.case, r.target))
        folder = terminalreporter.config.rootpath / RESULTS
        seen = {r.target for r in self.results}
        targets = tuple(target for target in TARGETS if target in seen)
        matrix.write(self.results, targets, folder, "WebSocket conformance")
        terminalreporter.section("WebSocket conformance")
        for line in matrix.summary(self.results, targets):
            terminalreporter.write_line(line)
        terminalreporter.write_line(f"matrix in {RESULTS / 'matrix.html'}")
