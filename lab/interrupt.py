"""Ctrl-C and its like (SIGINT, SIGTERM, SIGHUP) without exceptions out of nowhere.

A KeyboardInterrupt may come between any two bytecodes: between making a file and noting that it
has to be removed, or in the middle of a clean-up. So `lab` takes signals down as a number, and
looks at it where it can stop: between the steps of a start, and in every wait.
"""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from types import FrameType
from typing import Any, TypeVar

from lab import LabError

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GRACE_SECONDS = 2.0  # what is done aside may end by itself for so long

T = TypeVar("T")


def start_thread(target: Callable[[], None], name: str) -> threading.Thread:
    """A daemon thread that no signal is delivered to.

    The kernel may hand a signal to any thread that does not block it (signal(7)); the main
    thread, which alone runs Python's handlers, would sleep on.
    """
    thread = threading.Thread(target=target, name=name, daemon=True)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, NUMBERS)  # a thread inherits it
    try:
        thread.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return thread


class Interrupted(LabError):
    """A signal came before the work was done; `status` is the exit status (128 + number)."""

    def __init__(self, number: int) -> None:
        super().__init__("interrupted" if number == signal.SIGINT else "terminated")
        self.status = 128 + number


class Signals:
    """The signals of this process; there is one, `signals`."""

    def __init__(self) -> None:
        self.number: int | None = None  # of the first that came
        self._listeners: list[Callable[[int], None]] = []

    def install(self) -> None:
        """Take signals from now on. In the main thread."""
        for number in NUMBERS:
            signal.signal(number, self._handler)

    def block(self) -> None:
        """From now on the kernel keeps signals back: another would tell nothing new, must not
        change the exit status, and a key that repeats could keep Python in the handler for good.

        Not SIG_IGN: a signal that Python had noted before it gives an "ignored due to race
        condition" on stderr.
        """
        signal.pthread_sigmask(signal.SIG_BLOCK, NUMBERS)

    def _handler(self, number: int, frame: FrameType | None) -> None:
        self.block()
        if self.number is None:
            self.number = number
        _unblock_output()
        for listener in list(self._listeners):
            listener(self.number)

    def check(self) -> None:
        """Raises Interrupted when a signal has come."""
        if self.number is not None:
            raise Interrupted(self.number)

    @contextmanager
    def calling(self, listener: Callable[[int], None]) -> Iterator[None]:
        """Within, a signal calls `listener` in the main thread; so does one that came before.

        A listener may wake who waits (put on a SimpleQueue, fail a console), no more.
        """
        self._listeners.append(listener)
        try:
            if self.number is not None:
                listener(self.number)
            yield
        finally:
            self._listeners.remove(listener)

    def aside(self, function: Callable[[], T]) -> T:
        """What may block for long (a download), in a thread: a signal ends the wait for it.

        Raises what `function` raises, or Interrupted; the thread is then left behind, unless
        it ends within `GRACE_SECONDS`.
        """
        wake: SimpleQueue[None] = SimpleQueue()
        ended = threading.Event()
        result: list[T] = []
        problem: list[BaseException] = []

        def work() -> None:
            try:
                result.append(function())
            except BaseException as error:
                problem.append(error)
            ended.set()
            wake.put(None)

        with self.calling(lambda number: wake.put(None)):
            start_thread(work, "aside")
            wake.get()
        if not ended.is_set():
            ended.wait(GRACE_SECONDS)
            self.check()
        if problem:
            raise problem[0]
        return result[0]

    def select(self, sources: list[Any], timeout: float | None = None) -> list[Any]:
        """`select.select` for reading. Raises Interrupted when a signal comes."""
        wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        try:
            with self.calling(lambda number: os.eventfd_write(wake, 1)):
                ready = select.select([*sources, wake], [], [], timeout)[0]
            if wake in ready:
                self.check()
            return ready
        finally:
            os.close(wake)


def _unblock_output() -> None:
    """Whoever reads our output may have stopped to: let the write that hangs go nowhere."""
    try:
        if select.select([], [1], [], 0)[1]:
            return
        nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        os.dup2(nowhere, 1)
        os.close(nowhere)
    except (OSError, ValueError):
        pass  # closed: nothing hangs there


signals = Signals()
