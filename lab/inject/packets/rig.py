"""What packet cases are played on: a booted board on a switch, in virtual time, and its peers.

One restore of a snapshot makes a rig (some 20 ms). `witness` holds a WebSocket from before the
case to its end; `peer` holds the one that cases break; `check` says whether the board survived.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from scapy.packet import Packet

from hw.camera.sensor import Vc0706
from lab.board import Event
from lab.booted import Booted
from lab.console import BoardException, ConsoleError
from lab.inject.case import CaseFailed
from lab.inject.station import Connection, Station, StationError
from lab.inject.tcp import PeerError, TcpPeer
from lab.net.router import Router
from lab.net.switch import Switch
from lab.peers.client import HEAD_END, frame, framed, handshake
from lab.targets.embedded import EmbeddedBoard

BOARD_IP, ROUTER_IP = "10.0.2.15", "10.0.2.2"
BOARD_MAC = "24:0a:c4:00:00:04"  # the chip's own is for Wi-Fi; Ethernet has the fourth
HTTP, REPL_PORT = 80, 8080
SETTLE_SECONDS = 0.3  # in which the board answers what it will answer
ECHO_SECONDS = 10
SLACK = 1024  # bytes: connections in TIME-WAIT, which lasts two minutes
BOOT_SECONDS = 30
FIRST_PEER = 101  # last byte of the peers' addresses; the witness's host is 100
TEXT = 1
IDF_FREE = """
import esp32
print(sum(part[1] for part in esp32.idf_heap_info(esp32.HEAP_DATA)))
"""
ECHO_ONCE = """
import socket
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("0.0.0.0", 8080))
server.listen(1)
client = server.accept()[0]
client.send(client.recv(100))
client.close()
server.close()
"""


class Rig:
    """A board that serves, and who talks to it. Times are virtual seconds.

    state: of `lab.booted.booted(image, "serving")`. seed: of the peers' numbers. board_class: what
    emulates the board.
    """

    def __init__(
        self, state: Booted, seed: int = 1, board_class: type[EmbeddedBoard] = EmbeddedBoard
    ) -> None:
        self._seed = seed
        self.switch = Switch(lambda: self._nanoseconds())
        self.board = board_class(state.image, self.switch, snapshot=state.snapshot, camera=Vc0706())
        self.router = Router(self.switch, self.board.clock)
        self.station = Station(self.switch, self.board, BOARD_IP)
        self.peers: list[TcpPeer] = []
        self.expected_events: list[Event] = []
        self.sent: list[bytes] = []  # every frame of the board
        self.switch.taps.append(self._tap)
        self.app_runs = True
        self._said_before = 0
        self.restarted = False  # the app, by the case
        self.forgiven = 0  # characters of the console's text that may hold a traceback
        self.witness: Connection | None = self.open_witness()
        self.peer = self.open_peer()

    def _nanoseconds(self) -> int:
        return round(self.board.seconds * 1e9)

    def _tap(self, now: int, port: str, direction: str, data: bytes) -> None:
        if port == "board" and direction == "in":
            self.sent.append(data)

    def close(self) -> None:
        """Power off; harmless twice."""
        self.board.close()

    def __enter__(self) -> Rig:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- hosts ---

    def new_peer(self) -> TcpPeer:
        """One more host, without a connection."""
        number = FIRST_PEER + len(self.peers)
        peer = TcpPeer(self.switch, f"10.0.2.{number}", f"02:00:00:00:01:{number:02x}",
                       self._seed * 256 + number, self.board)  # fmt: skip
        self.peers.append(peer)
        return peer

    def open_peer(self, **connect: object) -> TcpPeer:
        """One more host, with a WebSocket on the board's echo. Raises CaseFailed."""
        peer = self.new_peer()
        try:
            peer.connect(BOARD_IP, HTTP, **connect)  # type: ignore[arg-type]
            self.upgrade(peer)
        except PeerError as error:
            raise CaseFailed(f"no new connection: {error}") from None
        return peer

    def upgrade(self, peer: TcpPeer) -> None:
        """Make a WebSocket of the peer's TCP connection. Raises CaseFailed, PeerError."""
        peer.send(handshake("/echo"))
        head = peer.receive_until(lambda data: HEAD_END in data)
        if not head.startswith(b"HTTP/1.1 101 "):
            raise CaseFailed(f"{peer.ip}: the handshake is answered with {head[:60]!r}")
        del peer.received[: head.index(HEAD_END) + len(HEAD_END)]

    def open_witness(self) -> Connection:
        """A WebSocket of a fair host. Raises CaseFailed."""
        try:
            connection = self.station.connect(HTTP, ECHO_SECONDS)
            connection.send(handshake("/echo"))
            self.station.run_until(
                lambda: HEAD_END in connection.received, ECHO_SECONDS, "a handshake's answer"
            )
        except StationError as error:
            raise CaseFailed(f"no new connection: {error}") from None
        connection.received.clear()
        return connection

    # --- what a case does ---

    def run_for(self, seconds: float) -> None:
        """Let just so much time pass; who retransmits does."""
        self.board.clock.call_later(seconds, lambda: None)  # so that the board stops there
        self.station.run_for(seconds)

    def send(self, frames: Iterable[Packet | bytes], peer: TcpPeer | None = None) -> None:
        """Put frames on the wire of `peer` (the first by default), one behind the other."""
        for one in frames:
            (peer or self.peer).send_frame(one)

    def inject(self, frames: Iterable[Packet | bytes], seconds: float = SETTLE_SECONDS) -> None:
        """Forget what peers have heard, send from the first, and give the board time."""
        for peer in self.peers:
            peer.heard.clear()
        self.sent.clear()
        self._said_before = len(self.board.console.text)
        self.send(frames)
        self.run_for(seconds)

    @property
    def said(self) -> str:
        """What the console has shown since the last `inject`."""
        return self.board.console.text[self._said_before :]

    def wait(self, done: Callable[[], bool], what: str, seconds: float = ECHO_SECONDS) -> None:
        """Until `done`. Raises CaseFailed."""
        try:
            self.station.run_until(done, seconds, what)
        except StationError as error:
            raise CaseFailed(str(error)) from None

    def end_app(self) -> None:
        """Ctrl-C. Connections are reset before, or the app would wait for their goodbye. Raises
        CaseFailed."""
        for peer in self.peers:
            if peer.ack and not peer.reset:
                peer.rst()
        for connection in list(self.station.connections.values()):
            connection.rst()
        self.witness = None
        self.run_for(0.01)
        try:
            self.board.console.interrupt()
        except ConsoleError as error:
            raise CaseFailed(f"Ctrl-C gives no prompt: {error}") from None
        self.app_runs = False

    def boot(self) -> None:
        """Press reset; whatever is connected is lost. `wait_for_app` says when the app serves."""
        for connection in list(self.station.connections.values()):
            connection.drop()
        self.witness = None
        self.restarted = True
        self.board.console.mark()
        self.board.reset()
        self.expected_events = list(self.board.events)

    def wait_for_app(self) -> None:
        """Until the app serves. Raises CaseFailed."""
        try:
            self.board.console.wait_for(b"lab: http on", BOOT_SECONDS)
            self.board.console.wait_for(b"\n")
        except ConsoleError as error:
            raise CaseFailed(f"the app does not come up: {error}") from None

    # --- what must hold ---

    def echo(self, peer: TcpPeer | None = None, text: bytes = b"still here") -> None:
        """A message on an open WebSocket comes back, and nothing before it. Raises CaseFailed."""
        peer = peer or self.peer
        wanted = bytes((0x80 | TEXT, len(text))) + text
        try:
            peer.send(frame(text, TEXT), ECHO_SECONDS)
            got = peer.receive_until(lambda data: len(data) >= len(wanted), ECHO_SECONDS)
        except PeerError as error:
            raise CaseFailed(f"the connection does not echo: {error}") from None
        if got[: len(wanted)] != wanted:
            raise CaseFailed(f"the connection echoes {got[:80]!r}, not {wanted!r}")
        del peer.received[: len(wanted)]

    def echo_on(self, connection: Connection, text: bytes = b"fresh") -> None:
        """The same on a fair host's connection. Raises CaseFailed."""
        connection.send(frame(text))
        try:
            self.station.run_until(
                lambda: len(connection.received) >= framed(len(text)) or not connection.alive,
                ECHO_SECONDS, "the echo",
            )  # fmt: skip
        except StationError as error:
            raise CaseFailed(f"a fair connection does not echo: {error}") from None
        if not connection.received.endswith(text):
            raise CaseFailed(f"a fair connection echoes {bytes(connection.received[:80])!r}")
        connection.received.clear()

    def _echo_from_the_repl(self) -> None:
        """The app has ended: a fresh connection echoes all the same. Raises CaseFailed."""
        fresh: list[Connection] = []

        def connect() -> None:
            fresh.append(self.station.begin(REPL_PORT))
            fresh[0].send(b"anybody there?")

        self.board.clock.call_later(SETTLE_SECONDS, connect)
        try:
            self.board.console.run(ECHO_ONCE, ECHO_SECONDS)
        except (ConsoleError, BoardException) as error:
            raise CaseFailed(f"no echo by the REPL: {error}") from None
        self.wait(lambda: len(fresh[0].received) >= 14, "the echo from the REPL")

    def check(self, least_free: int = 0) -> None:
        """The board is alive: no reset, no panic, no traceback; the witness echoes, a fresh
        connection does, the REPL answers. Ends the app. Raises CaseFailed.

        least_free: bytes that ESP-IDF's heap must have at the end, but for SLACK; not looked at
        where the case has restarted the app.
        """
        try:
            self._check_life(least_free)
        except CaseFailed:
            self._check_console()  # a panic says more than that nothing answers
            raise
        self._check_console()

    def _check_life(self, least_free: int) -> None:
        try:
            if self.witness:
                self.echo_on(self.witness, b"witness")
        except CaseFailed as error:
            raise CaseFailed(f"witness: {error}") from None
        if self.app_runs:
            self.echo_on(self.open_witness())
            self.end_app()
        else:
            self._echo_from_the_repl()
        free = self.idf_free()
        if free < least_free - SLACK and not self.restarted:
            raise CaseFailed(f"{least_free - free} bytes of ESP-IDF's heap are gone")

    def idf_free(self) -> int:
        """Bytes free on ESP-IDF's heap, where lwIP lives; the REPL says it. Raises CaseFailed."""
        try:
            return int(self.board.console.run(IDF_FREE, ECHO_SECONDS))
        except (ConsoleError, BoardException, ValueError) as error:
            raise CaseFailed(f"the REPL does not answer: {error}") from None

    def _check_console(self) -> None:
        if self.board.events != self.expected_events:
            raise CaseFailed(f"the board had {self.board.events}, not {self.expected_events}")
        if "Traceback" in self.board.console.text[self.forgiven :]:
            raise CaseFailed(f"a traceback on the console: {self.board.console.tail}")


def free_at_rest(state: Booted, board_class: type[EmbeddedBoard] = EmbeddedBoard) -> int:
    """Bytes that ESP-IDF's heap has free when the app has served and ended and nothing was done to
    it: what `Rig.check` wants at least."""
    with Rig(state, board_class=board_class) as rig:
        rig.echo()
        rig.end_app()
        return rig.idf_free()
