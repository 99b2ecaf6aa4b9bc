"""The emulated ESP32: a thin, typed face on the C library (``include/esp32.h``).

Times are virtual, in ticks of 1/480 us (`TICKS_PER_US`). A `Chip` is used by one thread at a
time; only `stop` may be called from another.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from cffi import FFI

HERE = Path(__file__).resolve().parent
HEADER = HERE / "include" / "esp32.h"
LIBRARY = HERE / "libesp32.so"
TICKS_PER_US = 480
FLASH_SIZE = 0x400000
FOREVER = 2**64 - 1


class ChipError(Exception):
    """The chip model refused a call or cannot go on; the text is the library's own."""


class Stop(enum.IntFlag):
    """Why `Chip.run` came back, and the mask of what should end a run (esp32.h)."""

    DEADLINE = 0
    UART = 1 << 0
    ETH = 1 << 1
    GPIO = 1 << 2
    RESET = 1 << 3
    IDLE = 1 << 4
    REQUEST = 1 << 5
    FATAL = 1 << 6
    BREAK = 1 << 7
    LOG = 1 << 8
    POWER = 1 << 9


class ResetCause(enum.IntEnum):
    """ESP32 TRM, chapter "Reset and Clock", table of reset causes."""

    POWERON = 1
    SW_SYS = 3
    DEEPSLEEP = 5
    TG0WDT_SYS = 7
    TG1WDT_SYS = 8
    RTCWDT_SYS = 9
    TGWDT_CPU = 11
    SW_CPU = 12
    RTCWDT_CPU = 13
    EXT_CPU = 14
    BROWNOUT = 15
    RTCWDT_RTC = 16


class CoreStatus(enum.IntEnum):
    """What a core does: runs, waits for an interrupt (WAITI), or is held."""

    RUNNING = 0
    WAITING = 1
    STALLED = 2


def _declarations() -> str:
    """What cffi can read of the header: comments and preprocessor lines left out."""
    text = re.sub(r"/\*.*?\*/", "", HEADER.read_text(), flags=re.S)
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return "\n".join(lines).replace("ESP32_API ", "")


def _api_version() -> int:
    match = re.search(r"#define ESP32_API_VERSION\s+(\d+)", HEADER.read_text())
    assert match
    return int(match[1])


_ffi: Any = FFI()
_ffi.cdef(_declarations())
_lib: Any = None


def library() -> Any:
    """The loaded C library. Raises ChipError when it is missing or of another version."""
    global _lib
    if _lib is None:
        if not LIBRARY.exists():
            raise ChipError(
                f"the chip library is not built ({LIBRARY}): run `python -m hw.esp32.build`"
            )
        lib = _ffi.dlopen(str(LIBRARY))
        if lib.esp32_api_version() != _api_version():
            raise ChipError(
                f"{LIBRARY} has API version {lib.esp32_api_version()}, the header says "
                f"{_api_version()}: run `python -m hw.esp32.build --force`"
            )
        _lib = lib
    return _lib


class Snapshot:
    """The whole machine state of a chip, to be given back to `Chip.restore`."""

    def __init__(self, data: Any, size: int) -> None:
        self._data = data
        self.size = size

    def __bytes__(self) -> bytes:
        return bytes(_ffi.buffer(self._data, self.size))

    @classmethod
    def from_bytes(cls, data: bytes) -> Snapshot:
        """A snapshot that was kept as ``bytes(snapshot)``."""
        return cls(_ffi.new("char[]", data), len(data))


class Chip:
    """One ESP32 with 4 MB of flash, powered on and at its reset vector.

    mac: base MAC address, 6 bytes. phy_addr: MDIO address of the LAN8720; None leaves it out.
    seed: of the random number generator: same seed and inputs, same run.
    """

    def __init__(
        self,
        mac: bytes = b"\x24\x0a\xc4\x00\x00\x01",
        phy_addr: int | None = 0,
        seed: int = 1,
    ) -> None:
        if len(mac) != 6:
            raise ValueError(f"a MAC address has 6 bytes, not {len(mac)}")
        self._lib = library()
        config = _ffi.new("esp32_config_t *")
        config.mac = list(mac)
        config.phy_addr = phy_addr or 0
        config.phy_absent = phy_addr is None
        config.seed = seed
        pointer = self._lib.esp32_new(config)
        if pointer == _ffi.NULL:
            raise MemoryError("no memory for a chip")
        self._chip = _ffi.gc(pointer, self._lib.esp32_free)
        self._buffer = _ffi.new("uint8_t[65536]")

    def close(self) -> None:
        """Free the chip; it must not be used afterwards."""
        if self._chip is not None:
            _ffi.release(self._chip)
            self._chip = None

    def __enter__(self) -> Chip:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def error(self) -> str:
        """Text of the last fatal stop or refused call."""
        return str(_ffi.string(self._lib.esp32_error(self._chip)).decode())

    # --- flash and reset ---

    def flash_write(self, addr: int, data: bytes) -> None:
        """Program flash from outside. Raises ChipError out of range."""
        if self._lib.esp32_flash_write(self._chip, addr, data, len(data)):
            raise ChipError(self.error)

    def flash_read(self, addr: int, size: int) -> bytes:
        """What stands in flash. Raises ChipError out of range."""
        data = _ffi.new("uint8_t[]", size)
        if self._lib.esp32_flash_read(self._chip, addr, data, size):
            raise ChipError(f"flash read of {size} bytes at 0x{addr:06x}: beyond the part")
        return bytes(_ffi.buffer(data, size))

    def reset(self, cause: ResetCause = ResetCause.POWERON) -> None:
        """Power-on or external reset; RAM survives all but POWERON and BROWNOUT."""
        self._lib.esp32_reset(self._chip, int(cause))

    @property
    def flash_work(self) -> int:
        """Bytes of flash that the guest has programmed or erased in this chip's life."""
        return int(self._lib.esp32_flash_work(self._chip))

    def power_cut(self, after: int = 0) -> None:
        """Let the supply fail after `after` more bytes of flash are programmed or erased, in
        mid-operation: then `run` returns POWER until `reset`."""
        self._lib.esp32_power_cut(self._chip, after)

    @property
    def reset_cause(self) -> ResetCause:
        return ResetCause(self._lib.esp32_reset_cause(self._chip))

    @property
    def reset_count(self) -> int:
        """Resets since the chip was made."""
        return int(self._lib.esp32_reset_count(self._chip))

    # --- run ---

    def run(self, until: int, stop: Stop = Stop.DEADLINE) -> Stop:
        """Run until virtual time `until` (ticks) or one of `stop`; returns the reasons."""
        return Stop(self._lib.esp32_run(self._chip, until, int(stop)))

    def stop(self) -> None:
        """Make the current or next `run` return; safe from any thread."""
        self._lib.esp32_stop(self._chip)

    def step(self, core: int = 0) -> Stop:
        """Execute one instruction on one core."""
        return Stop(self._lib.esp32_step(self._chip, core))

    @property
    def now(self) -> int:
        """Virtual time in ticks."""
        return int(self._lib.esp32_now(self._chip))

    @property
    def next_event(self) -> int:
        """Tick of the next scheduled event; FOREVER when there is none."""
        return int(self._lib.esp32_next_event(self._chip))

    def instructions(self, core: int | None = None) -> int:
        """Instructions executed by a core, or by both."""
        cores = (0, 1) if core is None else (core,)
        return sum(int(self._lib.esp32_instructions(self._chip, n)) for n in cores)

    @property
    def coverage(self) -> int:
        """Places in guest code reached in this chip's life; `restore` does not take it back."""
        return int(self._lib.esp32_coverage(self._chip))

    def core_status(self, core: int) -> CoreStatus:
        return CoreStatus(self._lib.esp32_core_status(self._chip, core))

    # --- UART, Ethernet, GPIO ---

    def uart_send(self, data: bytes, uart: int = 0) -> int:
        """Queue bytes towards the chip; returns how many fitted (64 KiB queue)."""
        return int(self._lib.esp32_uart_rx(self._chip, uart, data, len(data)))

    def uart_pending(self, uart: int = 0) -> int:
        """Queued bytes the chip has not taken yet."""
        return int(self._lib.esp32_uart_rx_pending(self._chip, uart))

    def uart_error(self, uart: int = 0, line_break: bool = False) -> None:
        """A character without its stop bit is on the wire now, or a break."""
        self._lib.esp32_uart_error(self._chip, uart, line_break)

    def uart_receive(self, uart: int = 0) -> bytes:
        """Drain what the chip has sent."""
        n = self._lib.esp32_uart_tx(self._chip, uart, self._buffer, len(self._buffer))
        return bytes(_ffi.buffer(self._buffer, n))

    def uart_baud(self, uart: int = 0) -> int:
        return int(self._lib.esp32_uart_baud(self._chip, uart))

    def eth_send(self, frame: bytes) -> bool:
        """Queue a frame (no FCS) towards the EMAC; False when the queue is full or the size
        is not 14..1518."""
        return not self._lib.esp32_eth_rx(self._chip, frame, len(frame))

    def eth_receive(self) -> Iterator[bytes]:
        """Drain the frames the chip has sent."""
        while n := self._lib.esp32_eth_tx(self._chip, self._buffer, len(self._buffer)):
            yield bytes(_ffi.buffer(self._buffer, n))

    def eth_link(self, up: bool) -> None:
        """Plug or pull the Ethernet cable."""
        self._lib.esp32_eth_link(self._chip, up)

    @property
    def gpio_out(self) -> int:
        """Levels the chip drives, bit n is GPIOn."""
        return int(self._lib.esp32_gpio_out(self._chip))

    @property
    def gpio_enabled(self) -> int:
        """Which pads it drives, bit n is GPIOn."""
        return int(self._lib.esp32_gpio_enabled(self._chip))

    def gpio_drive(self, gpio: int, level: bool | None) -> None:
        """Drive a pad from outside, or leave it floating (None)."""
        self._lib.esp32_gpio_drive(self._chip, gpio, -1 if level is None else int(level))

    # --- looking inside ---

    def read_memory(self, addr: int, size: int) -> bytes:
        """Guest memory as core 0 sees it. Raises ChipError where there is none."""
        data = _ffi.new("uint8_t[]", size)
        if self._lib.esp32_mem_read(self._chip, addr, data, size):
            raise ChipError(f"no memory to read at 0x{addr:08x}, {size} bytes")
        return bytes(_ffi.buffer(data, size))

    def write_memory(self, addr: int, data: bytes) -> None:
        """Write guest RAM. Raises ChipError where there is none."""
        if self._lib.esp32_mem_write(self._chip, addr, data, len(data)):
            raise ChipError(f"no RAM to write at 0x{addr:08x}, {len(data)} bytes")

    def register(self, name: str, core: int = 0) -> int:
        """A core register by its ISA name (see esp32.h). Raises KeyError."""
        value = _ffi.new("uint32_t *")
        if self._lib.esp32_reg_read(self._chip, core, name.encode(), value):
            raise KeyError(name)
        return int(value[0])

    def set_register(self, name: str, value: int, core: int = 0) -> None:
        """Raises KeyError when there is no such register."""
        if self._lib.esp32_reg_write(self._chip, core, name.encode(), value & 0xFFFFFFFF):
            raise KeyError(name)

    def breakpoint(self, addr: int, enable: bool = True) -> None:
        """Set or clear a breakpoint. Raises ChipError (too many, or none there)."""
        lib = self._lib
        call = lib.esp32_breakpoint_add if enable else lib.esp32_breakpoint_remove
        if call(self._chip, addr):
            raise ChipError(self.error)

    def log(self) -> Iterator[str]:
        """Drain the model's reports: what it does not know, and resets."""
        while n := self._lib.esp32_log_read(self._chip, self._buffer, len(self._buffer)):
            yield bytes(_ffi.buffer(self._buffer, n)).decode()

    # --- snapshot ---

    def snapshot(self) -> Snapshot:
        """The whole state, to go back to any number of times."""
        size = self._lib.esp32_state_size(self._chip)
        data = _ffi.new("char[]", size)
        if not self._lib.esp32_state_save(self._chip, data, size):
            raise ChipError(self.error)
        return Snapshot(data, size)

    def restore(self, snapshot: Snapshot) -> None:
        """Be again what `snapshot` was. Raises ChipError (other flash image or version)."""
        if self._lib.esp32_state_load(self._chip, snapshot._data, snapshot.size):
            raise ChipError(self.error)
