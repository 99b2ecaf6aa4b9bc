"""What is on the desk: one board with its network and clients, shared by all keyword libraries.

Robot makes one instance of each library per suite; the board behind them is one, so it lives here.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from robot.libraries.BuiltIn import BuiltIn, RobotNotRunningError

from hw.camera.sensor import Vc0706
from lab.booted import Booted
from lab.net.capture import Capture
from lab.net.clock import Clock, WallClock
from lab.net.gateway import GUEST_ADDRESS, Gateway, HostForward
from lab.net.host import Host
from lab.net.impair import BadCable
from lab.net.router import Router
from lab.net.switch import Switch
from lab.targets import emulated_board
from lab.targets.embedded import TICKS_PER_SECOND, BoardSnapshot, EmbeddedBoard

Network = Literal["none", "inside", "gateway"]
HTTP_PORT = 80


@dataclass
class Evidence:
    """What one board and its clients did, for the report of a failure."""

    board: EmbeddedBoard
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
        self._board: EmbeddedBoard | None = None
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
    def board(self) -> EmbeddedBoard:
        """Raises AssertionError when there is none."""
        if self._board is None:
            raise AssertionError("no board is on the desk: use `Create Machine` or `Requires`")
        return self._board

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
        self._board = make(image, self.switch, pace, snapshot=snapshot, camera=self.camera)
        if network == "inside" and self.switch:
            self.router = Router(self.switch, self._board.clock)
        self.evidence.append(Evidence(self._board, boot_log, path))

    def set_up_booted(self, state: Booted, network: Network, camera: bool) -> None:
        """A board that goes on from `state`."""
        self.set_up(state.image, network, camera, state.snapshot, state.console)

    def reset(self) -> None:
        """Clear the desk; harmless when it is."""
        for let_go in self.at_reset:
            let_go()
        if self._board:
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
        return self._board.now * 1_000_000_000 // TICKS_PER_SECOND if self._board else 0

    @property
    def seconds(self) -> float:
        """Virtual time."""
        return self.board.seconds

    def let_pass(self, seconds: float) -> None:
        """Let virtual time pass. Raises AssertionError where the wall clock rules."""
        if not self.inside:
            raise AssertionError("with the gateway time can't be moved; wait for an event instead")
        self.board.run_for(seconds)

    # --- network ---

    @property
    def clock(self) -> Clock:
        """That the board's peers live by."""
        if self.inside:
            return self.board.clock
        if self._wall is None:
            self._wall = WallClock()
        return self._wall

    @property
    def host(self) -> Host:
        """Where the clients run, inside the simulation."""
        if self.switch is None:
            raise AssertionError("the board has no network")
        if self._host is None:
            self._host = Host(self.switch, self.board.clock)
        return self._host

    @property
    def address(self) -> tuple[str, int]:
        """Where the board's HTTP is, for a client of this network."""
        if self.network == "none":
            raise AssertionError("the board has no network")
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
