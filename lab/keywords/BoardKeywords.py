"""Robot keywords for the board, under the names Renode's own keywords have.

| Library | lab.keywords.BoardKeywords |

A suite written with these reads the same under the lab's engine and under ``renode-test``.
"""

from __future__ import annotations

from robot.api import logger
from robot.api.deco import keyword, library

from hw.camera.sensor import Vc0706
from lab.firmware import resolve
from lab.flash import board_files, build_image
from lab.net.gateway import Gateway, HostForward
from lab.net.switch import Switch
from lab.targets.embedded import BoardSnapshot, EmbeddedBoard

UP_SECONDS = 60


@library(scope="SUITE", auto_keywords=False)
class BoardKeywords:
    """One emulated board per suite; `Reset Emulation` ends it."""

    def __init__(self) -> None:
        self._board: EmbeddedBoard | None = None
        self._gateway: Gateway | None = None
        self._timeout = 10.0
        self._provided: dict[str, tuple[bytes, BoardSnapshot]] = {}
        self._image = b""

    @property
    def board(self) -> EmbeddedBoard:
        if self._board is None:
            raise AssertionError("no board is running: use `Create Machine` first")
        return self._board

    @property
    def ws_url(self) -> str:
        """Of the echo endpoint of the running board."""
        return "ws://{}:{}/echo".format(*self._forward())

    def _forward(self) -> tuple[str, int]:
        if self._gateway is None:
            raise AssertionError("the board has no network: use `Create Machine`  network=True")
        return self._gateway.forwards[80]

    @keyword
    def create_machine(self, network: bool = False, snapshot: str | None = None) -> None:
        """Put a board on the desk and power it on.

        ``network``: with the app on its flash, plugged into a switch with a gateway. Without, it
        has an empty filesystem and stops at the prompt. ``snapshot``: go on where `Provides`
        left off under that name.
        """
        self.reset_emulation()
        state: BoardSnapshot | None = None
        if snapshot:
            if snapshot not in self._provided:
                raise AssertionError(f"nothing provides {snapshot!r}")
            self._image, state = self._provided[snapshot]
        else:
            firmware = resolve()
            self._image = build_image(firmware, board_files(firmware) if network else {})
        switch = Switch() if network else None
        if switch:
            self._gateway = Gateway(switch, [HostForward(80)])
        self._board = EmbeddedBoard(
            self._image,
            switch,
            "eager" if network else "stepped",
            snapshot=state,
            camera=Vc0706() if network else None,
        )

    @keyword
    def create_terminal_tester(self, uart: str = "sysbus.uart0", timeout: float = 10) -> None:
        """Listen on a UART from now on. ``timeout``: seconds that the waits below may take,
        virtual ones unless the board is on a network."""
        if not uart.endswith("uart0"):
            raise AssertionError(f"only uart0 has a console, not {uart}")
        self._timeout = timeout
        self.board.console.mark()

    @keyword
    def start_emulation(self) -> None:
        """For suites that are shared with Renode: the board runs as soon as it is created."""
        self.board.console  # noqa: B018 (says so when there is none)

    @keyword
    def reset_emulation(self) -> None:
        """Switch everything off."""
        if self._board:
            logger.debug(self._board.console.text)
            self._board.close()
            self._board = None
        if self._gateway:
            self._gateway.stop()
            self._gateway = None

    @keyword
    def wait_for_line_on_uart(self, text: str, timeout: float | None = None) -> str:
        """Wait for a line that contains ``text``; returns it."""
        console = self.board.console
        before = console.wait_for(text, timeout or self._timeout)
        rest = console.wait_for("\n", timeout or self._timeout)
        return (before + rest).splitlines()[-1].strip()

    @keyword
    def wait_for_prompt_on_uart(self, prompt: str = ">>> ", timeout: float | None = None) -> None:
        """Wait for a prompt, which has no line end."""
        if prompt == ">>>":
            prompt = ">>> "  # Robot strips the blank
        self.board.console.wait_for(prompt, timeout or self._timeout)

    @keyword
    def write_line_to_uart(self, text: str = "", wait_for_echo: bool = True) -> None:
        """Type a line. With ``wait_for_echo`` come back when the board has echoed it."""
        self.board.console.write(text.encode() + b"\r")
        if wait_for_echo:
            self.board.console.wait_for(text + "\r\n", self._timeout)

    @keyword
    def write_to_uart(self, text: str) -> None:
        """Type text as it is; ``\\x03`` is Ctrl-C."""
        self.board.console.write(text.encode().replace(b"\\x03", b"\x03"))

    @keyword
    def should_not_be_on_uart(self, text: str, timeout: float = 1) -> None:
        """Fails when ``text`` comes within ``timeout`` seconds."""
        if not self.board.console.absent(text, timeout):
            raise AssertionError(f"{text!r} was on the console:\n{self.board.console.tail}")

    @keyword
    def evaluate_on_board(self, expression: str) -> str:
        """``repr`` of a Python expression on the board; it must be at its prompt."""
        return self.board.console.eval(expression, self._timeout)

    @keyword
    def execute_command(self, command: str) -> None:
        """Renode's Monitor commands that have a meaning here: ``machine Reset``."""
        if command.strip().lower() != "machine reset":
            raise AssertionError(f"this target knows no Monitor command {command!r}")
        self.board.reset()

    @keyword
    def power_cycle(self) -> None:
        """Off and on again: RAM is lost, flash is kept."""
        self.board.power_cycle()
        self.board.console.mark()

    @keyword
    def provides(self, name: str) -> None:
        """Keep the state of the board for `Requires`."""
        self._provided[name] = (self._image, self.board.snapshot())

    @keyword
    def requires(self, name: str) -> None:
        """A fresh board in the state that `Provides` kept, on a network if that one was."""
        self.create_machine(network=self._gateway is not None, snapshot=name)

    @keyword
    def board_should_not_have_been_reset(self) -> None:
        """Fails when the board was reset or has panicked."""
        if self.board.events:
            raise AssertionError(f"the board had events: {self.board.events}")

    @keyword
    def echo_url(self) -> str:
        """The WebSocket URL of the board's echo."""
        return self.ws_url
