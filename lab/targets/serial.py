"""A physical board on a serial port: console, reset, power, files, and the address it reports.

It is a `lab.board.Board`. What a physical board can't do raises `lab.capabilities.CannotDo`.
"""

from __future__ import annotations

import re
import shlex
import socket
import subprocess
import threading
import time
from collections.abc import Mapping
from types import TracebackType

from lab.board import PANIC, BoardError, Event, find_panic
from lab.boardfile import BoardSettings
from lab.capabilities import CannotDo, Capability, require
from lab.console import Console, ConsoleError
from lab.interrupt import signals
from lab.net.clock import WallClock
from lab.redact import Redactor
from lab.targets import files
from lab.targets.port import BoardGone, PortReader

TARGET = "board"
COMING_UP = re.compile(
    rb"(?:lab: http on [0-9.]+|lab: error[^\n]*|" + PANIC.pattern + rb")[^\n]*\n"
)
ADDRESS = re.compile(r"lab: http on ([0-9.]+)")
RESET = re.compile(rb"rst:(0x[0-9a-f]+[^\r\n]*)[\r\n]")  # the ROM's first line
BLANK = re.compile(rb"invalid header: 0x|flash read err|waiting for download|ets_main\.c")
UP_SECONDS = 20  # net.py gives up after 15
BOOT_SECONDS = 1.5  # from the button to the first line of the ROM, on any link
PROMPT_SECONDS = 5
BOOTED = re.compile(rb">>> |lab: |Traceback")  # the firmware has come up: it takes keys
BOOTED_SECONDS = 5  # from the first line of the ROM to that
BLANK_LINES = 3  # shown of what a chip without firmware says over and over
POWER_SECONDS = 60
HAND_SECONDS = 120  # for somebody to press a button
CONNECT_SECONDS = 10
TRIES = 3
GOINGS_ON = 10  # tests, of some three connections each


class SerialBoard:
    """The board of `settings`. Raises BoardError."""

    target = TARGET

    def __init__(self, settings: BoardSettings) -> None:
        self.settings = settings
        self.patience = settings.patience
        self.clock = WallClock()
        self.events: list[Event] = []
        self.log = bytearray()  # all that came, secrets masked
        self.address = ("", 0)
        self.failure: BoardGone | None = None
        self._carried: dict[str, bytes] | None = None  # its files, when they are known
        self._goings_on = 0  # since it was started: tests that took it as it was
        self.typed = True  # by whoever, since it was started: that may have written files
        self._redactor = Redactor(settings.password)
        self._recent = b""
        self._boots = 0
        self._expected = 0  # resets of ours that have not shown yet
        self._booting = False  # the ROM has spoken, the firmware not yet
        self._booted = threading.Condition()
        self._lines: bool | None = None  # do DTR and RTS lead to EN? None: not tried
        self.console = Console(self._type)
        self._start = time.monotonic()
        self._reader = PortReader(settings.port, self._came, self._idle, self._fail)

    # --- stream ---

    def _type(self, data: bytes) -> None:
        self.typed = True
        self._reader.write(data)

    def _came(self, data: bytes) -> None:
        self._feed(self._redactor.feed(data))

    def _idle(self) -> None:
        self._feed(self._redactor.flush())

    def _feed(self, data: bytes) -> None:
        if not data:
            return
        self.log += data
        self._recent = (self._recent + data)[-4096:]
        came_up = BOOTED.search(self._recent, self._recent.rfind(b"rst:0x") + 1)
        if b"\n" in data or b"\r" in data:
            self._look()
        if self._booting and came_up:
            with self._booted:
                self._booting = False
                self._booted.notify_all()
        self.console.feed(data)

    def _look(self) -> None:
        """For resets and panics among the lines that have come."""
        end = max(self._recent.rfind(b"\n"), self._recent.rfind(b"\r")) + 1
        lines, self._recent = self._recent[:end], self._recent[end:]
        if panic := find_panic(lines):
            self.events.append(Event("panic", panic))
        for reset in RESET.finditer(lines):
            with self._booted:
                self._boots += 1
                self._booting = True
                if self._expected:
                    self._expected -= 1
                else:
                    self.events.append(Event("reset", reset[1].decode("ascii", "replace")))
                self._booted.notify_all()

    def _fail(self, error: BoardGone) -> None:
        self.failure = self.failure or error
        self.console.fail(self.failure)
        with self._booted:
            self._booted.notify_all()

    def check(self) -> None:
        """Raises BoardGone when the board is."""
        if self.failure:
            raise self.failure

    # --- lab.board.Board ---

    @property
    def seconds(self) -> float:
        """Of the wall clock, since the board was last started anew."""
        return time.monotonic() - self._start

    def reset(self) -> None:
        """Press the reset button: by DTR and RTS, else by a power cycle.

        Raises CannotDo when the board has neither, BoardError.
        """
        self.check()
        if self.press():
            return
        if self.settings.power_command:
            return self.power_cycle()
        raise CannotDo(TARGET, Capability.RESET,
                       "DTR and RTS of its port do not lead to EN and IO0")  # fmt: skip

    def press(self) -> bool:
        """The reset button, by DTR and RTS; False when they do not lead to it. Raises BoardError
        when they did before."""
        if self._lines is False:
            return False
        with self._booted:
            before = self._boots
            self._expected = 1
        pressed = self._reader.press_reset()
        with self._booted:
            if pressed:
                seconds = BOOT_SECONDS * self.patience
                self._booted.wait_for(lambda: self._boots > before or bool(self.failure), seconds)
            self.check()
            self._expected = 0
            booted = self._boots > before
            if self._lines and not booted:
                raise BoardError(f"the board at {self.settings.port} does not start: nothing came "
                                 f"within {seconds:g} s of its reset")  # fmt: skip
            self._lines = booted
        return self._lines

    def wait_for_reset(self) -> None:
        """Until somebody has pressed the button. Raises BoardError, Interrupted."""

        def enough() -> bool:
            return self._boots > before or bool(self.failure) or signals.number is not None

        with signals.calling(self._notify), self._booted:
            before, self._expected = self._boots, 1
            self._booted.wait_for(enough, HAND_SECONDS)
            self._expected = 0
            pressed = self._boots > before
        signals.check()
        self.check()
        if not pressed:
            raise BoardError(f"nobody has reset the board within {HAND_SECONDS} s")

    def _notify(self, number: int) -> None:
        with self._booted:
            self._booted.notify_all()

    def power_off(self) -> None:
        """Cut its supply. Raises CannotDo without a power_command, BoardError when that fails."""
        self._can_switch()
        self._reader.unplugged = True
        self._power("off")

    def power_on(self) -> None:
        """Undo `power_off`; the port comes back too where the USB bridge was without power."""
        self._can_switch()
        with self._booted:
            self._expected = 1
        self._power("on")
        if self._reader.ended:
            self._reader.reopen()
        self._reader.unplugged = False

    def power_cycle(self) -> None:
        """Off and on: RAM is lost, flash is kept."""
        self.power_off()
        self.power_on()

    def _can_switch(self) -> None:
        if not self.settings.power_command:
            require(TARGET, Capability.POWER)

    def _power(self, action: str) -> None:
        words = [w.replace("{action}", action) for w in shlex.split(self.settings.power_command)]
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=POWER_SECONDS)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise BoardError(f"power_command {words[0]!r}: {error}") from None
        if done.returncode:
            said = (done.stderr or done.stdout).strip()[-200:] or f"status {done.returncode}"
            raise BoardError(f"power_command {action} failed: {said}")

    def wait(self, seconds: float) -> None:
        """Let time pass. Raises BoardGone as soon as the board is."""
        with self._booted:
            self._booted.wait_for(lambda: bool(self.failure), seconds)
        self.check()

    def set_link(self, up: bool) -> None:
        """Raises CannotDo."""
        require(TARGET, Capability.LINK)

    def close(self) -> None:
        """Let go of it; harmless twice."""
        self._reader.close()
        self.clock.close()

    def __enter__(self) -> SerialBoard:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:  # fmt: skip
        self.close()

    # --- prompt and files ---

    def prompt(self) -> None:
        """At the REPL, whatever ran before. Raises BoardError when there is no MicroPython."""
        if self._reader.unplugged:
            self.power_on()
        for attempt in range(TRIES):
            self._let_boot()
            if self._is_blank():
                break
            try:
                self.console.interrupt(PROMPT_SECONDS * (attempt + 1))
                return
            except ConsoleError:
                self.press()
        self.check()
        raise BoardError(self._silence())

    def _let_boot(self) -> None:
        """A board that boots drops what is typed, or worse: Ctrl-C keeps its _boot.py from
        mounting the filesystem."""
        with self._booted:
            seconds = BOOTED_SECONDS * self.patience
            self._booted.wait_for(
                lambda: not self._booting or bool(self.failure) or self._is_blank(), seconds
            )
        self.check()

    def _is_blank(self) -> bool:
        """Has the ROM found nothing to start, again and again?"""
        return len(BLANK.findall(self.console.tail.encode())) >= BLANK_LINES

    def _silence(self) -> str:
        tail = self.console.tail
        port = self.settings.port
        if BLANK.search(tail.encode()):
            last = "\n".join([line for line in tail.splitlines() if line.strip()][-BLANK_LINES:])
            return (f"the chip at {port} has no firmware it can start; FLASH=1 writes the pinned "
                    f"one. It says:\n{last}")  # fmt: skip
        if not tail.strip():
            return (f"no board answers at {port}: is it powered, is it an ESP32, at 115200 baud? "
                    "FLASH=1 writes the pinned firmware")  # fmt: skip
        return f"no MicroPython answers at {port}; FLASH=1 writes the pinned one. It says:\n{tail}"

    def put(
        self, wanted: Mapping[str, bytes], there: Mapping[str, str] | None = None
    ) -> files.Changes:
        """Make the board's files these, but for its network settings; sends what differs.

        there: see `files.put`. Leaves it at its prompt. Raises BoardError, CannotDo (more than
        the port carries in time).
        """
        for _ in range(TRIES - 1):
            self.prompt()
            try:
                return files.put(self.console, wanted, self.patience, there)
            except (ConsoleError, files.FilesError):
                self.check()
                there = None  # a watchdog of the program before has bitten, perhaps: once
        self.prompt()
        return files.put(self.console, wanted, self.patience)

    # --- starting ---

    def start(self, cold: bool = False) -> None:
        """Run what is on it, from a reset of the chip: by the button (`reset`), else, unless
        `cold`, by the program at its prompt.

        Console and events begin anew. Raises BoardError, CannotDo.
        """
        self._begin()
        if self.press():
            return
        if cold or self.settings.power_command:
            return self.reset()
        self.prompt()
        self._begin()
        with self._booted:
            before, self._expected = self._boots, 1
        self.console.write(b"import machine; machine.reset()\r")
        with self._booted:
            seconds = BOOT_SECONDS * self.patience
            self._booted.wait_for(lambda: self._boots > before or bool(self.failure), seconds)
            self._expected = 0
        self._begin()  # a prompt of before may have come in between

    def _begin(self) -> None:
        self.check()
        self.events.clear()
        self.console = Console(self._type)
        self._start = time.monotonic()
        if self.failure:
            self.console.fail(self.failure)

    def serve(self, wanted: Mapping[str, bytes], read_only: bool = False) -> tuple[str, int]:
        """Put an app on it, start it and wait for its address; returns where its HTTP is.

        read_only: the app writes no file, so the board need not be looked at when it has run the
        same before and nobody has typed since. Raises BoardError with what the board says when it
        can't.
        """
        if not read_only or self.typed or wanted != self._carried:
            self.put(wanted)
        self.start()
        self.typed = False
        self._carried, self._goings_on = (dict(wanted) if read_only else None), 0
        return self.wait_until_up()

    def serves_on(self, wanted: Mapping[str, bytes]) -> bool:
        """Can `wanted`, which was started by `serve` (read_only), simply go on? Not when it was
        typed to, reset or printed a traceback since, nor for ever: connections that the board has
        closed stay in its memory for two minutes (TIME-WAIT: RFC 9293, 3.6.1)."""
        self.check()
        if self.typed or self.events or wanted != self._carried or self._goings_on >= GOINGS_ON:
            return False
        if "Traceback" in self.console.text:
            return False
        self._goings_on += 1
        return True

    def _wait_for_app(self) -> str:
        try:
            return self.console.wait_for(COMING_UP, UP_SECONDS * self.patience)
        except ConsoleError as error:
            raise BoardError(f"the app on the board did not come up: {error}") from None

    def wait_until_up(self) -> tuple[str, int]:
        """The address, once the app has reported it and this machine reaches it."""
        text = self._wait_for_app()
        found = ADDRESS.search(text)
        if not found:
            line = text.strip().splitlines()[-1].removeprefix("lab: ")
            raise BoardError(f"the app on the board says: {line}")
        reported = found[1]
        self.address = self.settings.at(reported)
        try:
            socket.create_connection(self.address, CONNECT_SECONDS * self.patience).close()
        except OSError as error:
            host, port = self.address
            raise BoardError(
                f"the board has the address {reported}, but nothing answers at {host}:{port} "
                f"({error.strerror or error}); is this machine in its network? ADDRESS=host:port"
            ) from None
        return self.address
