"""The board that is fuzzed: booted with the app of this folder, two WebSockets open, a snapshot.

`FuzzBoard.play` goes back to the snapshot, sends one round of inputs and looks: all in the chip's
virtual time, with no clock of the host's, so that a round repeats bit for bit.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from hw.esp32.chip import LIBRARY, Chip, Snapshot, Stop
from lab import LabError
from lab.board import find_panic
from lab.booted import Booted, booted
from lab.firmware import resolve
from lab.flash import board_files, build_image
from lab.inject.backtrace import backtrace, printed_backtrace, text
from lab.inject.fuzz.grammar import FIN, MASK, Input, head
from lab.inject.fuzz.handshake import KEY
from lab.inject.fuzz.host import differs
from lab.inject.fuzz.link import MS, Link, Peer, PeerState
from lab.inject.fuzz.model import LIMIT, TEXT, Answer, answer, echoed, masked, talks_on, wrong
from lab.inject.fuzz.rounds import Fault, Round

APP = Path(__file__).with_name("app") / "main.py"
HANG = 9000 * MS  # virtual: longer than any wait of the server's for a client that has ended
ALIVE = 3000 * MS
PACE = 12 * MS  # from one piece to the next, so that the server has read it: a tick of FreeRTOS
SOAK_BYTES = 800  # of an input, so that it is a segment together with its handshake
UNREAD_MOST = 5  # segments; lwIP's mailbox for a connection holds six, and drops what is more
HEAP_GROWTH = 2000  # bytes that a connection may leave behind: the collector is conservative
LEAK_ROUNDS = 6  # connections, and as many again, by which a leak shows
TRACEBACK = re.compile(rb"Traceback \(most recent call last\):.*?\r?\n(?=\S)[^\r\n]*", re.S)


def upgrade(path: bytes) -> bytes:
    """A right handshake."""
    return (
        b"GET " + path + b" HTTP/1.1\r\nHost: board\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + KEY
        + b"\r\n\r\n"
    )  # fmt: skip


def client_text(words: bytes) -> bytes:
    """A small text message, masked with zeros."""
    return head(FIN | TEXT, MASK, len(words)) + b"\0\0\0\0" + masked(words, b"\0\0\0\0")


# a message and a wrong frame, a right close, and a request that is no handshake
WARM = (
    upgrade(b"/echo") + client_text(b"abc") + b"\xff\xff",
    upgrade(b"/echo") + b"\x88\x80\0\0\0\0",
    b"GET /none HTTP/1.1\r\nHost: board\r\n\r\n",
    b"nothing",
)


def image(replace: Mapping[str, bytes] | None = None) -> bytes:
    """Flash with the fuzzed app; `replace`: files to put in place of ours, for planted bugs."""
    firmware = resolve()
    files = {n: d for n, d in board_files(firmware).items() if n.startswith(("lib/", "net."))}
    files["main.py"] = APP.read_bytes()
    for name, data in (replace or {}).items():
        files.pop(name.removesuffix(".py") + ".mpy", None)
        files[name] = data
    return build_image(firmware, files)


class FuzzBoard:
    """One board in this process. Raises LabError when it does not come up."""

    def __init__(self, flash: bytes | None = None, seed: int = 1) -> None:
        flash = flash or image()
        state = booted(flash, "online", seed)
        self.chip = Chip(seed=seed)
        self.chip.flash_write(0, flash)
        self.chip.eth_link(True)
        self.link = Link(self.chip)
        self.snapshots: dict[str, Snapshot] = {}
        self._peers: dict[str, tuple[PeerState, PeerState]] = {}  # that go with them
        self._may_reset = False  # the board may answer the round in hand with RST
        self.key = _key(state, seed)
        self._prepare(state)

    def close(self) -> None:
        """Let go of the chip."""
        self.chip.close()

    def _prepare(self, state: Booted) -> None:
        self.chip.restore(state.snapshot.chip)
        self.link.learn()
        for number, data in enumerate(WARM):
            self._warm_up(20100 + number, data)
        self.witness = self._connect(20001, b"/witness")
        self.subject = self._connect(20002, b"")
        self._rest("fresh")
        self.subject.send(upgrade(b"/echo"))
        if not self.link.run(lambda: b"\r\n\r\n" in self.subject.received, HANG):
            raise LabError("the board that is to be fuzzed does not answer")
        self._rest("open")
        self.restore("open")
        self.heap = self._heap_after(b"")

    def _warm_up(self, port: int, data: bytes) -> None:
        """A connection that makes the board load what it loads late."""
        peer = self._connect(port, b"")
        peer.send(data)
        peer.finish()
        if not self.link.run(lambda: peer.finished or peer.reset, HANG):
            raise LabError("the board that is to be fuzzed does not end a connection")
        self.link.run(lambda: False, 500 * MS)
        del self.link.peers[peer.ports[:2]]

    def _connect(self, port: int, path: bytes) -> Peer:
        peer = Peer(self.link, port)
        self.link.peers[peer.ports[:2]] = peer
        peer.connect()
        up = self.link.run(lambda: peer.open, HANG)
        if path:
            peer.send(upgrade(path))
            up = self.link.run(lambda: b"\r\n\r\n" in peer.received, HANG)
        if not up:
            raise LabError("the board that is to be fuzzed does not take a connection")
        return peer

    def _rest(self, name: str) -> None:
        """Let everything be acknowledged, then take a snapshot."""
        for _ in range(2):
            for peer in (self.witness, self.subject):
                self.link.acknowledge(peer)
            self.link.run(lambda: False, 500 * MS)
        self.snapshots[name] = self.chip.snapshot()
        self._peers[name] = self.witness.state(), self.subject.state()

    def restore(self, base: str) -> None:
        """Back to the snapshot "open" or "fresh"."""
        self.chip.restore(self.snapshots[base])
        self.link.peers.clear()
        for peer, state in zip((self.witness, self.subject), self._peers[base], strict=True):
            peer.restore(state)
            self.link.peers[peer.ports[:2]] = peer
        self.link.console.clear()
        self.link.why = Stop.DEADLINE
        for _ in self.chip.log():
            pass

    # --- one round ---

    def play(self, round_: Round, host_answer: bytes | None = None, heap: bool = False) -> (
        Fault | None
    ):  # fmt: skip
        """Restore, inject, observe. host_answer: what must come on a fresh connection.
        heap: look at the memory afterwards too, which takes its time."""
        last = round_.last
        self.restore(last.base)
        expected = None if host_answer is not None else answer(round_.data, LIMIT)
        done = self._inject(round_, expected, host_answer)
        if fault := self._look(done, expected):
            return fault
        received, cut = bytes(self.subject.received), last.end == "rst"
        if expected is not None:
            difference = wrong(received, expected, cut)
        else:
            difference = differs(received, host_answer or b"", cut)
        if difference:
            return self._fault("answer", difference, f"the board answers wrongly: {difference}")
        if not self._alive(b"!"):
            return self._look(True, expected) or self._fault(
                "dead", "the witness gets no answer", "other connections get no answer any more"
            )
        if heap and (grown := self._heap() - self.heap) > HEAP_GROWTH and self._leaks(round_):
            return self._fault("heap", "heap", f"{grown} bytes of heap stay in use")
        return self._look(True, expected)

    def soak(self, inputs: Sequence[Input]) -> Fault | None:
        """Each of `inputs` on a connection of its own, without going back in between: more of them
        than the board has sockets show whether each gives its own back."""
        self.restore("open")
        self._may_reset = True
        self.subject.finish()
        if not self.link.run(lambda: self.subject.finished, HANG):
            return self._look(False, None)
        used = [self.heap]
        while len(used) < 3:  # a second time, when what stays may have come to stay once
            for number, case in enumerate(inputs):
                port = 21000 + 100 * len(used) + number
                try:
                    self._warm_up(port, upgrade(b"/echo") + case.data[:SOAK_BYTES])
                except LabError as error:
                    return self._look(True, None) or self._fault("soak", str(error), f"{error}")
            if not self._alive(b"!"):
                return self._look(True, None) or self._fault("soak", "dead", "the witness is dead")
            used.append(self._heap())
            if used[-1] - used[-2] <= HEAP_GROWTH:
                return self._look(True, None)
        return self._fault("soak", "heap", f"{used[-1] - used[-2]} bytes more with each round")

    def _inject(self, round_: Round, expected: Answer | None, host: bytes | None) -> bool:
        """True when the connection has come to its end."""
        link, subject, last = self.link, self.subject, round_.last
        self._may_reset = last.end == "rst" or expected is None or talks_on(round_.data, expected)
        unread = 0
        for case in round_.inputs:
            for piece in case.pieces():
                subject.send(piece)
                unread += 1
                if (case.paced or unread == UNREAD_MOST) and not subject.finished:
                    unread = 0
                    link.run(lambda: False, PACE)
                    if link.why:
                        return False
        if last.end == "rst":
            link.run(lambda: not subject.pieces, ALIVE)
            subject.abort()
            return not link.why
        if last.end == "wait":
            if expected is not None:
                closes = bool(expected.codes) or expected.echo is not None
                size = len(echoed(expected.frames)) + 2 * closes
            else:
                size = len(host or b"")
            link.run(lambda: len(subject.received) >= size or subject.finished, ALIVE)
        subject.finish()
        return link.run(lambda: subject.finished or subject.reset, HANG)

    def _alive(self, question: bytes) -> bytes:
        """The witness's answer, b'' when none comes."""
        witness = self.witness
        del witness.received[:]
        witness.send(client_text(question))
        got = self.link.run(lambda: len(witness.received) > 2, ALIVE)
        return bytes(witness.received[2:]) if got else b""

    def _heap(self) -> int:
        """Bytes in use, when what ends has had time to."""
        self.link.run(lambda: False, 300 * MS)
        answered = self._alive(b"heap")
        return int(answered) if answered.isdigit() else 0

    def _leaks(self, round_: Round) -> bool:
        """Does the heap grow with each such connection? The collector takes whatever looks like a
        pointer for one, so that the buffer of a connection that is gone may stay, once."""
        start = b"" if round_.last.base != "open" else upgrade(b"/echo")
        used = []
        for count in (LEAK_ROUNDS, 2 * LEAK_ROUNDS):
            self.restore("open")
            self._may_reset = True
            try:
                for number in range(count):
                    self._warm_up(21000 + number, start + round_.data[:SOAK_BYTES])
            except LabError:
                return True  # what comes in its way is worth a look
            used.append(self._heap())
        return used[1] - used[0] > HEAP_GROWTH // LEAK_ROUNDS

    def _heap_after(self, data: bytes) -> int:
        """Bytes in use when a connection that has sent `data` has ended."""
        self.restore("open")
        if data:
            self.subject.send(data)
        self.subject.finish()
        self.link.run(lambda: self.subject.finished, HANG)
        self._alive(b"!")
        return self._heap()

    # --- what is wrong ---

    def _fault(self, kind: str, key: str, detail: str, where: str = "") -> Fault:
        return Fault(kind, key, detail, where, self.link.console.decode("utf-8", "replace"),
                     bytes(self.subject.received[:4096]).hex())  # fmt: skip

    def _look(self, done: bool, expected: Answer | None) -> Fault | None:
        """Resets, what stands on the console, and a connection that does not end."""
        link = self.link
        if link.why & Stop.FATAL:
            where = text(backtrace(self.chip))
            return self._fault("fatal", self.chip.error, f"the model: {self.chip.error}", where)
        if link.console or link.why:
            return self._console()
        if not done:
            where = text(backtrace(self.chip))
            state = "handshake"
            if expected:
                codes = ", ".join(map(str, sorted(expected.codes)))
                state = codes or ("open" if expected.echo is None else "closing")
            return self._fault("hang", state, "the connection does not end", where)
        if self.subject.reset and not self._may_reset:
            return self._fault("answer", "RST", "the board resets the connection")
        return None

    def _console(self) -> Fault:
        link = self.link
        if not link.why:
            link.run(lambda: False, 300 * MS)  # the rest of what it prints
        panic = find_panic(bytes(link.console))
        if link.why & Stop.RESET or panic:
            pcs = printed_backtrace(bytes(link.console))
            why = panic or f"reset by {self.chip.reset_cause.name}"
            return self._fault("reset", text(pcs) or why, why, text(pcs))
        if found := TRACEBACK.search(bytes(link.console)):
            lines = found[0].decode("utf-8", "replace").replace("\r", "").strip()
            return self._fault("traceback", lines, lines.rpartition("\n")[2])
        words = link.console.decode("utf-8", "replace").strip()
        return self._fault("console", words[:200], f"it prints {words[:80]!r}")


def _key(state: Booted, seed: int) -> str:
    """Names the snapshot: of all that decides it."""
    digest = hashlib.sha256(state.image)
    digest.update(LIBRARY.read_bytes())
    digest.update(bytes(state.snapshot.chip) + str(seed).encode())
    return digest.hexdigest()[:16]
