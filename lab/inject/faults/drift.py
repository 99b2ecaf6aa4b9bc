"""Crystals that differ: the board's clock runs fast or slow against that of its peers.

A crystal is off by some 10 ppm, a resonator by half a percent, a broken one by anything. TCP's
and WebSocket's timers must not mind. The camera's UART must not up to some 4 percent (8N1: the
tenth bit must be hit); beyond that the camera is lost, and the board must go on without.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable
from typing import Any

from hw.camera.sensor import BAUD_TOLERANCE, Vc0706
from lab.inject.case import Case, CaseFailed
from lab.inject.faults.link import Lines, NoAnswer, WebSocket
from lab.inject.faults.outcome import Kind
from lab.inject.faults.rig import Rig
from lab.net.impair import BadCable, Impairment

SOURCE = "RFC 9293, 3.8; RFC 6455, 5.5.2; ESP32 TRM, UART Controller"
# how much faster the board runs, in parts of one: percents, ppm
DRIFTS = (0.0001, -0.0001, 0.005, -0.005, 0.03, -0.03, 0.1, -0.1, 0.5, -0.3)
PING_SECONDS = 1.0  # of the peer's time
PINGS = 10
IDLE_SECONDS = (10, 20, 40)
MESSAGES = 20
WATCH_SECONDS = 3.0
PICTURES_LEAST = 5  # in that time; undisturbed it is about three a second


class DriftingCamera(Vc0706):
    """Its own crystal is right: what is `baud` to the board is not to it."""

    def __init__(self, drift: float) -> None:
        self.drift = drift
        super().__init__()

    def take(self, now: int, baud: int) -> bytes:
        return super().take(now, round(baud * (1 + self.drift)))

    def receive(self, now: int, data: bytes, baud: int) -> None:
        super().receive(now, data, round(baud * (1 + self.drift)))


def pings(rig: Rig, drift: float) -> None:
    """A peer that pings once a second of its own, and gives up when no pong comes within one."""
    board = rig.start("camera", peers=1 / (1 + drift))
    socket = WebSocket(rig)
    socket.seconds = PING_SECONDS * (1 + drift)
    for number in range(PINGS):
        socket.ping(b"%d" % number)
        board.run_for(PING_SECONDS * (1 + drift))
    socket.echo(b"still here")
    undisturbed(rig)


def idle(rig: Rig, drift: float, seconds: float) -> None:
    """Two connections that say nothing for `seconds` and then do."""
    board = rig.start("camera", peers=1 / (1 + drift))
    socket, lines = WebSocket(rig), Lines(rig)
    board.run_for(seconds)
    socket.echo(b"awake?")
    lines.echo(b"awake?")
    undisturbed(rig)


def lossy(rig: Rig, drift: float, seed: int) -> None:
    """A cable that loses a fifth: both sides' retransmissions run on their own clocks."""
    board = rig.start("camera", peers=1 / (1 + drift))
    socket = WebSocket(rig)
    assert board.port
    loss = Impairment(loss=0.2)
    BadCable(board.port, rig.host.clock, loss, loss, seed)
    socket.seconds = 120
    for number in range(MESSAGES):
        socket.echo(b"%d " % number * 200)
    undisturbed(rig)


def stream(rig: Rig, drift: float) -> None:
    """Pictures of a camera whose crystal is right."""
    camera = DriftingCamera(0)
    board = rig.start("camera", camera=camera, peers=1 / (1 + drift))
    socket = WebSocket(rig, b"/camera", WATCH_SECONDS)
    socket.receive()
    camera.drift = drift
    begin, came = board.seconds, 0
    while (left := WATCH_SECONDS - (board.seconds - begin)) > 0:
        socket.seconds = left
        try:
            socket.receive()
        except NoAnswer:
            break
        came += 1
    rig.probe()
    if rig.disturbance:
        raise CaseFailed(rig.disturbance)
    if abs(drift) > BAUD_TOLERANCE:
        if came > 1:
            raise CaseFailed(f"{came} pictures over a wire whose ends disagree by {drift:.0%}")
        camera.drift = 0
        socket.seconds = WATCH_SECONDS
        socket.receive()  # the driver has not given up
        rig.note(Kind.ERROR, f"{drift:+.0%}: beyond what 8N1 bears; the camera is back afterwards")
    elif came < PICTURES_LEAST:
        raise CaseFailed(f"{came} pictures in {WATCH_SECONDS:g} s")
    else:
        rig.note(Kind.NO_EFFECT, f"{came} pictures in {WATCH_SECONDS:g} s")


def undisturbed(rig: Rig) -> None:
    """Nothing must have happened."""
    rig.probe()
    if rig.disturbance:
        raise CaseFailed(rig.disturbance)
    rig.note(Kind.NO_EFFECT)


def cases(seed: int, count: int) -> list[Case]:
    """`count` drifts: pings, silence, losses and pictures in turn, each of DRIFTS first."""
    table = []
    play: Callable[..., None]
    for number in range(count):
        chance = random.Random(f"drift {seed} {number}")
        drift = DRIFTS[(7 * number + number // 20) % len(DRIFTS)]  # every pair in the first 40
        if number >= 4 * len(DRIFTS):  # those are done: any between
            drift = round(chance.uniform(-0.1, 0.1), 5)
        parameters: dict[str, Any] = {"drift": drift}
        group, play = (("pings", pings), ("silence", idle), ("losses", lossy),
                       ("pictures", stream))[number % 4]  # fmt: skip
        if play is idle:
            parameters["seconds"] = chance.choice(IDLE_SECONDS)
        elif play is lossy:
            parameters["seed"] = chance.randrange(2**32)
        bound = functools.partial(play, **parameters)
        name = f"{number}: {drift:+.2%}"
        table.append(Case(f"clock drift, {group}", name, SOURCE, bound, parameters=parameters))
    return table
