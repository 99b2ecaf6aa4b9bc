"""An emulated board that stands in for a physical one: a serial port, and a network behind it.

`lab standin` runs one until Ctrl-C, for people and for tests of what the lab does with boards.
"""

from __future__ import annotations

import queue
from typing import Any

from hw.camera.sensor import Vc0706
from lab.firmware import FLASH_SIZE, resolve
from lab.flash import build_image
from lab.interrupt import signals
from lab.net.gateway import Gateway, HostForward
from lab.net.switch import Switch
from lab.serialport import SerialPortServer
from lab.targets.embedded import EmbeddedBoard


class StandIn:
    """A board with firmware and an empty filesystem, on RFC 2217 with DTR and RTS, and on a
    PTY without.

    firmware: pinned name or path. blank: erased flash instead. Raises LabError.
    """

    def __init__(self, firmware: str | None = None, blank: bool = False) -> None:
        image = b"\xff" * FLASH_SIZE if blank else build_image(resolve(firmware))
        switch = Switch()
        self._gateway = Gateway(switch, [HostForward(80)])
        try:
            self.board = EmbeddedBoard(image, switch, "eager", camera=Vc0706())
        except BaseException:
            self._gateway.stop()
            raise
        try:
            self._consoles = SerialPortServer(self._type, self.board.set_lines)
        except BaseException:
            self.board.close()
            self._gateway.stop()
            raise
        self.board.listeners.append(self._consoles.feed)
        self.pty = self._consoles.pty
        self.url = self._consoles.url
        self.address = "%s:%d" % self._gateway.forwards[80]

    def _type(self, data: bytes) -> None:
        self.board.console.write(data)

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


def run(firmware: str | None, blank: bool) -> int:
    """`lab standin`: until a signal comes or the board fails."""
    happened: queue.SimpleQueue[Any] = queue.SimpleQueue()
    with StandIn(firmware, blank) as standin, signals.calling(happened.put):
        standin.board.observers.append(happened.put)
        print(f"port      {standin.url}\npty       {standin.pty}\naddress   {standin.address}\n"
              f"try       make board PORT={standin.url} NET=lan ADDRESS={standin.address}",
              flush=True)  # fmt: skip
        while not isinstance(what := happened.get(), int):
            if isinstance(what, Exception):
                raise what
    return 0
