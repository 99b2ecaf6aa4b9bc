"""Collects the conformance matrix.

Here, not in tests/conformance: with xdist the controller gets all reports but collects no test,
so it loads only the conftest of the folder that pytest was started for and of those above. (Not in
tests either: that folder on sys.path would make tests/microdot the package microdot.)
"""

from __future__ import annotations

from pathlib import Path

from lab import matrix

TARGETS = ("cpython", "unix", "board")
RESULTS = Path("results", "conformance")


class Collector:
    """Puts the matrix together where reports of all workers arrive."""

    def __init__(self) -> None:
        self.results = []

    def pytest_runtest_logreport(self, report):
        found = dict(report.user_properties).get("conformance")
        if not found or not (report.when == "call" or report.failed):
            return
        why = ""
        if report.skipped and isinstance(report.longrepr, tuple):
            why = report.longrepr[2]
        elif report.failed:
            lines = report.longreprtext.splitlines()
            why = "\n".join(line for line in lines if not line.startswith("[gw"))
        self.results.append(matrix.Result(*found, report.outcome, why, round(report.duration, 3)))

    def pytest_terminal_summary(self, terminalreporter):
        if not self.results:
            return
        self.results.sort(key=lambda r: (r.section, r.case, r.target))
        folder = terminalreporter.config.rootpath / RESULTS
        matrix.write(self.results, TARGETS, folder, "WebSocket conformance")
        terminalreporter.section("WebSocket conformance")
        for line in matrix.summary(self.results, TARGETS):
            terminalreporter.write_line(line)
        terminalreporter.write_line(f"matrix in {RESULTS / 'matrix.html'}")


def pytest_configure(config):
    if not hasattr(config, "workerinput"):  # the controller, or the only process
        config.pluginmanager.register(Collector(), "conformance")
