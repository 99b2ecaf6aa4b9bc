"""The board's console, under the names and with the arguments of Renode's UART keywords."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from robot.api.deco import keyword, library

from lab.console import ConsoleError
from lab.keywords.bench import bench

LINE = re.compile(rb"[^\n]*\n")


@dataclass(frozen=True)
class Found:
    """What a wait has found: the line, when (ms of virtual time), and a pattern's groups."""

    Line: str
    Timestamp: float
    Groups: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return self.Line


@library(scope="SUITE", auto_keywords=False)
class UartKeywords:
    """Wait for what the board says on its UART, and type.

    A wait begins where the last one ended, so no line is found twice. ``timeout`` is seconds,
    virtual ones unless the board is on the ``gateway``; without it, what
    `Create Terminal Tester` was told. ``testerId`` is taken for Renode's sake: there is one UART
    with a console. ``treatAsRegex``: the text is a regular expression, searched in each line.
    """

    def __init__(self) -> None:
        self._testers = 0

    @keyword
    def create_terminal_tester(
        self, uart: str = "sysbus.uart0", timeout: float = 30, machine: str | None = None
    ) -> int:
        """Listen from now on. ``timeout``: seconds that the waits may take. Returns an id."""
        if uart.rpartition(".")[2] != "uart0":
            raise AssertionError(f"only uart0 has a console, not {uart}")
        bench.timeout = timeout
        if not bench.starting:
            bench.board.console.mark()
        bench.starting = False
        self._testers += 1
        return self._testers

    @keyword
    def set_default_uart_timeout(self, timeout: float) -> None:
        """Seconds that the waits may take when they are not told."""
        bench.timeout = timeout

    @keyword
    def wait_for_line_on_uart(
        self,
        content: str,
        timeout: float | None = None,
        testerId: int | None = None,
        treatAsRegex: bool = False,
        includeUnfinishedLine: bool = False,
        pauseEmulation: bool | None = None,
        matchNextLine: bool = False,
    ) -> Found:
        """Wait for a line that contains ``content``; returns it with its time and groups.

        ``includeUnfinishedLine``: a line that has not ended yet counts too. ``matchNextLine``:
        it must be the very next line.

        | ${found} =      | `Wait For Line On Uart` | http on (.*):80 | treatAsRegex=True |
        | Should Be Equal | ${found.Groups[0]}      | 10.0.2.15       | |
        """
        pattern = re.compile((content if treatAsRegex else re.escape(content)).encode())
        if includeUnfinishedLine:
            return self._unfinished(pattern, self._timeout(timeout))
        deadline = bench.clock.now() + self._timeout(timeout)
        while True:
            line = self._next_line(content, max(0.0, deadline - bench.clock.now()))
            match = pattern.search(line.encode())
            if match:
                groups = [(g or b"").decode("utf-8", "replace") for g in match.groups()]
                return self._found(line, groups)
            if matchNextLine:
                raise AssertionError(f"the next line is {line!r}, not one with {content!r}")

    @keyword
    def wait_for_next_line_on_uart(
        self,
        timeout: float | None = None,
        testerId: int | None = None,
        pauseEmulation: bool | None = None,
    ) -> Found:
        """Wait for the end of a line, whatever it is; returns it."""
        return self._found(self._next_line("a line", self._timeout(timeout)))

    @keyword
    def wait_for_prompt_on_uart(
        self,
        prompt: str = ">>>",
        testerId: int | None = None,
        timeout: float | None = None,
        treatAsRegex: bool = False,
        pauseEmulation: bool | None = None,
    ) -> Found:
        """Wait for a prompt, which has no line end; MicroPython's unless told otherwise."""
        text = prompt if treatAsRegex else re.escape(prompt)
        return self._unfinished(re.compile(text.encode() + b" ?"), self._timeout(timeout))

    @keyword
    def should_not_be_on_uart(
        self,
        content: str,
        timeout: float = 1,
        testerId: int | None = None,
        treatAsRegex: bool = False,
        includeUnfinishedLine: bool = False,
    ) -> None:
        """Fails when ``content`` comes within ``timeout`` seconds."""
        pattern = re.compile((content if treatAsRegex else re.escape(content)).encode())
        try:
            bench.board.console.wait_for(pattern, timeout)
        except ConsoleError:
            return
        raise AssertionError(f"{content!r} came on the console:\n{bench.board.console.tail}")

    @keyword
    def should_not_have_been_on_uart(self, content: str) -> None:
        """Fails when ``content`` has come since the board was put on the desk."""
        if content in bench.board.console.text:
            raise AssertionError(f"{content!r} was on the console:\n{bench.board.console.tail}")

    @keyword
    def write_line_to_uart(
        self,
        content: str = "",
        testerId: int | None = None,
        waitForEcho: bool = True,
        pauseEmulation: bool | None = None,
    ) -> None:
        """Type a line. With ``waitForEcho`` come back when the board has echoed it."""
        bench.board.console.write(content.encode() + b"\r")
        if waitForEcho:
            bench.board.console.wait_for(content + "\r\n", bench.timeout)

    @keyword
    def write_to_uart(self, content: str, testerId: int | None = None) -> None:
        r"""Type text as it is, no line end; ``\x03`` is Ctrl-C."""
        bench.board.console.write(content.encode())

    @keyword
    def write_char_on_uart(self, c: str, testerId: int | None = None) -> None:
        """Type one character."""
        if len(c) != 1:
            raise AssertionError(f"one character, not {c!r}")
        bench.board.console.write(c.encode())

    @keyword
    def send_key_to_uart(self, c: int, testerId: int | None = None) -> None:
        """Type one byte by its number: ``0x03`` is Ctrl-C."""
        bench.board.console.write(bytes([c]))

    @keyword
    def test_if_uart_is_idle(
        self, timeout: float, testerId: int | None = None, pauseEmulation: bool | None = None
    ) -> None:
        """Fails when anything comes within ``timeout`` seconds."""
        self.should_not_be_on_uart(".", timeout, treatAsRegex=True)

    # --- what they share ---

    @staticmethod
    def _timeout(timeout: float | None) -> float:
        return (bench.timeout if timeout is None else timeout) * bench.patience

    @staticmethod
    def _found(line: str, groups: list[str] | None = None) -> Found:
        return Found(line.rstrip("\r\n"), bench.seconds * 1000, groups or [])

    @staticmethod
    def _next_line(wanted: str, timeout: float) -> str:
        try:
            return bench.board.console.wait_for(LINE, timeout).rstrip("\r\n")
        except ConsoleError:
            raise AssertionError(
                f"{wanted!r} did not come in time; the console shows:\n"
                + (bench.board.console.tail or "(nothing)")
            ) from None

    def _unfinished(self, pattern: re.Pattern[bytes], timeout: float) -> Found:
        try:
            text = bench.board.console.wait_for(pattern, timeout)
        except ConsoleError as error:
            raise AssertionError(str(error)) from None
        return self._found(text.rpartition("\n")[2])
