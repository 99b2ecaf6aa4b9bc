"""Which suite runs on which target, and what is skipped there and why: made from the code.

`python -m lab.suitetable` writes the table into lab/docs/boards.md; a test keeps it true.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lab.capabilities import Capability, why_not
from lab.flash import ROOT

DOCUMENT = ROOT / "lab" / "docs" / "boards.md"
BEGIN, END = "<!-- table: made by python -m lab.suitetable -->\n", "<!-- end of table -->\n"
TARGETS = ("embedded", "renode", "board")
LIBRARIES = ("BoardKeywords", "UartKeywords", "PowerKeywords", "NetworkKeywords", "GpioKeywords",
             "CameraKeywords")  # fmt: skip
TAGS = {
    "large-files": Capability.LARGE_FILES,
    "lab-network": Capability.ROUTER,  # addresses that are right or wrong there alone
}
# of lab.pytest_plugin, what tests can ask for
FIXTURES = {
    "switch": Capability.FRAMES,
    "gateway": Capability.FRAMES,
    "repl_board": Capability.CLOCK,
}
# on Renode, on a physical board
PYTEST = {
    "tests/conformance": (
        "the board's cases run",
        "all cases of its table run, but for those that only a host can run",
    ),
    "tests/injection": (
        "what asks for `board` runs; the tables are for `make inject TARGET=renode`",
        "test_first.py, and in test_streams.py all cases of the stream tables, through a socket of "
        "the host; nothing else asks for the board",
    ),
}

Needs = frozenset[Capability]


def _normal(name: str) -> str:
    return name.lower().replace(" ", "").replace("_", "").rpartition(".")[2]


def _library_needs() -> dict[str, Needs]:
    """Of the keywords in lab.keywords that are marked with `needs`."""
    import importlib

    found = {}
    for name in LIBRARIES:
        library = getattr(importlib.import_module(f"lab.keywords.{name}"), name)
        for attribute in vars(library).values():
            if needs := getattr(attribute, "lab_needs", None):
                keyword = getattr(attribute, "robot_name", None) or attribute.__name__
                found[_normal(keyword)] = frozenset(needs)
    return found


class _Suite:
    """One .robot file, its keywords and those of the resource file."""

    def __init__(self, path: Path) -> None:
        from robot.running import ResourceFile, TestSuite

        self.suite: Any = TestSuite.from_file_system(path)
        resource: Any = ResourceFile.from_file_system(path.parent / "board.resource")
        self._own = {
            _normal(k.name): k
            for k in [*resource.keywords, *self.suite.resource.keywords]
        }  # fmt: skip
        self._marked = _library_needs()

    def of_items(self, items: Iterable[Any], in_test: bool) -> set[Capability]:
        """Of keyword calls, whatever they stand in."""
        found: set[Capability] = set()
        for item in items:
            name = getattr(item, "name", None)
            words = [name, *map(str, getattr(item, "args", ()))] if name else []
            for at, word in enumerate(words):  # `Run Keyword And ..` has keywords as arguments
                found |= self._of_call(word, words[at + 1 :], in_test)
            found |= self.of_items(getattr(item, "body", ()) or (), in_test)
        return found

    def _of_call(self, name: str, args: list[str], in_test: bool) -> set[Capability]:
        from lab.keywords.BoardKeywords import command_needs, waiting_needs

        key = _normal(name)
        if key == "expectsilence" and args and args[0][0].isdigit():
            return set(waiting_needs(args[0]))
        if key == "executecommand" and args:
            return set(command_needs(args[0]))
        if key == "provides" and in_test:  # in a suite's setup it is a state fresh from a reset
            return {Capability.SNAPSHOT}
        if key in self._own:
            own = self._own[key]
            return self.of_items([*_fixtures(own), *own.body], in_test)
        return set(self._marked.get(key, ()))

    def tests(self) -> list[tuple[str, Needs]]:
        """Each test, and what it needs."""
        shared = self.of_items(_fixtures(self.suite), False)
        return [
            (
                test.name,
                frozenset(
                    shared
                    | self.of_items([*_fixtures(test), *test.body], True)
                    | {TAGS[tag] for tag in test.tags if tag in TAGS}
                ),
            )
            for test in self.suite.tests
        ]


def _fixtures(thing: Any) -> list[Any]:
    """Its setup and teardown."""
    return [f for f in (getattr(thing, "setup", None), getattr(thing, "teardown", None)) if f]


def robot_needs(path: Path) -> list[tuple[str, Needs]]:
    """Each test of a suite, and what it needs of a target."""
    return _Suite(path).tests()


def _cell(tests: list[tuple[str, Needs]], target: str) -> str:
    """How many run, how many are skipped, and why."""
    reasons: Counter[str] = Counter()
    for _, needs in tests:
        for capability in sorted(needs):
            if why := why_not(target, capability):
                reasons[f"no {_short(capability)}: {why}"] += 1
                break
    run = len(tests) - reasons.total()
    parts = [f"{run} run"] if run else []
    parts += [f"{count} skipped ({reason})" for reason, count in sorted(reasons.items())]
    return "; ".join(parts)


def _short(capability: Capability) -> str:
    return capability.value.removeprefix("a ").removeprefix("the ")


def table() -> str:
    """In Markdown."""
    lines = [
        "| suite | " + " | ".join(TARGETS) + " |",
        "|---" * (len(TARGETS) + 1) + "|",
    ]
    for path in sorted((ROOT / "robot").glob("*.robot")):
        tests = robot_needs(path)
        cells = " | ".join(_cell(tests, target) for target in TARGETS)
        lines.append(f"| robot/{path.name} | {cells} |")
    for suite, words in PYTEST.items():
        lines.append(f"| {suite} | all run | {' | '.join(words)} |")
    for fixture, capability in FIXTURES.items():
        why = why_not("board", capability)
        lines.append(
            f"| pytest with `{fixture}` | all run | all run | skipped "
            f"(no {_short(capability)}: {why}) |"
        )
    return "\n".join(lines) + "\n"


def documented(text: str) -> str:
    """`text` with the table of now between its marks."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + table() + END + after


if __name__ == "__main__":
    DOCUMENT.write_text(documented(DOCUMENT.read_text()))
