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

SLICE_MOST = 16_000  # us, after which this process looks round
ENDS_A_RUN = Stop.RESET | Stop.FATAL | Stop.BREAK | Stop.POWER  # always (esp32.h)


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
    instructions0: int = 0
    instructions1: int = 0


class RenodeChip(Chip):
    """A chip in Renode, with the methods of one in this process. It stands still but in `run`."""

    def __init__(self, link: RenodeLink, mac: bytes, seed: int) -> None:
        if len(mac) != 6:
            raise ValueError(f"a MAC address has 6 bytes, not {len(mac)}")
        self.link = link
        self._identity = mac, seed
        self._status = Status()
        self._seen = Stop.DEADLINE  # reasons that no run has told of yet
        self._logged = False
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
        mac, seed = self._identity
        self._command(f"Mac 0x{mac.hex()}")
        self._command(f"Seed {seed}")
        self._command(f"LoadFlash @{path}")
        self._forget()
        self._status = Status()
        self._look()

    def _forget(self) -> None:
        """What the chip of before has sent is not the next one's."""
        for buffer in self.link.uart:
            buffer.clear()
        self.link.frames.clear()
        self._seen = Stop.DEADLINE

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
        """Run up to `until`, or up to the quantum in which one of `stop` happens, or less."""
        micros = min(SLICE_MOST, -(-(until - self.now) // TICKS_PER_US))
        if self._seen & (stop | ENDS_A_RUN):  # of a look in between
            micros = 0
        self._status = Status(*self.link.run_for(max(0, micros) * 1000, stop | ENDS_A_RUN))
        stops = self._seen | Stop(self._status.stops & ~Stop.REQUEST)
        self._seen = Stop.DEADLINE
        if stops & Stop.FATAL:
            self._error = self._command("ErrorText")
        if self.core_status(0) and self.core_status(1):
            stops |= Stop.IDLE
        self._logged = bool(stops & Stop.LOG) or self._logged
        return stops

    def stop(self) -> None:
        """A slice is short: it ends by itself."""

    def step(self, core: int = 0) -> Stop:
        """Execute one instruction on one core; Renode's own time does not move on with it."""
        self._command(f"StepCore {core}")
        self._look()
        return self._seen

    @property
    def error(self) -> str:
        return self._error

    @property
    def now(self) -> int:
        return self._status.now

    @property
    def next_event(self) -> int:
        return self._status.next_event

    def instructions(self, core: int | None = None) -> int:
        both = self._status.instructions0, self._status.instructions1
        return sum(both) if core is None else both[core]

    def core_status(self, core: int) -> CoreStatus:
        return CoreStatus((self._status.core0, self._status.core1)[core])

    # --- UART, Ethernet, GPIO ---

    def uart_send(self, data: bytes, uart: int = 0) -> int:
        self.link.type(data, uart)
        return len(data)

    def uart_error(self, uart: int = 0, line_break: bool = False) -> None:
        self._command(f"UartError {uart} {line_break}")

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
        try:
            return self.link.read_memory(addr, size)
        except RenodeError as error:
            raise ChipError(str(error)) from None

    def write_memory(self, addr: int, data: bytes) -> None:
        self._command(f'WriteMemory 0x{addr:08X} "{data.hex()}"')

    def register(self, name: str, core: int = 0) -> int:
        try:
            return int(self._command(f'ReadRegister "{name}" {core}'), 0)
        except ChipError:
            raise KeyError(name) from None

    def set_register(self, name: str, value: int, core: int = 0) -> None:
        try:
            self._command(f'WriteRegister "{name}" 0x{value & 0xFFFFFFFF:X} {core}')
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
        self._forget()
        self._look()


_idle: list[RenodeLink] = []  # processes whose board was taken off the desk


def end_idle() -> None:
    """End the processes that are kept for a next board."""
    while _idle:
        _idle.pop().close()


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

    tardiness = 0.002  # two quanta

    def __init__(
        self,
        flash: bytes,
        switch: Switch | None = None,
        pace: Pace = "stepped",
        mac: bytes = b"\x24\x0a\xc4\x00\x00\x01",
        seed: int = 1,
        snapshot: BoardSnapshot | None = None,
        camera: Vc0706 | None = None,
    ) -> None:
        self.link: RenodeLink | None = _link(flash)
        try:
            super().__init__(
                flash, switch, pace, snapshot=snapshot, camera=camera,
                chip=RenodeChip(self.link, mac, seed),
            )  # fmt: skip
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
