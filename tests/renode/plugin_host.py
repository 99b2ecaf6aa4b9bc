"""The calls of hw/renode/Esp32.cs, in its order, without Renode: what the library must bear.

`PluginHost.execute` is `ExecuteInstructions`: push input, run to an absolute tick, tell the time
that has passed, drain. Renode's part is a count of the instructions that were told.
"""

import ctypes
from pathlib import Path

from hw.esp32.chip import LIBRARY

TICKS = 3  # of one Renode instruction: 480 ticks a microsecond at 160 MIPS
UART, ETH, GPIO, RESET, IDLE, REQUEST, FATAL, BREAK, LOG, POWER = (1 << n for n in range(10))
LISTEN = UART | ETH | GPIO | LOG
FLASH_SIZE = 0x400000
TYPES = {
    "new": (ctypes.c_void_p, [ctypes.c_char_p]),
    "free": (None, [ctypes.c_void_p]),
    "error": (ctypes.c_char_p, [ctypes.c_void_p]),
    "api_version": (ctypes.c_int, []),
    "reset": (None, [ctypes.c_void_p, ctypes.c_int]),
    "reset_count": (ctypes.c_uint32, [ctypes.c_void_p]),
    "flash_write": (ctypes.c_int,
                    [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_char_p, ctypes.c_uint32]),
    "flash_read": (ctypes.c_int,
                   [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_char_p, ctypes.c_uint32]),
    "power_cut": (None, [ctypes.c_void_p, ctypes.c_uint64]),
    "run": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_uint64, ctypes.c_int]),
    "stop": (None, [ctypes.c_void_p]),
    "step": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_int]),
    "now": (ctypes.c_uint64, [ctypes.c_void_p]),
    "instructions": (ctypes.c_uint64, [ctypes.c_void_p, ctypes.c_int]),
    "uart_rx": (ctypes.c_uint32,
                [ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint32]),
    "uart_tx": (ctypes.c_uint32,
                [ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint32]),
    "uart_baud": (ctypes.c_uint32, [ctypes.c_void_p, ctypes.c_int]),
    "uart_error": (None, [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]),
    "eth_rx": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint32]),
    "eth_tx": (ctypes.c_uint32, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint32]),
    "next_event": (ctypes.c_uint64, [ctypes.c_void_p]),
    "core_status": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_int]),
    "gpio_out": (ctypes.c_uint64, [ctypes.c_void_p]),
    "gpio_enabled": (ctypes.c_uint64, [ctypes.c_void_p]),
    "flash_work": (ctypes.c_uint64, [ctypes.c_void_p]),
    "eth_link": (None, [ctypes.c_void_p, ctypes.c_int]),
    "reg_read": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p,
                                ctypes.POINTER(ctypes.c_uint32)]),
    "mem_read": (ctypes.c_int,
                 [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_char_p, ctypes.c_uint32]),
    "mem_write": (ctypes.c_int,
                  [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_char_p, ctypes.c_uint32]),
    "reg_write": (ctypes.c_int,
                  [ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint32]),
    "breakpoint_add": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_uint32]),
    "breakpoint_remove": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_uint32]),
    "log_read": (ctypes.c_uint32, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint32]),
    "state_size": (ctypes.c_size_t, [ctypes.c_void_p]),
    "state_save": (ctypes.c_size_t, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]),
    "state_load": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]),
}  # fmt: skip


class Api:
    """The functions by their short names, as Library.cs has them."""

    def __init__(self, path: Path = LIBRARY):
        library = ctypes.CDLL(str(path))
        for name, (result, arguments) in TYPES.items():
            function = getattr(library, "esp32_" + name)
            function.restype, function.argtypes = result, arguments
            setattr(self, name, function)


class PluginHost:
    """One `Esp32Chip`."""

    def __init__(self, flash: bytes, seed: int = 1):
        self.api, self.seed = Api(), seed
        self.mac = bytes.fromhex("240ac4000001")
        self.told = 0  # instructions Renode knows of
        self.basis = 0  # the chip's tick at instruction 0
        self.output = []  # (instructions told, bytes) of UART0, as delivered
        self.reports = []  # each ReportProgress
        self.frames_out = []
        self.typed = b""
        self.stops = 0
        self.log = []
        self.powered = True
        self.chip = None
        self.load_flash(flash)

    def load_flash(self, flash: bytes) -> None:
        if self.chip:
            self.api.free(self.chip)
        self.flash = flash
        config = self.mac + bytes(2) + self.seed.to_bytes(4, "little")
        self.chip = self.api.new(config)
        self.api.eth_link(self.chip, 1)
        assert self.api.flash_write(self.chip, 0, flash, len(flash)) == 0
        self.powered = True
        self.align()

    def align(self) -> None:
        self.basis = self.now - self.told * TICKS

    @property
    def now(self) -> int:
        return self.api.now(self.chip)

    def close(self) -> None:
        self.api.free(self.chip)

    def reset(self, cause: int = 1) -> None:
        self.powered = True
        self.api.reset(self.chip, cause)
        self.align()

    def execute(self, count: int) -> int:
        """`ExecuteInstructions`; returns the reasons for which the runs came back."""
        end, seen = self.told + count, 0
        while self.told < end:
            if not self.powered:
                self.basis -= (end - self.told) * TICKS
                self._tell(end)
                break
            if self.typed:
                self.typed = self.typed[
                    self.api.uart_rx(self.chip, 0, self.typed, len(self.typed)) :
                ]
            why = self.api.run(self.chip, end * TICKS + self.basis, LISTEN)
            seen |= why
            now = self.now
            if why & POWER:
                self.powered = False
                self.basis = now - self.told * TICKS
            self._tell(min(end, max(0, now - self.basis) // TICKS))
            self._drain(why)
            if why & (FATAL | BREAK):
                break
        return seen

    def step(self, core: int = 0) -> int:
        why = self.api.step(self.chip, core)
        self._tell(self.told + 1)
        self._drain(why)
        return why

    def _tell(self, instructions: int) -> None:
        if instructions > self.told:
            self.reports.append(instructions - self.told)
            self.told = instructions

    def _drain(self, why: int) -> None:
        buffer = ctypes.create_string_buffer(65536)
        if why & UART:
            while size := self.api.uart_tx(self.chip, 0, buffer, len(buffer)):
                self.output.append((self.told, buffer.raw[:size]))
        if why & ETH:
            while size := self.api.eth_tx(self.chip, buffer, len(buffer)):
                self.sent_frame(buffer.raw[:size])
        while size := self.api.log_read(self.chip, buffer, len(buffer)):
            self.log.append(buffer.raw[:size].decode())

    def sent_frame(self, frame: bytes) -> None:
        self.frames_out.append(frame)

    @property
    def text(self) -> str:
        return b"".join(data for _, data in self.output).decode("utf-8", "replace")

    def until(self, wanted: str, seconds: float = 5, slice_us: int = 1000) -> None:
        """Quanta of Renode's time until `wanted` was sent."""
        end = self.told + int(seconds * 160_000_000)
        while wanted not in self.text:
            assert self.told < end, f"{wanted!r} did not come:\n{self.text}"
            self.execute(slice_us * 160)

    def save(self) -> bytes:
        state = ctypes.create_string_buffer(self.api.state_size(self.chip))
        assert self.api.state_save(self.chip, state, len(state)) == len(state)
        return state.raw

    def load(self, state: bytes) -> None:
        """As `LoadState`: Renode's time goes on, the chip's is where the state was."""
        assert self.api.state_load(self.chip, state, len(state)) == 0, self.error
        self.align()

    @property
    def error(self) -> str:
        return self.api.error(self.chip).decode()

    def memory(self, addr: int, size: int) -> bytes | None:
        """None where there is none."""
        data = ctypes.create_string_buffer(size)
        return None if self.api.mem_read(self.chip, addr, data, size) else data.raw

    def read_flash(self) -> bytes:
        data = ctypes.create_string_buffer(FLASH_SIZE)
        assert self.api.flash_read(self.chip, 0, data, FLASH_SIZE) == 0
        return data.raw

    def register(self, name: str, core: int = 0) -> int:
        value = ctypes.c_uint32()
        assert self.api.reg_read(self.chip, core, name.encode(), value) == 0
        return value.value
