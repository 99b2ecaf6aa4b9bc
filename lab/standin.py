"""An emulated board that stands in for a physical one: a serial port, and a network behind it.

`lab standin` runs one until Ctrl-C, for people and for tests of what the lab does with boards.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
from typing import Any

from hw.camera.sensor import Vc0706
from lab import LabError
from lab.firmware import FLASH_SIZE, resolve
from lab.flash import build_image
from lab.interrupt import signals, start_thread
from lab.net.gateway import Gateway, HostForward
from lab.net.switch import Switch
from lab.serialport import SerialPortServer
from lab.targets.embedded import EmbeddedBoard

BOOTS = b"rst:0x"  # the ROM's first line
BUTTONS = {"reset": False, "boot": True}  # what is typed: is BOOT held down meanwhile?


class StandIn:
    """A board with firmware and an empty filesystem, on RFC 2217 with DTR and RTS, and on a
    PTY without.

    firmware: pinned name or path. blank: erased flash instead. Raises LabError.

    From a reset to the first word to it, on its port or by TCP, idle time passes ten times as
    fast as real time ("hasty" of `lab.targets.embedded`): nobody is there to see it, and most of
    a boot is waiting.
    """

    def __init__(self, firmware: str | None = None, blank: bool = False) -> None:
        image = b"\xff" * FLASH_SIZE if blank else build_image(resolve(firmware))
        self._boot_line = b""
        switch = Switch()
        self._gateway = Gateway(switch, [HostForward(80)])
        try:
            self.board = EmbeddedBoard(image, switch, "hasty", camera=Vc0706())
        except BaseException:
            self._gateway.stop()
            raise
        try:
            self._consoles = SerialPortServer(self._type, self.board.set_lines)
        except BaseException:
            self.board.close()
            self._gateway.stop()
            raise
        self.board.listeners += [self._consoles.feed, self._shown]
        switch.taps.append(self._frame)
        self.pty = self._consoles.pty
        self.url = self._consoles.url
        self.address = "%s:%d" % self._gateway.forwards[80]

    def _type(self, data: bytes) -> None:
        self.board.pace = "eager"
        self.board.console.write(data)

    def _frame(self, now: int, port: str, direction: str, frame: bytes) -> None:
        """A client opens a connection: SYN without ACK (RFC 9293, 3.1)."""
        if port == "board" and direction == "out" and frame[12:14] == b"\x08\x00":
            flags = 14 + (frame[14] & 15) * 4 + 13
            if frame[23] == 6 and len(frame) > flags and frame[flags] & 0x12 == 2:
                self.board.pace = "eager"

    def _shown(self, output: bytes) -> None:
        seen = self._boot_line + output
        if BOOTS in seen:
            self.board.pace = "hasty"
        self._boot_line = seen.rpartition(BOOTS)[2][1 - len(BOOTS) :]

    def press(self, boot: bool = False) -> None:
        """Press and let go RESET (EN), as a hand does where no line leads to it; boot: with BOOT
        (IO0) held down, so that the chip comes out in its loader."""
        self.board.set_lines(False, True)
        self.board.set_lines(boot, False)
        self.board.set_lines(False, False)

    def unplug(self) -> None:
        """The serial port goes away; the board runs on."""
        self._consoles.close()

    def close(self) -> None:
        """Take it down; harmless twice."""
        self._consoles.close()
        self.board.close()
        self._gateway.stop()

    def __enter__(self) -> StandIn:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _buttons(standin: StandIn) -> None:
    """Press what is typed, until nothing more can come (or a terminal is not ours to read).

    Not by way of sys.stdin: a thread that waits there holds its lock when Python ends.
    """
    typed = b""
    with contextlib.suppress(OSError, LabError):
        while data := os.read(0, 1024):
            *lines, typed = (typed + data).split(b"\n")
            for word in (line.strip().decode("ascii", "replace") for line in lines):
                if word in BUTTONS:
                    standin.press(BUTTONS[word])
                elif word:
                    print(f"no such button: {word}; there are {' and '.join(BUTTONS)}", flush=True)


def run(firmware: str | None, blank: bool) -> int:
    """`lab standin`: until a signal comes or the board fails."""
    happened: queue.SimpleQueue[Any] = queue.SimpleQueue()
    signal.signal(signal.SIGTTIN, signal.SIG_IGN)  # in the background: no keys, but no stop either
    with StandIn(firmware, blank) as standin, signals.calling(happened.put):
        standin.board.observers.append(happened.put)
        flash = " FLASH=1" if blank else ""
        print(f"port      {standin.url}   (DTR and RTS lead to EN and IO0)\n"
              f"pty       {standin.pty}   (no such lines)\n"
              f"address   {standin.address}\n"
              f"try       make board PORT={standin.url} NET=lan ADDRESS={standin.address}{flash}\n"
              "buttons   type reset, or boot (reset with BOOT held: the loader)\n"
              "stop      Ctrl-C", flush=True)  # fmt: skip
        start_thread(lambda: _buttons(standin), "buttons")
        while not isinstance(what := happened.get(), int):
            if isinstance(what, Exception):
                raise what
    return 0
