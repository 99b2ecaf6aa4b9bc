"""The emulated board in Renode: the same chip, in Renode's time and behind its switch.

`RenodeBoard` is an `EmbeddedBoard` whose chip runs in a Renode process: virtual time passes there
(`RunFor`), bytes go through Renode's UARTs and frames through its switch. So pace, camera,
clock, impairments and snapshots are the same, and a state that one engine has kept is one that
the other can go on from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hw.esp32.chip import (
    FLASH_SIZE,
    FOREVER,
    TICKS_PER_US,
    Chip,
    ChipError,
    CoreStatus,
    ResetCause,
    Snapshot,
    Stop,
)
from lab.net.bridge import FRAME_LEAST, FRAME_MOST
from lab.net.switch import Switch
from lab.renode import RenodeError
from lab.targets.embedded import BoardSnapshot, EmbeddedBoard, Pace
from lab.targets.renode_link import RenodeLink

if TYPE_CHECKING:  # Pillow is behind it: for boards that have a camera
    from hw.camera.sensor import Vc0706

MAC = b"\x24\x0a\xc4\x00\x00\x01"  # as in hw/renode/Esp32.cs
SEED = 1
SLICE_LEAST = 1000  # us: Renode's quantum, and how late an answer may come to what was sent
SLICE_MOST = 16_000  # while nothing is sent or comes


@dataclass(frozen=True)
class Status:
    """What `cpu Status` tells, in its order."""

    now: int = 0
    stops: int = 0
    next_event: int = FOREVER
    core0: int = CoreStatus.STALLED
    core1: int = CoreStatus.STALLED
    baud0: int = 0
    baud1: int = 0
    baud2: int = 0
    gpio_out: int = 0
    gpio_enabled: int = 0
    reset_count: int = 0
    flash_work: int = 0


class RenodeChip(Chip):
    """A chip in Renode, with the methods of one in this process. It stands still but in `run`."""

    def __init__(self, link: RenodeLink) -> None:
        self.link = link
        self._status = Status()
        self._seen = Stop.DEADLINE  # reasons that no run has told of yet
        self._logged = False
        self._slice = SLICE_LEAST
        self._error = ""

    def close(self) -> None:
        """Nothing is freed here: the process serves the next board."""

    def _command(self, text: str) -> str:
        try:
            return self.link.command(f"sysbus.cpu {text}")
        except RenodeError as error:
            raise ChipError(str(error)) from None

    def _look(self) -> None:
        """Let no time pass, and learn how things stand."""
        self._status = Status(*self.link.run_for(0))
        self._seen |= Stop(self._status.stops)

    # --- flash and reset ---

    def flash_write(self, addr: int, data: bytes) -> None:
        """The whole of flash only: Renode makes a new chip with it."""
        if addr or len(data) != FLASH_SIZE:
            raise ChipError("in Renode flash is programmed as a whole")
        path = self.link.folder / "flash.bin"
        path.write_bytes(data)
        self._command(f"LoadFlash @{path}")
        for buffer in self.link.uart:
            buffer.clear()
        self.link.frames.clear()
        self._status, self._seen = Status(), Stop.DEADLINE
        self._look()

    def flash_read(self, addr: int, size: int) -> bytes:
        path = self.link.folder / "read.bin"
        self._command(f"SaveFlash @{path}")
        if addr + size > FLASH_SIZE:
            raise ChipError(f"flash read of {size} bytes at 0x{addr:06x}: beyond the part")
        return path.read_bytes()[addr : addr + size]

    def reset(self, cause: ResetCause = ResetCause.POWERON) -> None:
        self._command(f"ResetBy {int(cause)}")
        self._seen = Stop.DEADLINE
        self._look()

    @property
    def reset_count(self) -> int:
        return self._status.reset_count

    @property
    def flash_work(self) -> int:
        return self._status.flash_work

    def power_cut(self, after: int = 0) -> None:
        self._command(f"PowerCut {after}")

    # --- run ---

    def run(self, until: int, stop: Stop = Stop.DEADLINE) -> Stop:
        """Run up to `until`, or less: a slice of Renode's time, short while there is traffic."""
        micros = min(self._slice, -(-(until - self.now) // TICKS_PER_US))
        self._status = Status(*self.link.run_for(max(0, micros) * 1000))
        stops = self._seen | Stop(self._status.stops & ~Stop.REQUEST)
        self._seen = Stop.DEADLINE
        if stops & (Stop.UART | Stop.ETH):
            self._slice = SLICE_LEAST
        else:
            self._slice = min(SLICE_MOST, self._slice * 2)
        if stops & Stop.FATAL:
            self._error = self._command("ErrorText")
        if self.core_status(0) and self.core_status(1):
            stops |= Stop.IDLE
        self._logged = bool(stops & Stop.LOG) or self._logged
        return stops

    def stop(self) -> None:
        """A slice is short: it ends by itself."""

    def step(self, core: int = 0) -> Stop:
        raise ChipError("use Renode's own `cpu Step`")

    @property
    def error(self) -> str:
        return self._error

    @property
    def now(self) -> int:
        return self._status.now

    @property
    def next_event(self) -> int:
        return self._status.next_event

    def core_status(self, core: int) -> CoreStatus:
        return CoreStatus((self._status.core0, self._status.core1)[core])

    # --- UART, Ethernet, GPIO ---

    def uart_send(self, data: bytes, uart: int = 0) -> int:
        self.link.type(data, uart)
        self._slice = SLICE_LEAST
        return len(data)

    def uart_receive(self, uart: int = 0) -> bytes:
        data = bytes(self.link.uart[uart])
        del self.link.uart[uart][: len(data)]
        return data

    def uart_baud(self, uart: int = 0) -> int:
        return (self._status.baud0, self._status.baud1, self._status.baud2)[uart]

    def eth_send(self, frame: bytes) -> bool:
        if not FRAME_LEAST <= len(frame) <= FRAME_MOST:
            return False
        self.link.send_frame(frame)
        self._slice = SLICE_LEAST
        return True

    def eth_receive(self) -> Iterator[bytes]:
        while self.link.frames:
            yield self.link.frames.pop(0)

    def eth_link(self, up: bool) -> None:
        self.link.command(f"sysbus.emac Link {up}")

    @property
    def gpio_out(self) -> int:
        return self._status.gpio_out

    @property
    def gpio_enabled(self) -> int:
        return self._status.gpio_enabled

    def gpio_drive(self, gpio: int, level: bool | None) -> None:
        self.link.command(f"sysbus.gpio Drive {gpio} {-1 if level is None else int(level)}")

    # --- looking inside ---

    def read_memory(self, addr: int, size: int) -> bytes:
        return bytes(
            int(self.link.command(f"sysbus ReadByte 0x{addr + n:08X}"), 0) for n in range(size)
        )

    def register(self, name: str, core: int = 0) -> int:
        try:
            return int(self._command(f'ReadRegister "{name}" {core}'), 0)
        except ChipError:
            raise KeyError(name) from None

    def log(self) -> Iterator[str]:
        if self._logged:
            self._logged = False
            yield from filter(None, (line.strip() for line in self._command("TakeLog").split("\n")))

    # --- snapshot ---

    def snapshot(self) -> Snapshot:
        path = self.link.folder / "chip.state"
        self._command(f"SaveState @{path}")
        return Snapshot.from_bytes(path.read_bytes())

    def restore(self, snapshot: Snapshot) -> None:
        path = self.link.folder / "chip.state"
        path.write_bytes(bytes(snapshot))
        self._command(f"LoadState @{path}")
        self._look()


_idle: list[RenodeLink] = []  # processes whose board was taken off the desk


def _link(image: bytes) -> RenodeLink:
    while _idle:
        link = _idle.pop()
        try:
            link.command("version")
            return link
        except RenodeError:
            link.close()
    return RenodeLink(image)


class RenodeBoard(EmbeddedBoard):
    """A board as `EmbeddedBoard`, in Renode. Raises RenodeError when there is no Renode that
    fits."""

    def __init__(
        self,
        flash: bytes,
        switch: Switch | None = None,
        pace: Pace = "stepped",
        mac: bytes = MAC,
        seed: int = SEED,
        snapshot: BoardSnapshot | None = None,
        camera: Vc0706 | None = None,
    ) -> None:
        if (mac, seed) != (MAC, SEED):
            raise RenodeError("hw/renode/camera.repl says which MAC address and seed the board has")
        self.link: RenodeLink | None = _link(flash)
        try:
            super().__init__(
                flash, switch, pace, snapshot=snapshot, camera=camera, chip=RenodeChip(self.link)
            )
        except BaseException:
            self._let_go()
            raise

    def close(self) -> None:
        """Unplug, and keep the process for the next board; harmless twice."""
        super().close()
        self._let_go()

    def _let_go(self) -> None:
        if self.link:
            _idle.append(self.link)
            self.link = None
