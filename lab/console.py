"""The MicroPython console: text to wait for, the REPL and the raw REPL, over any byte stream.

A `Console` is fed with what the board sends and writes through a function; how to wait is the
target's business, so the same class serves a board in a thread, one that is stepped in virtual
time, and a serial port.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable

from lab import LabError

PROMPT = b">>> "
HISTORY = 1 << 20  # bytes of output kept
TAIL = 2000  # of them shown in an error

# wait(predicate, timeout in seconds) -> was it true in time?
Waiter = Callable[[Callable[[], bool], float], bool]


class ConsoleError(LabError):
    """What was waited for did not come; the text ends with what the console showed."""


class BoardException(LabError):
    """A program on the board ended with an exception: `traceback` is MicroPython's text."""

    def __init__(self, output: str, traceback: str) -> None:
        super().__init__(traceback.strip())
        self.output = output
        self.traceback = traceback


class Console:
    """One console. Waiting starts where the last wait ended, so nothing is matched twice."""

    def __init__(self, write: Callable[[bytes], None], wait: Waiter | None = None) -> None:
        self._write = write
        self._changed = threading.Condition()
        self._wait = wait or self._wait_for_change
        self._data = bytearray()
        self._dropped = 0  # bytes of history forgotten
        self._seen = 0  # position up to which waits have consumed
        self.failure: Exception | None = None

    # --- stream ---

    def feed(self, data: bytes) -> None:
        """Output of the board has come."""
        with self._changed:
            self._data += data
            surplus = len(self._data) - HISTORY
            if surplus > 0:
                del self._data[:surplus]
                self._dropped += surplus
                self._seen = max(self._seen, self._dropped)
            self._changed.notify_all()

    def fail(self, error: Exception) -> None:
        """The board is gone: whoever waits gets `error`."""
        with self._changed:
            self.failure = error
            self._changed.notify_all()

    def _wait_for_change(self, predicate: Callable[[], bool], timeout: float) -> bool:
        with self._changed:
            return self._changed.wait_for(predicate, timeout)

    def write(self, data: bytes) -> None:
        """Type `data`."""
        if self.failure:
            raise self.failure
        self._write(data)

    @property
    def text(self) -> str:
        """All output kept."""
        return self._data.decode("utf-8", "replace")

    @property
    def tail(self) -> str:
        """The last of the output, for messages."""
        return bytes(self._data[-TAIL:]).decode("utf-8", "replace")

    def mark(self) -> None:
        """Let the next wait look only at output from now on."""
        self._seen = self._dropped + len(self._data)

    def forget(self) -> None:
        """Everything so far, as of a console that has just been plugged in."""
        self._data.clear()
        self._dropped = self._seen = 0
        self.failure = None

    def _unseen(self) -> bytes:
        return bytes(self._data[self._seen - self._dropped :])

    # --- waiting ---

    def wait_for(self, pattern: bytes | str | re.Pattern[bytes], timeout: float = 10) -> str:
        """Wait for text or a pattern; returns everything up to its end.

        timeout: seconds, virtual where the board is stepped. Raises ConsoleError.
        """
        if isinstance(pattern, str):
            pattern = pattern.encode()
        wanted = pattern if isinstance(pattern, re.Pattern) else re.compile(re.escape(pattern))
        found: re.Match[bytes] | None = None

        def matched() -> bool:
            nonlocal found
            found = wanted.search(self._unseen())
            return found is not None or self.failure is not None

        self._wait(matched, timeout)
        if found is None:
            if self.failure:
                raise self.failure
            raise ConsoleError(
                f"{wanted.pattern!r} did not come within {timeout:g} s; the console shows:\n"
                + (self.tail or "(nothing)")
            )
        text = self._unseen()[: found.end()]
        self._seen += found.end()
        return text.decode("utf-8", "replace")

    def absent(self, pattern: bytes | str, timeout: float) -> bool:
        """True when `pattern` does not come within `timeout` seconds."""
        try:
            self.wait_for(pattern, timeout)
        except ConsoleError:
            return True
        return False

    # --- REPL ---

    def wait_for_prompt(self, timeout: float = 10) -> str:
        """Wait for ``>>> ``."""
        return self.wait_for(PROMPT, timeout)

    def interrupt(self, timeout: float = 10) -> None:
        """Ctrl-C until there is a prompt. Raises ConsoleError."""
        self.mark()
        self.write(b"\r\x03\x03")
        self.wait_for_prompt(timeout)

    def run(
        self,
        source: str,
        timeout: float = 60,
        output: Callable[[bytes], None] | None = None,
    ) -> str:
        """Run a program through the raw REPL and return what it prints.

        output: gets it piece by piece as it comes. Raises BoardException when the program does,
        ConsoleError when it takes longer than `timeout` seconds. (MicroPython documentation,
        "The raw REPL mode": raw paste mode has flow control.)
        """
        self.mark()
        self.write(b"\r\x01")
        self.wait_for(b"raw REPL; CTRL-B to exit\r\n>", timeout)
        try:
            self._paste(source.encode(), timeout)
            printed = self._collect(timeout, output)
            error = self.wait_for(b"\x04", timeout)[:-1]
        finally:
            if not self.failure:
                self.write(b"\x02")
        self.wait_for_prompt(timeout)
        if error:
            raise BoardException(printed, error)
        return printed

    def _paste(self, source: bytes, timeout: float) -> None:
        self.write(b"\x05A\x01")
        reply = self.wait_for(re.compile(rb"R[\x00\x01]|ra"), timeout)
        if not reply.endswith("R\x01"):
            raise ConsoleError("this firmware's raw REPL has no paste mode (MicroPython < 1.14)")
        window = self._take(2, timeout)
        size = room = int.from_bytes(window, "little")
        for at in range(0, len(source), size):
            while room <= 0:
                if self._take(1, timeout) == b"\x04":
                    return
                room += size
            self.write(source[at : at + size])
            room -= size
        self.write(b"\x04")
        while self._take(1, timeout) != b"\x04":
            pass

    def _take(self, count: int, timeout: float) -> bytes:
        """Exactly `count` bytes of output."""
        if not self._wait(lambda: len(self._unseen()) >= count or bool(self.failure), timeout):
            raise ConsoleError(f"no answer within {timeout:g} s; the console shows:\n{self.tail}")
        if self.failure:
            raise self.failure
        data = self._unseen()[:count]
        self._seen += count
        return data

    def _collect(self, timeout: float, output: Callable[[bytes], None] | None) -> str:
        """Output up to its \\x04, handed on as it comes."""
        printed = bytearray()
        deadline = time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic() if self._wait == self._wait_for_change else timeout
            if not self._wait(lambda: bool(self._unseen() or self.failure), left):
                raise ConsoleError(
                    f"the program did not end within {timeout:g} s; the console shows:\n{self.tail}"
                )
            if self.failure:
                raise self.failure
            data, end, _ = self._unseen().partition(b"\x04")
            self._seen += len(data) + len(end)
            printed += data
            if output and data:
                output(data)
            if end:
                return printed.decode("utf-8", "replace").replace("\r\n", "\n")

    def eval(self, expression: str, timeout: float = 60) -> str:
        """``repr`` of an expression on the board."""
        return self.run(f"print(repr({expression}))", timeout).removesuffix("\n")
