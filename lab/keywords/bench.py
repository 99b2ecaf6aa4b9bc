"""What is on the desk: one board with its network and clients, shared by all keyword libraries.

Robot makes one instance of each library per suite; the board behind them is one, so it lives here.
"""

from __future__ import annotations

import atexit
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from robot.libraries.BuiltIn import BuiltIn, RobotNotRunningError

from hw.camera.sensor import Vc0706
from lab.boardfile import load, results
from lab.booted import Booted
from lab.capabilities import CannotDo, Capability, require, why_not
from lab.deploy import Identity, identify
from lab.net.capture import Capture
from lab.net.clock import Clock, WallClock
from lab.net.gateway import GUEST_ADDRESS, Gateway, HostForward
from lab.net.host import Host
from lab.net.impair import BadCable
from lab.net.router import Router
from lab.net.switch import Switch
from lab.targets import emulated_board
from lab.targets.embedded import TICKS_PER_SECOND, BoardSnapshot, EmbeddedBoard
from lab.targets.serial import SerialBoard

Network = Literal["none", "inside", "gateway"]
HTTP_PORT = 80
PHYSICAL = "board"
REAL_SECONDS_MOST = 10.0  # that a test on a physical board lets pass for nothing
LOG = "robot-console.log"


@dataclass
class Evidence:
    """What one board and its clients did, for the report of a failure."""

    board: EmbeddedBoard | SerialBoard
    boot_log: str
    capture: Path | None
    frames: list[str] = field(default_factory=list)

    @property
    def uart(self) -> str:
        """All that the console showed, from power-on."""
        return self.boot_log + self.board.console.text


class Bench:
    """At most one board at a time, and what is plugged into it."""

    def __init__(self) -> None:
        self._board: EmbeddedBoard | SerialBoard | None = None
        self._physical: SerialBoard | None = None  # on the desk for as long as we run
        self._identity: Identity | None = None
        self.files: dict[str, bytes] = {}  # of the physical board
        self.starting = False  # a physical board boots already: nothing it says may be missed
        self.read_only = True  # its app leaves them as they are
        self._echoes = False  # the last test asked for no more than a board that serves
        self.network: Network = "none"
        self.image = b""
        self.switch: Switch | None = None
        self.router: Router | None = None
        self.gateway: Gateway | None = None
        self.cable: BadCable | None = None
        self.camera: Vc0706 | None = None
        self.evidence: list[Evidence] = []  # of the boards of this test
        self.timeout = 10.0  # seconds that a UART keyword waits when it is not told
        self._capture: Capture | None = None
        self._host: Host | None = None
        self._wall: WallClock | None = None
        self._scratch = tempfile.TemporaryDirectory(prefix="lab-robot-")
        self._captures = 0
        self.at_reset: list[Callable[[], None]] = []  # clients let go of their connections

    # --- board ---

    @property
    def board(self) -> EmbeddedBoard | SerialBoard:
        """Raises AssertionError when there is none."""
        if self._board is None:
            raise AssertionError("no board is on the desk: use `Create Machine` or `Requires`")
        return self._board

    @property
    def target(self) -> str:
        """Where the board runs: $TARGET."""
        return os.environ.get("TARGET") or "embedded"

    @property
    def patience(self) -> float:
        """Factor on deadlines: a slow link has its own."""
        return self._board.patience if isinstance(self._board, SerialBoard) else 1.0

    def emulated(self, capability: Capability) -> EmbeddedBoard:
        """The board, for something that only an emulated one can do. Raises CannotDo."""
        require(self.target, capability)
        board = self.board
        if isinstance(board, SerialBoard):
            raise CannotDo(self.target, capability, "it is a physical board")
        return board

    def lacking(self, needs: Iterable[Capability]) -> CannotDo | None:
        """What the target lacks of `needs`, the first in the alphabet."""
        settings = load() if self.target == PHYSICAL else None
        for need in sorted(needs):
            why = why_not(self.target, need)
            if why and not (need == Capability.POWER and settings and settings.power_command):
                return CannotDo(self.target, need, why)
        return None

    @property
    def inside(self) -> bool:
        """Is all that happens in the board's own time?"""
        return self.network != "gateway"

    def set_up(
        self,
        image: bytes,
        network: Network,
        camera: bool,
        snapshot: BoardSnapshot | None = None,
        boot_log: str = "",
    ) -> None:
        """A board with this flash, powered on, or going on from `snapshot`."""
        self.reset()
        self.image, self.network = image, network
        path = None
        if network != "none":
            self.switch = Switch(clock=self._now_ns)
            self._captures += 1
            path = Path(self._scratch.name, f"{self._captures}.pcapng")
            self._capture = Capture(path, self.switch)
        if network == "gateway" and self.switch:
            self.gateway = Gateway(self.switch, [HostForward(HTTP_PORT)])
        self.camera = Vc0706() if camera else None
        pace: Literal["eager", "stepped"] = "eager" if network == "gateway" else "stepped"
        make = emulated_board(_target())
        board = make(image, self.switch, pace, snapshot=snapshot, camera=self.camera)
        self._board = board
        if network == "inside" and self.switch:
            self.router = Router(self.switch, board.clock)
        self.evidence.append(Evidence(board, boot_log, path))

    def set_up_physical(self, files: Mapping[str, bytes], wait_for: bytes | None,
                        read_only: bool, fresh: bool = True) -> None:  # fmt: skip
        """The physical board with these files, reset; it serves, or has said `wait_for` (None:
        its power has just come). read_only: the app writes no file. fresh: False where one that
        serves already will do. Raises LabError."""
        self.reset()
        board = self.physical()
        echoes, self._echoes = self._echoes, not fresh
        if not fresh and echoes and _passed_before() and board.serves_on(files):
            self.network, self._board = "gateway", board
            self.evidence.append(Evidence(board, "", None))
            return
        self.files, self.network, self.read_only = dict(files), "gateway", read_only
        self.starting = wait_for is None
        if wait_for is None:
            board.put(files)
            board.start(cold=True)
        elif files:
            board.serve(files, read_only)
            board.console.wait_for(wait_for, 10 * board.patience)
        else:
            board.put(files)
            board.start()
            board.console.wait_for_prompt(10 * board.patience)
            board.typed = False
        self._board = board
        self.evidence.append(Evidence(board, "", None))

    def physical(self) -> SerialBoard:
        """The one of board.toml and the variables, opened. Raises LabError."""
        if self._physical is None:
            self._physical = SerialBoard(load())
            atexit.register(self._put_away)
        return self._physical

    def identity(self) -> Identity:
        """Of the physical board. Raises LabError."""
        if self._identity is None:
            self._identity = identify(self.physical())
        return self._identity

    def _put_away(self) -> None:
        """At the end: the whole console, for the report."""
        if self._physical:
            self._physical.close()
            results().mkdir(parents=True, exist_ok=True)
            (results() / LOG).write_bytes(bytes(self._physical.log))

    def set_up_booted(self, state: Booted, network: Network, camera: bool) -> None:
        """A board that goes on from `state`."""
        self.set_up(state.image, network, camera, state.snapshot, state.console)

    def reset(self) -> None:
        """Clear the desk; harmless when it is."""
        for let_go in self.at_reset:
            let_go()
        if isinstance(self._board, EmbeddedBoard):
            self._board.close()
        if self.gateway:
            self.gateway.stop()
        if self._capture:
            self._capture.close()
        if self._wall:
            self._wall.close()
        self._board = self.switch = self.router = self.gateway = self._host = None
        self._capture = self._wall = self.cable = self.camera = None
        self.network = "none"

    def _now_ns(self) -> int:
        """For the capture: virtual time since the chip was made."""
        board = self._board
        if not isinstance(board, EmbeddedBoard):
            return 0
        return board.now * 1_000_000_000 // TICKS_PER_SECOND

    @property
    def seconds(self) -> float:
        """Virtual time; of the wall clock on a physical board."""
        return self.board.seconds

    def can_wait(self, seconds: float) -> None:
        """Raises CannotDo where so many seconds would have to be waited for."""
        if self.target == PHYSICAL and seconds > REAL_SECONDS_MOST:
            require(self.target, Capability.CLOCK)

    def let_pass(self, seconds: float) -> None:
        """Let virtual time pass. Raises AssertionError where the wall clock rules."""
        if isinstance(self.board, SerialBoard):
            self.can_wait(seconds)
            self.board.wait(seconds)
            return
        if not self.inside:
            raise AssertionError("with the gateway time can't be moved; wait for an event instead")
        self.board.run_for(seconds)

    # --- network ---

    @property
    def clock(self) -> Clock:
        """That the board's peers live by."""
        if self.inside:
            return self.emulated(Capability.CLOCK).clock
        if self._wall is None:
            self._wall = WallClock()
        return self._wall

    @property
    def host(self) -> Host:
        """Where the clients run, inside the simulation."""
        if self.switch is None:
            raise AssertionError("the board has no network")
        if self._host is None:
            self._host = Host(self.switch, self.emulated(Capability.FRAMES).clock)
        return self._host

    @property
    def address(self) -> tuple[str, int]:
        """Where the board's HTTP is, for a client of this network."""
        if self.network == "none":
            raise AssertionError("the board has no network")
        if isinstance(self._board, SerialBoard):
            return self._board.address
        return self.gateway.forwards[HTTP_PORT] if self.gateway else (GUEST_ADDRESS, HTTP_PORT)

    def note(self, line: str) -> None:
        """Something a client did or saw, for the report of a failure."""
        if self.evidence:
            self.evidence[-1].frames.append(f"{self.seconds:10.4f} s  {line}")

    def forget(self) -> None:
        """A test is over: drop the evidence of boards that are gone."""
        for old in self.evidence:
            if old.board is not self._board and old.capture:
                old.capture.unlink(missing_ok=True)
        self.evidence = [e for e in self.evidence if e.board is self._board]
        for live in self.evidence:
            live.frames.clear()


def _passed_before() -> bool:
    """Did the test before this one pass, or was it skipped?"""
    return BuiltIn().get_variable_value("${PREV TEST STATUS}") in ("PASS", "SKIP")


def _target() -> str | None:
    """Under Renode's own runner, renode-test: boards live in the Renode that it has started."""
    try:
        skip = BuiltIn().get_variable_value("${SKIP_RUNNING_SERVER}")
        port = BuiltIn().get_variable_value("${PORT_NUMBER}")
    except RobotNotRunningError:
        return None
    if str(skip) != "True" or not port:
        return None
    from lab.targets import renode_link

    renode_link.running_port = int(port)
    return "renode"


bench = Bench()
