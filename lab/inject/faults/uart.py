"""Noise on the UARTs: on the console while the app serves and at its REPL, and on the camera's.

Random bytes, breaks (a line held low: zeros without a stop bit), framing errors, and for the
camera bytes that come, go or change on the wire. The app must go on or be able to be had back by
what a person can type; the camera's driver must find its way back into the protocol.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable
from typing import Any, Literal

from hw.camera.scene import TestCard
from hw.camera.sensor import Vc0706
from lab.console import ConsoleError
from lab.inject.case import Case, CaseFailed
from lab.inject.faults.link import NoAnswer, WebSocket, WrongAnswer
from lab.inject.faults.outcome import Kind
from lab.inject.faults.rig import Rig

SOURCE = "ESP32 TRM, UART Controller; MicroPython, REPL; Vimicro, VC0706 Control Protocol"
CTRL_A, CTRL_B, CTRL_C, CTRL_D = b"\x01", b"\x02", b"\x03", b"\x04"
CONSOLE, CAMERA = 0, 2
BYTES_MOST = 2000
SETTLE_SECONDS = 1.0
NOISE_SECONDS = 2.0
CALM_SECONDS = 12.0  # for the camera to be back: the driver tries again once a second
PICTURES = 3
NoiseKind = Literal["bytes", "break", "framing", "high"]
NOISES: tuple[NoiseKind, ...] = ("bytes", "break", "framing", "high")
WireKind = Literal["more", "less", "other", "all"]
WIRES: tuple[WireKind, ...] = ("more", "less", "other", "all")


def noise(rig: Rig, kind: NoiseKind, size: int, seed: int, ctrl_c: bool) -> bytes:
    """Put `size` bytes of noise on the console's wire, in bursts; returns them.

    ctrl_c: may a byte of it be 0x03, which interrupts whatever runs?
    """
    chance = random.Random(seed)
    sent = b""
    while len(sent) < size:
        burst = min(size - len(sent), chance.randrange(1, 64))
        if kind in ("bytes", "framing"):
            data = chance.randbytes(burst)
        else:
            data = bytes(burst) if kind == "break" else b"\xff" * burst
        if not ctrl_c:
            data = data.replace(CTRL_C, b"\x13")
        if kind in ("break", "framing"):
            rig.board.chip.uart_error(CONSOLE, kind == "break")
        rig.board.console.write(data)
        rig.board.run_for(chance.random() * 0.02)
        sent += data
    return sent


def serving(rig: Rig, kind: NoiseKind, size: int, seed: int, ctrl_c: bool) -> None:
    """Noise while the app serves. Without a Ctrl-C in it nothing may happen; with one the app
    stops, as it should, and must be had back."""
    rig.start("small", watchdog=False)
    rig.probe()
    sent = noise(rig, kind, size, seed, ctrl_c)
    rig.board.run_for(SETTLE_SECONDS)
    if CTRL_C not in sent:
        rig.probe()
        if rig.disturbance:
            raise CaseFailed(rig.disturbance)
        rig.note(Kind.NO_EFFECT)
        return
    resynchronise(rig)
    restart(rig)
    rig.note(Kind.RECOVERED, "it held a Ctrl-C: the app stopped, a soft reset started it")


def at_repl(rig: Rig, kind: NoiseKind, size: int, seed: int, ctrl_c: bool) -> None:
    """Noise at the REPL, which may go into paste mode, raw mode, or start the app."""
    rig.start("small", watchdog=False)
    resynchronise(rig)
    noise(rig, kind, size, seed, ctrl_c)
    rig.board.run_for(SETTLE_SECONDS)
    resynchronise(rig)
    restart(rig)
    rig.note(Kind.RECOVERED)


def resynchronise(rig: Rig) -> None:
    """To a prompt that calculates, from whatever state the console is in. Raises CaseFailed."""
    console = rig.board.console
    try:
        console.mark()
        console.write(CTRL_C + CTRL_C + CTRL_B + b"\r")
        console.wait_for_prompt(10)
        rig.board.run_for(0.1)
        if (answer := console.eval("6 * 7", 10)) != "42":
            raise CaseFailed(f"the REPL says that 6 * 7 is {answer}")
    except ConsoleError as error:
        raise CaseFailed(f"the REPL can't be had back: {error}") from None


def restart(rig: Rig) -> None:
    """Ctrl-D at the prompt: a soft reset, and the app serves again."""
    rig.forget()
    rig.board.console.write(CTRL_D)
    rig.comes_up()


# --- the camera's wire ----------------------------------------------------------------------------


class RecordedCard(TestCard):
    """Remembers every picture that it gave."""

    def __init__(self) -> None:
        self.given: set[bytes] = set()

    def jpeg(self, frame: int, seconds: float, size: tuple[int, int], quality: int) -> bytes:
        picture = super().jpeg(frame, seconds, size, quality)
        self.given.add(picture)
        return picture


class NoisyCamera(Vc0706):
    """Bytes on its wires, both ways, come, go or change by a chance of `rate` each."""

    def __init__(self, kind: WireKind, rate: float, seed: int) -> None:
        self.card = RecordedCard()
        self.noisy = False
        self._kind = kind
        self._rate = rate
        self._chance = random.Random(seed)
        super().__init__(self.card)

    def take(self, now: int, baud: int) -> bytes:
        return self._spoil(super().take(now, baud))

    def receive(self, now: int, data: bytes, baud: int) -> None:
        super().receive(now, self._spoil(data), baud)

    def _spoil(self, data: bytes) -> bytes:
        if not self.noisy:
            return data
        out = bytearray()
        for byte in data:
            hit = self._chance.random() < self._rate
            kind = self._chance.choice(WIRES[:3]) if self._kind == "all" else self._kind
            if hit and kind == "less":
                continue
            if hit and kind == "other":
                byte ^= 1 << self._chance.randrange(8)
            out.append(byte)
            if hit and kind == "more":
                out.append(self._chance.randrange(256))
        return bytes(out)


def camera(rig: Rig, kind: WireKind, rate: float, seed: int) -> None:
    """Pictures are watched while the camera's wire is noisy, and then while it is not."""
    part = NoisyCamera(kind, rate, seed)
    board = rig.start("camera", camera=part)
    socket = WebSocket(rig, b"/camera", CALM_SECONDS)
    if pictures(rig, socket, part, PICTURES):
        raise CaseFailed("a picture is wrong before there is noise")
    part.noisy = True
    begin, wrong, came = rig.board.seconds, 0, 0
    while board.seconds - begin < NOISE_SECONDS:
        socket.seconds = max(0.01, NOISE_SECONDS - (board.seconds - begin))
        try:
            wrong += pictures(rig, socket, part, 1)
            came += 1
        except NoAnswer:
            break  # none in the time that was left
    if rig.disturbance:
        raise CaseFailed(rig.disturbance)
    part.noisy = False
    socket.seconds = CALM_SECONDS
    try:
        pictures(rig, socket, part, 1)  # the one that was on its way may be wrong
        late = pictures(rig, socket, part, PICTURES)
        rig.probe()
    except (NoAnswer, WrongAnswer) as error:
        raise CaseFailed(f"the camera does not come back: {error}") from None
    if late:
        raise CaseFailed(f"{late} of {PICTURES} pictures are wrong though the noise is over")
    if wrong:
        rig.note(Kind.CORRUPTION, f"{wrong} of {came} pictures came with wrong bytes in them: "
                 "the protocol has no checksum")  # fmt: skip
    else:
        rig.note(Kind.RECOVERED, f"{came} pictures in {NOISE_SECONDS:g} s of noise")


def pictures(rig: Rig, socket: WebSocket, part: NoisyCamera, count: int) -> int:
    """Wait for `count` pictures; returns how many are none that the camera gave."""
    wrong = 0
    for _ in range(count):
        head, data = socket.receive()
        if head != 0x82:
            raise WrongAnswer(f"a frame that begins with {head:02x} between pictures")
        wrong += data not in part.card.given
    return wrong


def cases(seed: int, count: int) -> list[Case]:
    """`count` noises: a third each while it serves, at the REPL, and on the camera's wire."""
    table = []
    play: Callable[..., None]
    for number in range(count):
        chance = random.Random(f"uart {seed} {number}")
        if number % 3 == 2:
            parameters: dict[str, Any] = {
                "kind": WIRES[number // 3 % len(WIRES)],
                "rate": chance.choice((0.0002, 0.001, 0.01)),
                "seed": chance.randrange(2**32),
            }
            group, play = "noise on the camera's wire", camera
        else:
            parameters = {
                "kind": NOISES[number // 3 % len(NOISES)],
                "size": chance.randrange(1, BYTES_MOST),
                "seed": chance.randrange(2**32),
                "ctrl_c": chance.random() < 0.5,
            }
            group, play = (
                ("noise at the REPL", at_repl) if number % 3 else ("noise while it serves", serving)
            )
        bound = functools.partial(play, **parameters)
        table.append(Case(group, f"{number}", SOURCE, bound, parameters=parameters))
    return table
