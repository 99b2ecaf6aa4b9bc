"""The board: put one on the desk, start it, keep its state, go back to it."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import Any

from robot.api.deco import keyword, library
from robot.libraries.BuiltIn import BuiltIn, RobotNotRunningError

from lab.boardfile import each, spread
from lab.booted import Kind, booted
from lab.capabilities import Capability, require
from lab.firmware import resolve
from lab.flash import Versioned, board_files, build_image, compile_mpy, takes_mpy
from lab.keywords.bench import PHYSICAL, REAL_SECONDS_MOST, Network, bench
from lab.suitetable import robot_needs
from lab.targets.embedded import BoardSnapshot

# all that go before Renode's own, which are there as well under renode-test
OURS = tuple(
    f"lab.keywords.{name}Keywords"
    for name in ("Board", "Uart", "Power", "Network", "Gpio", "WebSocket", "Http", "Camera")
)
CAMERA, NOTHING = "camera", "none"
WRITERS = ("logger",)  # apps that write files
UP = {CAMERA: b"lab: camera: "}  # what an app says last when it comes up
RUN_FOR = re.compile(r'emulation\s+RunFor\s+"?([0-9.:]+)"?', re.IGNORECASE)
READ = re.compile(r"sysbus\s+Read(Byte|Word|DoubleWord)\s+(0x[0-9a-f]+|\d+)", re.IGNORECASE)
SIZES = {"byte": 1, "word": 2, "doubleword": 4}


@library(scope="SUITE", auto_keywords=False)
class BoardKeywords:
    """One emulated board at a time, under the names that Renode's own keywords have.

    Time is virtual, and passes only while a keyword waits, unless the board is on the
    ``gateway``: then its peers are real programs, and real time passes.

    = States =
    A suite gets a board in a known state with `Requires`. Two states are always there, booted
    once and kept in the lab's cache: ``prompt`` (the REPL, an empty filesystem, no network) and
    ``serving`` (the camera app on the network). `Provides` keeps others.
    """

    ROBOT_LISTENER_API_VERSION = 3

    def __init__(self) -> None:
        self.ROBOT_LIBRARY_LISTENER = self
        with contextlib.suppress(RobotNotRunningError):
            BuiltIn().set_library_search_order(*OURS)
        self._provided: dict[str, tuple[bytes, BoardSnapshot, Network, bool, str]] = {}
        # states of a physical board: its files, and does its app leave them as they are?
        self._carried: dict[str, tuple[dict[str, bytes], bool]] = {}
        self._needs: dict[str, frozenset[Capability]] = {}  # of each test of a physical board

    def start_suite(self, data: Any, result: object) -> None:
        """Robot's listener call: what the tests of this suite need, by their text."""
        if bench.target == PHYSICAL and data.tests:
            self._needs = dict(robot_needs(Path(data.source)))
            able = [t for t in data.tests if not bench.lacking(self._needs[t.name])]
            data.tests = spread(able, each()) or spread(data.tests, 1) if each() else data.tests

    def start_test(self, data: Any, result: object) -> None:
        """Robot's listener call. A test that a physical board can't do is skipped before its
        setup has put files on the board and reset it."""
        lacking = bench.lacking(self._needs.get(data.name, frozenset()))
        if lacking:
            data.setup.config(name="Skip", args=[str(lacking)])

    def end_suite(self, data: object, result: object) -> None:
        """Robot's listener call: nothing stays behind."""
        bench.reset()

    @keyword
    def create_machine(
        self,
        app: str | None = None,
        network: Network = "inside",
        booted_already: bool = False,
        files: dict[str, bytes] | None = None,
        without_files: list[str] | None = None,
        fresh: bool = True,
    ) -> None:
        """Put a board on the desk and power it on.

        ``app``: what it carries on its flash: ``camera`` (the app of ``hw/camera``), the name of
        a file in ``robot/apps``, or nothing (an empty filesystem: it stops at its prompt).

        ``network``: ``inside`` is a network in the board's own time, ``gateway`` leads real
        programs of this machine to it. A board without an app has none.

        ``booted_already``: go on where the app serves, instead of from power-on.

        ``files``: more files for its filesystem; ``without_files``: leave these out.

        ``fresh``: False when a physical board that serves this app already will do: it is not
        reset before each test then, which takes seconds. Other targets are always fresh.

        | `Create Machine` | app=camera | |
        | `Create Machine` | app=limits | booted_already=True |
        """
        physical = bench.target == PHYSICAL
        firmware: Versioned = bench.identity() if physical else resolve()
        contents = self._files(app, firmware)
        contents.update(files or {})
        for name in without_files or []:
            del contents[name]
        if physical:
            up = UP.get(app or "", b"") if booted_already else None
            bench.set_up_physical(contents, up, app not in WRITERS and not files, fresh)
            return
        image = build_image(resolve(), contents)
        if app in (None, NOTHING):
            network = "none"
        if booted_already:
            kind: Kind = "prompt" if network == "none" else "online"
            if app == CAMERA:
                kind = "serving"
            bench.set_up_booted(booted(image, kind), network, network != "none")
        else:
            bench.set_up(image, network, network != "none")

    def _files(self, app: str | None, firmware: Versioned) -> dict[str, bytes]:
        if app in (None, NOTHING):
            return {}
        files = board_files(firmware)
        if app != CAMERA:
            folder = self._apps()
            path = folder / f"{app}.py"
            if not path.exists():
                known = ", ".join(sorted(p.stem for p in folder.glob("*.py")))
                raise AssertionError(f"no app {app!r}: {CAMERA}, none, or one of {known}")
            files.pop("app.mpy", None)
            for name, source in (("app", path), ("serving", folder / "serving.py")):
                if takes_mpy(firmware):
                    files[f"{name}.mpy"] = compile_mpy(source.read_bytes(), source.name)
                else:
                    files[f"{name}.py"] = source.read_bytes()
        return files

    @staticmethod
    def _apps() -> Path:
        """``apps`` beside the suite."""
        source = BuiltIn().get_variable_value("${SUITE SOURCE}")
        return Path(str(source)).parent / "apps"

    @keyword
    def start_emulation(self) -> None:
        """Let time pass again after ``pause``. A board runs as soon as it is created; suites that
        are shared with Renode say this all the same."""
        if bench.target != PHYSICAL:
            bench.emulated(Capability.CLOCK).paused = False

    @keyword
    def reset_emulation(self) -> None:
        """Clear the desk: board, network and clients."""
        bench.reset()

    @keyword
    def provides(self, state: str) -> None:
        """Keep the state of the board under this name, for `Requires` in this suite."""
        bench.board  # noqa: B018 (says so when there is none)
        if bench.target == PHYSICAL:
            if bench.physical().typed:
                require(bench.target, Capability.SNAPSHOT)
            self._carried[state] = (
                bench.files,
                bench.read_only,
            )  # as fresh from a reset: that can be made again
            return
        text = bench.evidence[-1].uart
        snapshot = bench.emulated(Capability.SNAPSHOT).snapshot()
        kept = (bench.image, snapshot, bench.network, bench.camera is not None, text)
        self._provided[state] = kept

    @keyword
    def requires(self, state: str, network: Network = "inside", fresh: bool = True) -> None:
        """A fresh board in the state that `Provides` kept, or in one that is always there.

        ``prompt``: at the REPL, without a network. ``serving``: the camera app serves;
        ``network`` and ``fresh`` as with `Create Machine`.
        """
        if state in self._carried:
            files, read_only = self._carried[state]
            bench.set_up_physical(files, b"", read_only, fresh)
        elif state in self._provided:
            image, snapshot, kept_network, camera, text = self._provided[state]
            bench.set_up(image, kept_network, camera, snapshot, text)
        elif state == "prompt":
            self.create_machine(booted_already=True)
        elif state == "serving":
            self.create_machine(CAMERA, network, booted_already=True, fresh=fresh)
        else:
            raise AssertionError(f"nothing provides {state!r}")

    @keyword
    def execute_command(self, command: str, machine: str | None = None) -> str:
        """A command of Renode's Monitor that has a meaning here; returns what it prints.

        | ``machine Reset``                   | the reset button |
        | ``pause``, ``start``                | stop time, let it pass again |
        | ``emulation RunFor "0.5"``          | let half a second of virtual time pass |
        | ``sysbus ReadDoubleWord 0x3FF44004`` | memory or a register, as seen from core 0 |
        """
        words = command.split()
        if [w.lower() for w in words] in (["machine", "reset"], ["mach", "reset"]):
            bench.board.reset()
        elif words == ["pause"]:
            bench.emulated(Capability.CLOCK).paused = True
        elif words == ["start"]:
            self.start_emulation()
        elif run_for := RUN_FOR.fullmatch(command.strip()):
            if bench.target == PHYSICAL:
                bench.let_pass(_seconds(run_for[1]))
                return ""
            board = bench.emulated(Capability.CLOCK)
            was, board.paused = board.paused, False
            bench.let_pass(_seconds(run_for[1]))
            board.paused = was
        elif read := READ.fullmatch(command.strip()):
            size = SIZES[read[1].lower()]
            data = bench.emulated(Capability.MEMORY).chip.read_memory(int(read[2], 0), size)
            return f"0x{int.from_bytes(data, 'little'):0{2 * size}X}"
        else:
            raise AssertionError(f"this target knows no Monitor command {command!r}")
        return ""

    @keyword
    def board_should_not_have_been_reset(self) -> None:
        """Fails when the board was reset, or has panicked, since it was put on the desk."""
        if bench.board.events:
            raise AssertionError(f"the board had events: {bench.board.events}")

    @keyword
    def evaluate_on_board(self, expression: str, timeout: float = 60) -> str:
        """``repr`` of a Python expression on the board, which must be at its prompt."""
        return bench.board.console.eval(expression, timeout)

    @keyword
    def run_on_board(self, *lines: str, timeout: float = 60) -> str:
        """Run lines of Python on the board, which must be at its prompt; returns what they
        print. Fails with the traceback when they raise."""
        return bench.board.console.run("\n".join(lines) + "\n", timeout)

    @keyword
    def interrupt_the_app(self) -> None:
        """Ctrl-C on the console until there is a prompt."""
        bench.board.console.interrupt()

    @keyword
    def virtual_seconds(self) -> float:
        """The board's time since it was made."""
        return bench.seconds


def command_needs(command: str) -> tuple[Capability, ...]:
    """What a command of `Execute Command` needs of its target."""
    if command.strip() == "pause":
        return (Capability.CLOCK,)
    if run_for := RUN_FOR.fullmatch(command.strip()):
        return waiting_needs(run_for[1])
    return (Capability.MEMORY,) if READ.fullmatch(command.strip()) else ()


def waiting_needs(text: str) -> tuple[Capability, ...]:
    """What letting so many seconds (or hours:minutes:seconds) pass needs of its target."""
    return (Capability.CLOCK,) if _seconds(text) > REAL_SECONDS_MOST else ()


def _seconds(text: str) -> float:
    """Seconds, or hours:minutes:seconds."""
    total = 0.0
    for part in text.split(":"):
        total = total * 60 + float(part)
    return total
