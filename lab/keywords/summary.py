"""How a run of the suites went: ``python -m lab.keywords.summary OUTPUT_DIR``."""

from __future__ import annotations

import sys
from pathlib import Path

from robot.api import ExecutionResult


def summary(folder: Path) -> str:
    """Failed and skipped tests by name, Robot's own counts line, the path of the report."""
    result = ExecutionResult(str(folder / "output.xml"))
    lines = []
    for test in result.suite.all_tests:
        if not test.passed:
            lines.append(f"{test.status}  {test.full_name}: {test.message.splitlines()[0]}")
    lines.append(result.statistics.total.message)
    lines.append(f"report: {(folder / 'report.html').resolve()}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(summary(Path(sys.argv[1])))
