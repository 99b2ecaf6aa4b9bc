"""A serial port, opened with errors that say what to do, and read by a thread."""

from __future__ import annotations

import contextlib
import errno
import threading
import time
from collections.abc import Callable
from typing import Any

from lab.board import BoardError
from lab.interrupt import start_thread

BAUD = 115200
READ_SECONDS = 0.05
WRITE_SECONDS = 10
EN_SECONDS = 0.1  # how long the button is held: boards have an RC of some 10 ms on EN
REOPEN_SECONDS = 20
CLOSE_SECONDS = 5
TRIES = 3
IN_USE = "another program has it open; end that first (a terminal, mpremote, another run?)"


class BoardGone(BoardError):
    """The board went away in mid-run: the run ends."""

    ROBOT_EXIT_ON_FAILURE = True  # no test after it could pass (Robot Framework user guide)


def open_port(url: str) -> Any:
    """A pyserial object at 115200 baud, DTR and RTS released. Raises BoardError."""
    import serial

    device = "://" not in url
    try:
        port = serial.serial_for_url(url, do_not_open=True)
        port.baudrate, port.timeout = BAUD, READ_SECONDS
        port.dtr = port.rts = False  # else opening would hold EN or IO0 down
        if device:
            port.exclusive, port.write_timeout = True, WRITE_SECONDS
        port.open()
    except (OSError, ValueError) as error:  # SerialException is an OSError
        raise BoardError(_why(url, device, error)) from None
    return port


def _why(url: str, device: bool, error: Exception) -> str:
    number = getattr(error, "errno", None)
    text = str(error)
    if number == errno.ENOENT:
        return f"no such port: {url}; `lab boards` lists what is plugged in"
    if number == errno.EACCES:
        return f"no permission for {url}: `sudo usermod -aG dialout $USER`, then log in again"
    if number == errno.EBUSY or "lock" in text:
        return f"{url} is busy: {IN_USE}"
    if not device and isinstance(error, OSError):
        return f"nobody serves a board at {url}: {text.rpartition(': ')[2] or text}"
    return f"{url} can't be used as a serial port: {text}"


class PortReader:
    """Reads `url` until `close`; `output` gets what comes, `gone` the error when it ends.

    idle: called when nothing came for READ_SECONDS. Raises BoardError.
    """

    def __init__(self, url: str, output: Callable[[bytes], None], idle: Callable[[], None],
                 gone: Callable[[BoardGone], None]) -> None:  # fmt: skip
        self.url = url
        self._output, self._idle, self._gone = output, idle, gone
        self.unplugged = False  # we have cut its power: that it goes away is no news
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self.open()

    def open(self) -> None:
        """Open and read (again). Raises BoardError."""
        self.port = open_port(self.url)
        self._closing.clear()
        self._thread = start_thread(self._read, "serial port")

    def reopen(self) -> None:
        """After a power cut that took the USB bridge along: wait until it is back."""
        self._thread.join(CLOSE_SECONDS)
        deadline = time.monotonic() + REOPEN_SECONDS
        while True:
            try:
                return self.open()
            except BoardError:
                if time.monotonic() > deadline:
                    raise
                self._closing.wait(0.2)  # udev tells nobody without root; so look again

    @property
    def ended(self) -> bool:
        """Nothing reads any more."""
        return not self._thread.is_alive()

    def _read(self) -> None:
        try:
            while not self._closing.is_set():
                data = self.port.read(max(1, self.port.in_waiting))
                if data:
                    self._output(data)
                else:
                    self._idle()
        except Exception as error:  # pyserial raises TypeError too when a port is closed under it
            if not self._closing.is_set() and not self.unplugged:
                why = str(error).replace("\n", " ")
                self._gone(BoardGone(f"the board at {self.url} is gone in mid-run ({why}); is it "
                                     "still plugged in and powered?"))  # fmt: skip
        finally:
            with contextlib.suppress(Exception):
                self.port.close()

    def write(self, data: bytes) -> None:
        """Raises BoardGone."""
        try:
            with self._lock:
                self.port.write(data)
        except Exception as error:
            gone = BoardGone(f"the board at {self.url} is gone in mid-run: {error}")
            self._gone(gone)
            raise gone from None

    def press_reset(self) -> bool:
        """Pull EN low through RTS, IO0 high through DTR (esptool documentation, "Boot Mode
        Selection"). False when the port has no such lines."""
        with self._lock:
            try:
                self.port.dtr = False
                self.port.rts = True
                time.sleep(EN_SECONDS)
                return True
            except Exception:  # a PTY has none: OSError from ioctl, or a pyserial of its own kind
                return False
            finally:
                self._let_go()

    def _let_go(self) -> None:
        """Of the button. Over a network (RFC 2217) a line may be slow to answer: never leave EN
        low for that."""
        for _ in range(TRIES):
            with contextlib.suppress(Exception):
                self.port.rts = False
                return

    def close(self) -> None:
        """Let go of the port; harmless twice."""
        self._closing.set()
        self._thread.join(CLOSE_SECONDS)
