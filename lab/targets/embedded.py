"""The emulated board in this process: a `Chip`, its clock and its cables.

Four paces. "real": a thread runs the chip and keeps virtual time from getting ahead of the
wall clock, for people and real clients. "eager": the same, but busy stretches run as fast as
they go and only idle time is waited for; tests with real clients want that. "hasty": eager, and
idle time passes ten times as fast, which suits a boot that only our own gateway has a part in.
"stepped": no thread; virtual time moves while somebody waits, so that a run repeats bit for bit.
Hosts that live by `EmbeddedBoard.clock` are inside of that time: with them a network repeats as
well.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from hw.camera.wiring import CAMERA_UART
from hw.esp32.chip import FOREVER, TICKS_PER_US, Chip, ChipError, ResetCause, Snapshot, Stop
from lab.board import BoardError, Event, find_panic
from lab.console import Console
from lab.interrupt import start_thread
from lab.net.clock import VirtualClock
from lab.net.switch import Port, Switch

if TYPE_CHECKING:  # Pillow is behind it: for boards that have a camera
    from hw.camera.sensor import SensorState, Vc0706

Pace = Literal["real", "eager", "hasty", "stepped"]
HASTE = {"eager": 1, "hasty": 10}  # idle seconds of the board in one of the wall clock

TICKS_PER_SECOND = TICKS_PER_US * 1_000_000
STEP_TICKS = TICKS_PER_US * 1000  # a busy chip looks for input once in a virtual millisecond
STEP_MOST_TICKS = TICKS_PER_SECOND // 4  # stepped: how long a chip may run without a look round
BOOT_PIN = 0  # low when the chip comes out of reset: the ROM's serial loader (ESP32 data sheet)
LAG_MOST_S = 0.1  # a host that is too slow makes virtual time slow, not hurry for ever after
LISTEN = Stop.UART | Stop.ETH | Stop.LOG | Stop.GPIO
LOG_MOST = 1000  # lines


@dataclass(frozen=True)
class BoardSnapshot:
    """The whole state of a board: the chip's, and that of the parts around it."""

    chip: Snapshot
    camera: SensorState | None

    @property
    def size(self) -> int:
        """Bytes of the chip's part."""
        return self.chip.size


class EmbeddedBoard:
    """An emulated ESP32 camera board with 4 MB of `flash`.

    switch: plug the board's Ethernet in there. camera: on UART2. chip: one that runs elsewhere
    (lab/targets/renode.py), instead of a new one with `mac` and `seed`. Raises BoardError,
    ChipError.
    """

    tardiness = 0.0  # seconds by which a frame may be seen later than it was sent

    def __init__(
        self,
        flash: bytes,
        switch: Switch | None = None,
        pace: Pace = "stepped",
        mac: bytes = b"\x24\x0a\xc4\x00\x00\x01",
        seed: int = 1,
        snapshot: BoardSnapshot | None = None,
        camera: Vc0706 | None = None,
        chip: Chip | None = None,
    ) -> None:
        self.chip = chip or Chip(mac=mac, seed=seed)
        self.camera = camera
        self.chip.flash_write(0, flash)
        self.chip.eth_link(switch is not None)
        if snapshot:
            self._restore(snapshot)
        self.pace: Pace = pace
        self.powered = True
        self.paused = False  # nothing moves, not even time
        self._held = False  # EN is low
        self._powered_then = True  # before that
        self._dark = 0  # ticks that passed without power
        self.listen = LISTEN  # stepped: after which kinds of output to look round at once ..
        self.step_ticks = STEP_MOST_TICKS  # .. and how long to run at most before that
        self.clock = VirtualClock(lambda: self.now, TICKS_PER_SECOND)
        self.console = Console(self._type, self._step_until if pace == "stepped" else None)
        self.events: list[Event] = []
        self.log: deque[str] = deque(maxlen=LOG_MOST)
        self.listeners: list[Callable[[bytes], None]] = [self.console.feed]
        # called with each Event, and with the exception that ends the board
        self.observers: list[Callable[[Event | Exception], None]] = []
        self.failure: Exception | None = None
        self._recent = b""  # output, to find a panic that comes in pieces
        self._typed: deque[bytes] = deque()
        self._frames: deque[bytes] = deque(maxlen=4096)
        self._calls: deque[Callable[[], None]] = deque()
        self._wake = threading.Condition()
        self._pins = threading.Condition()  # a level has changed
        self._closing = False
        self._port = switch.attach("board", self._receive) if switch else None
        self._thread: threading.Thread | None = None
        if pace != "stepped":
            self._thread = start_thread(self._run, "chip")

    # --- what a test may do (lab.board.Board) ---

    def reset(self) -> None:
        """Press the EN button: everything but RTC memory starts anew."""
        self.call(lambda: self.chip.reset(ResetCause.POWERON))

    def power_cycle(self) -> None:
        """Off and on again, the camera too; flash keeps what was written."""

        self.call(lambda: self._power_on(ResetCause.POWERON))

    def power_off(self, flash_bytes: int = 0) -> None:
        """Cut the supply: now, or when the program has written or erased `flash_bytes` more bytes
        of flash, in mid-operation. Time goes on."""
        if flash_bytes:
            self.call(lambda: self.chip.power_cut(flash_bytes))
        else:
            self.call(self._power_off)

    def power_on(self) -> None:
        """The supply is back: RAM is lost, flash is as it was."""
        self.call(lambda: self._power_on(ResetCause.POWERON))

    def brown_out(self) -> None:
        """The supply sags for a moment: the chip's detector resets it, and the camera too."""
        self.call(lambda: self._power_on(ResetCause.BROWNOUT))

    def set_lines(self, dtr: bool, rts: bool) -> None:
        """Modem lines of a serial port, asserted or not, through the two transistors of ESP32
        boards: RTS alone pulls EN low, DTR alone GPIO0, both together nothing.

        A capacitor keeps EN low for the moment in which a port sets one line after the other;
        over a network that takes longer, so that here EN stays low until RTS goes.
        """
        self.call(lambda: self._lines(dtr, rts))

    def _lines(self, dtr: bool, rts: bool) -> None:
        if rts and not dtr and not self._held:
            self._held = True
            self._powered_then = self.powered
            self._power_off()
        self.chip.gpio_drive(BOOT_PIN, False if dtr and not rts else None)
        if self._held and not rts:
            self._held = False
            self.powered = self._powered_then
            if self.powered:
                self.chip.reset(ResetCause.POWERON)

    def _power_off(self) -> None:
        self.powered = False
        self._typed.clear()
        self._frames.clear()

    def _power_on(self, cause: ResetCause) -> None:
        self.powered = True
        self.chip.reset(cause)
        if self.camera:
            self.camera.power_on(self.chip.now)

    @property
    def port(self) -> Port | None:
        """Of the switch, where the board is plugged in."""
        return self._port

    @property
    def now(self) -> int:
        """Virtual time in ticks, the dark hours too."""
        return self.chip.now + self._dark

    def set_link(self, up: bool) -> None:
        """Plug or pull the Ethernet cable: the PHY's link goes with it."""
        if self._port:
            self._port.up = up
        self.call(lambda: self.chip.eth_link(up))

    def snapshot(self) -> BoardSnapshot:
        """The whole state, for other boards with the same flash image, or to go back."""
        taken: list[BoardSnapshot] = []

        def take() -> None:
            camera = self.camera.snapshot() if self.camera else None
            taken.append(BoardSnapshot(self.chip.snapshot(), camera))

        self.call(take)
        return taken[0]

    def restore(self, snapshot: BoardSnapshot) -> None:
        """Go back to `snapshot`. Raises ChipError."""
        self.call(lambda: self._restore(snapshot))

    def rewind(self, snapshot: BoardSnapshot) -> None:
        """Stepped only: go back to `snapshot`, and forget what happened since: input on its way,
        output, events, a failure. Raises ChipError."""
        self._restore(snapshot)
        self.powered, self.paused, self.failure, self._recent = True, False, None, b""
        for queue in (self._typed, self._frames, self.log, self.events):
            queue.clear()
        self.console.forget()

    def _restore(self, snapshot: BoardSnapshot) -> None:
        self.chip.restore(snapshot.chip)
        if self.camera and snapshot.camera:
            self.camera.restore(snapshot.camera)

    def gpio(self, pin: int) -> bool:
        """The level that the chip drives on GPIO `pin` (low when it does not)."""
        return self.powered and bool(self.chip.gpio_out >> pin & 1)

    def wait_for_gpio(self, pin: int, level: bool, timeout: float = 10) -> None:
        """Until the chip drives GPIO `pin` to `level`. Raises BoardError after `timeout` s
        (virtual where the board is stepped)."""

        def reached() -> bool:
            return self.gpio(pin) == level or self.failure is not None

        if self._thread is None:
            done = self._step_until(reached, timeout)
        else:
            with self._pins:
                done = self._pins.wait_for(reached, timeout)
        self._check()
        if not done:
            raise BoardError(f"GPIO{pin} did not go {'high' if level else 'low'} in {timeout:g} s")

    def call(self, function: Callable[[], None]) -> None:
        """Run `function` where the chip may be touched, between two slices, and wait for it."""
        if self._thread is None:
            self._check()
            function()
            self._drain()
            return
        done = threading.Event()
        problem: list[BaseException] = []

        def wrapped() -> None:
            try:
                function()
            except BaseException as error:
                problem.append(error)
            finally:
                done.set()

        with self._wake:
            self._check()
            self._calls.append(wrapped)
            self._wake.notify()
        self.chip.stop()
        while not done.wait(0.5):
            self._check()
        if problem:
            raise problem[0]

    def set_pace(self, pace: Literal["real", "eager", "hasty"]) -> None:
        """Go on at another pace. A stepped board stays one: BoardError."""
        if self._thread is None:
            raise BoardError("a stepped board has no thread to run at another pace")
        self.call(lambda: setattr(self, "pace", pace))

    def run_for(self, seconds: float) -> None:
        """Stepped only: let virtual time pass."""
        self._step_until(lambda: False, seconds)

    def step_until(self, predicate: Callable[[], bool], seconds: float) -> bool:
        """Stepped only: let virtual time pass until `predicate` holds; False when it did not."""
        return self._step_until(predicate, seconds)

    @property
    def seconds(self) -> float:
        """Virtual time since power-on."""
        return self.now / TICKS_PER_SECOND

    def close(self) -> None:
        """Power off and unplug; harmless twice."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        if self._thread:
            self._thread.join()
        if self._port:
            self._port.detach()
        self.chip.close()

    def __enter__(self) -> EmbeddedBoard:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- cables ---

    def _check(self) -> None:
        if self.failure:
            raise self.failure
        if self._closing:
            raise BoardError("the board is switched off")

    def _type(self, data: bytes) -> None:
        with self._wake:
            self._check()
            if self.powered:
                self._typed.append(data)
            self._wake.notify()

    def _receive(self, frame: bytes) -> None:
        with self._wake:
            if self.powered:
                self._frames.append(frame)
            self._wake.notify()

    def _feed(self) -> None:
        """Input that has come, into the chip's queues; what does not fit waits."""
        due = self.camera.due() if self.camera else None
        if self.camera and due is not None and due <= self.chip.now:
            answer = self.camera.take(self.chip.now, self.chip.uart_baud(CAMERA_UART))
            self.chip.uart_send(answer, CAMERA_UART)  # an overrun is lost, as on the wire
        while self._typed:
            data = self._typed.popleft()
            fitted = self.chip.uart_send(data)
            if fitted < len(data):
                self._typed.appendleft(data[fitted:])
                break
        while self._frames:
            if not self.chip.eth_send(self._frames[0]) and len(self._frames[0]) <= 1518:
                break
            self._frames.popleft()

    def _drain(self, why: Stop = Stop.DEADLINE) -> None:
        """The chip's output to whoever listens."""
        if why & Stop.GPIO:
            with self._pins:
                self._pins.notify_all()
        if output := self.chip.uart_receive():
            for listener in self.listeners:
                listener(output)
            self._recent = (self._recent + output)[-4096:]
            ended = b"\r" in output or b"\n" in output  # a line; only that can complete a panic
            if ended and (panic := find_panic(self._recent)):
                self._happened(Event("panic", panic))
                self._recent = b""
        if self.camera and (output := self.chip.uart_receive(CAMERA_UART)):
            self.camera.receive(self.chip.now, output, self.chip.uart_baud(CAMERA_UART))
        for frame in self.chip.eth_receive():
            if self._port:
                self._port.send(frame)
        for line in self.chip.log():
            self.log.append(line)
            if line.startswith("reset: "):
                self._happened(Event("reset", line.removeprefix("reset: ")))
        if why & Stop.POWER:
            self._power_off()
        if why & Stop.FATAL:
            raise BoardError(f"the chip can't go on: {self.chip.error}")

    def _happened(self, event: Event) -> None:
        self.events.append(event)
        for observer in self.observers:
            observer(event)

    def _advance(self, until: int, listen: Stop = LISTEN) -> Stop:
        """Run up to `until`, in ticks of `now`."""
        self.clock.run_due()
        if not self.powered:
            self._dark += max(0, min(until, self.clock.due()) - self.now)
            return Stop.DEADLINE
        self._feed()
        until = min(until, self.clock.due()) - self._dark
        why = self.chip.run(min(until, self._camera_due()), listen)
        self._drain(why)
        return why

    def _camera_due(self) -> int:
        due = self.camera.due() if self.camera else None
        return FOREVER if due is None else max(due, self.chip.now)

    # --- stepped ---

    def _step_until(self, predicate: Callable[[], bool], seconds: float) -> bool:
        """Run until `predicate` holds or `seconds` of virtual time are over."""
        self._check()
        end = self.now + int(seconds * TICKS_PER_SECOND)
        while True:
            self.clock.run_due()
            if predicate():
                return True
            if self.paused:
                raise BoardError("the board is paused: nothing can be waited for")
            if self.now >= end:
                return False
            try:
                self._advance(min(end, self.now + self.step_ticks), self.listen)
            except Exception as error:
                self._fail(error)
                raise

    # --- threaded ---

    def _fail(self, error: Exception) -> None:
        self.failure = error if isinstance(error, BoardError) else BoardError(
            f"the chip's thread ended: {type(error).__name__}: {error}"
        )  # fmt: skip
        self.console.fail(self.failure)
        with self._pins:
            self._pins.notify_all()
        for observer in self.observers:
            observer(self.failure)

    def _run(self) -> None:
        try:
            while not self._closing:
                if self.pace == "real":
                    self._run_real()
                else:
                    self._run_eager()
        except Exception as error:  # whoever waits for the board must hear of it
            self._fail(error)

    def _calls_and_input(self) -> bool:
        """Run what others have asked for; False when the board is to end."""
        while self._calls:
            self._calls.popleft()()
            self._drain()
        return not self._closing

    def _stands_still(self) -> bool:
        """Without power, or paused: wait for a call that changes it."""
        if self.powered and not self.paused:
            return False
        with self._wake:
            if not (self._calls or self._closing):
                self._wake.wait(1.0)
        return True

    def _pending(self) -> bool:
        return bool(self._calls or self._frames or self._typed or self._closing)

    def _run_real(self) -> None:
        wall, ticks = time.monotonic(), self.chip.now
        while self._calls_and_input() and self.pace == "real":
            if self._stands_still():
                wall, ticks = time.monotonic(), self.chip.now
                continue
            lag = (time.monotonic() - wall) * TICKS_PER_SECOND + ticks - self.chip.now
            if lag > LAG_MOST_S * TICKS_PER_SECOND:
                wall, ticks = time.monotonic(), self.chip.now
                lag = 0
            if lag > 0:
                target = self.chip.now + int(lag)
                while self.chip.now < target and self.powered and not self._pending():
                    self._advance(target + self._dark)
            self._feed()
            self._wait(self._idle_seconds() or 0.001)

    def _run_eager(self) -> None:
        while self._calls_and_input() and (haste := HASTE.get(self.pace)):
            if self._stands_still():
                continue
            why = self._advance(self.now + STEP_TICKS, LISTEN | Stop.IDLE)
            if not why & Stop.IDLE or self._pending():
                continue
            start, idle = time.monotonic(), self._idle_seconds()
            self._wait(idle / haste)
            passed = (time.monotonic() - start) * haste  # too much when this thread got no turn
            self._advance(self.now + int(min(idle, passed) * TICKS_PER_SECOND) + 1)

    def _idle_seconds(self) -> float:
        """How long nothing will happen by itself; 0 when a core is at work."""
        if any(self.chip.core_status(core) == 0 for core in (0, 1)):
            return 0
        due = min(self.chip.next_event, self._camera_due(), self.clock.due() - self._dark)
        return max(0, (due - self.chip.now) / TICKS_PER_SECOND)

    def _wait(self, seconds: float) -> None:
        with self._wake:
            if not self._pending():
                self._wake.wait(min(seconds, 1.0))


__all__ = ["BoardError", "BoardSnapshot", "ChipError", "EmbeddedBoard", "Pace"]
