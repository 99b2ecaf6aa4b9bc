"""WebSocket clients by name, polite or not."""

from __future__ import annotations

from robot.api.deco import keyword, library

from lab.keywords.bench import bench
from lab.keywords.client import (
    CLOSE,
    PONG,
    Frame,
    Response,
    WebSocketClient,
    accept_for,
    opcode_number,
    shown,
)
from lab.keywords.streams import StreamError, connect

TIMEOUT = 30.0
PAUSE = 0.02  # seconds between the segments of a request in pieces
KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # of RFC 6455, 1.3


@library(scope="SUITE", auto_keywords=False)
class WebSocketKeywords:
    """Clients of the board, told apart by ``name``; there is one called ``default``.

    Every wait is for an event; ``timeout`` is its deadline in seconds, virtual ones inside the
    simulation. What a client leaves open is dropped when the board is.

    Expectations pass over frames of other kinds, which wait for theirs: a pong does not get lost
    behind a message. `Expect Frame` alone takes the very next frame.
    """

    def __init__(self) -> None:
        self._clients: dict[str, WebSocketClient] = {}
        bench.at_reset.append(self._clients.clear)

    def client(self, name: str) -> WebSocketClient:
        """For other libraries. Raises AssertionError when there is none."""
        if name not in self._clients:
            raise AssertionError(f"no WebSocket {name!r} is open")
        return self._clients[name]

    # --- opening ---

    @keyword(name="Open WebSocket")
    def open_websocket(
        self,
        path: str = "/echo",
        name: str = "default",
        window: int | None = None,
        send_along: bytes = b"",
        chunk: int | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        """Connect and upgrade.

        ``window``: bytes that the client's TCP takes before they are read: a small one makes a
        slow reader. ``send_along``: bytes in the same segment as the request. ``chunk``: send the
        request in segments of so many bytes, some milliseconds apart (inside the simulation only).
        """
        client = self._connect(name, window, timeout)
        try:
            response = client.upgrade(
                path, timeout, {"Sec_WebSocket_Key": KEY}, send_along, chunk=chunk,
                pause=lambda: bench.let_pass(PAUSE) if chunk else None,
            )  # fmt: skip
        except StreamError:
            client.stream.abort()
            raise
        if response.status != 101:
            raise AssertionError(f"the board answers {response.status} to the upgrade of {path}")
        accept = response.headers.get("sec-websocket-accept")
        if accept != accept_for(KEY):
            raise AssertionError(f"Sec-WebSocket-Accept is {accept}, not {accept_for(KEY)}")
        self._clients[name] = client

    def _connect(self, name: str, window: int | None, timeout: float) -> WebSocketClient:
        note = bench.note
        return WebSocketClient(
            connect(bench, window, timeout), lambda line: note(f"{name}: {line}")
        )

    @keyword
    def request_upgrade(
        self, path: str = "/echo", timeout: float = TIMEOUT, **headers: str
    ) -> Response:
        """Ask for a WebSocket with headers of your own; returns the answer (``status``,
        ``headers`` by lower-case name, ``rest``), whatever it is.

        A header is replaced by its name; the value ``none`` leaves it out; ``_request`` replaces
        the whole request line.

        | ${answer} =      | `Request Upgrade`   | Sec-WebSocket-Version=8 |
        | Should Be Equal As Integers | ${answer.status} | 426 |
        """
        line = headers.pop("_request", None)
        chosen: dict[str, str | None] = {
            name.replace("-", "_"): None if value == "none" else value
            for name, value in headers.items()
        }
        chosen.setdefault("Sec_WebSocket_Key", KEY)
        client = self._connect("upgrade", None, timeout)
        return client.upgrade(path, timeout, chosen, line=line)

    # --- sending ---

    @keyword
    def send_text(self, text: str, name: str = "default") -> None:
        """A text message."""
        self.client(name).send(1, text.encode())

    @keyword
    def send_binary(self, data: bytes, name: str = "default") -> None:
        """A binary message."""
        self.client(name).send(2, data)

    @keyword
    def send_ping(self, payload: bytes = b"", name: str = "default") -> None:
        """A ping; `Expect Pong` waits for its answer."""
        self.client(name).send(9, payload)

    @keyword
    def send_pong(self, payload: bytes = b"", name: str = "default") -> None:
        """A pong that nobody has asked for."""
        self.client(name).send(PONG, payload)

    @keyword
    def send_frame(
        self,
        opcode: str,
        payload: bytes = b"",
        name: str = "default",
        fin: int = 1,
        rsv1: int = 0,
        rsv2: int = 0,
        rsv3: int = 0,
        mask: int = 1,
        key: bytes | None = None,
        length: int | None = None,
        length_bits: int | None = None,
    ) -> None:
        """A frame in which every field may be a lie.

        ``opcode``: ``cont``, ``text``, ``binary``, ``close``, ``ping``, ``pong``, or a number.
        ``length``: what the header claims; ``length_bits``: 7, 16 or 64, how it is written. What
        is left out is truthful.
        """
        fields: dict[str, int | bytes] = {
            "FIN": fin, "RSV1": rsv1, "RSV2": rsv2, "RSV3": rsv3, "MASK": mask,
        }  # fmt: skip
        if key is not None:
            fields["key"] = key
        if length is not None or length_bits is not None:
            size = len(payload) if length is None else length
            bits = length_bits or (7 if size < 126 else 16 if size < 65536 else 64)
            if bits == 7:
                fields["length7"] = size
            elif bits == 16:
                fields.update(length7=126, length16=size)
            else:
                fields.update(length7=127, length64=size)
        self.client(name).send(opcode_number(opcode), payload, **fields)

    @keyword
    def send_bytes(self, data: bytes, name: str = "default") -> None:
        """Bytes as they are, below all framing."""
        self.client(name).send_raw(data)

    @keyword
    def send_slowly(
        self, data: bytes, chunk: int = 1, pause: float = 0.02, name: str = "default"
    ) -> None:
        """A binary message in segments of ``chunk`` bytes, ``pause`` seconds of virtual time
        apart. Inside the simulation only."""
        from lab.inject.websocket import WebSocketFrame

        raw = bytes(WebSocketFrame(opcode=2) / data)
        for at in range(0, len(raw), chunk):
            self.client(name).stream.send(raw[at : at + chunk])
            bench.let_pass(pause)
        bench.note(f"{name}: -> {len(raw)} bytes in pieces of {chunk}")

    @keyword
    def wait_until_sent(self, name: str = "default", timeout: float = TIMEOUT) -> None:
        """Until the board's TCP has acknowledged all that was sent."""
        self.client(name).stream.flush(timeout)

    # --- receiving ---

    @keyword
    def next_message(self, name: str = "default", timeout: float = TIMEOUT) -> str | bytes:
        """The next message: a string of a text frame, bytes of a binary one."""
        frame = self.client(name).take(lambda f: f.opcode in (1, 2, CLOSE), timeout)
        self._check(frame)
        if frame.opcode == CLOSE:
            raise AssertionError(f"instead of a message came: {frame}")
        return frame.message

    @keyword
    def next_text(self, name: str = "default", timeout: float = TIMEOUT) -> str:
        """The next text message; binary ones before it are thrown away (pictures of a stream)."""
        client = self.client(name)
        while True:
            frame = client.take(lambda f: f.opcode in (1, 2, CLOSE), timeout)
            self._check(frame)
            if frame.opcode == CLOSE:
                raise AssertionError(f"instead of a text came: {frame}")
            if frame.opcode == 1:
                return frame.payload.decode()

    @keyword
    def expect_message(
        self, expected: str | bytes, name: str = "default", timeout: float = TIMEOUT
    ) -> None:
        """The next message is this one: text for a string, binary for bytes."""
        message = self.next_message(name, timeout)
        if message != expected:
            raise AssertionError(f"expected {_brief(expected)}, got {_brief(message)}")

    @keyword
    def expect_frame(
        self,
        opcode: str,
        payload: bytes | None = None,
        name: str = "default",
        timeout: float = TIMEOUT,
    ) -> Frame:
        """The very next frame is of this kind, unfragmented, without mask; returns it."""
        frame = self.client(name).take(lambda f: True, timeout)
        self._check(frame)
        if frame.opcode != opcode_number(opcode):
            raise AssertionError(f"expected {opcode}, got {frame}")
        if payload is not None and frame.payload != payload:
            raise AssertionError(f"expected {opcode} {shown(payload)}, got {frame}")
        return frame

    @keyword
    def expect_pong(
        self, payload: bytes | None = None, name: str = "default", timeout: float = TIMEOUT
    ) -> None:
        """A pong comes, with this payload."""
        frame = self.client(name).take(lambda f: f.opcode == PONG, timeout)
        self._check(frame)
        if payload is not None and frame.payload != payload:
            raise AssertionError(f"expected pong {shown(payload)}, got {frame}")

    @keyword
    def expect_silence(self, seconds: float = 2, name: str = "default") -> None:
        """No frame comes for so long, and the connection stays. Patience with a slow link has no
        part in it; on a physical board more than some seconds are skipped."""
        bench.can_wait(seconds)
        client = self.client(name)
        try:
            frame = client.take(lambda f: True, seconds / bench.patience)
        except StreamError:
            if client.ended or client.frames or not self._alive(client):
                raise
            return
        raise AssertionError(f"expected silence, got {frame}")

    @staticmethod
    def _alive(client: WebSocketClient) -> bool:
        connection = getattr(client.stream, "connection", None)
        return connection is None or not connection.failure

    @staticmethod
    def _check(frame: Frame) -> None:
        """What a server must never send (RFC 6455, 5.1 and 5.2)."""
        if frame.masked or frame.rsv or not frame.fin:
            raise AssertionError(f"no server sends such a frame: {frame}")

    # --- closing ---

    @keyword(name="Close WebSocket")
    def close_websocket(
        self, code: int | None = 1000, reason: str = "", name: str = "default"
    ) -> None:
        """Send a close frame; ``code=none`` sends an empty one. `Expect Close` waits for the
        answer."""
        payload = b"" if code is None else code.to_bytes(2, "big") + reason.encode()
        self.client(name).send(CLOSE, payload)

    @keyword
    def expect_close(
        self,
        code: int | None = 1000,
        reason: str | None = None,
        name: str = "default",
        after_messages: bool = False,
        answer: bool = True,
        timeout: float = TIMEOUT,
    ) -> None:
        """The board sends a close frame with this code (``none``: an empty one), then ends the
        connection cleanly (FIN, not RST), and nothing comes in between.

        A client that has not closed yet answers, unless ``answer=False``. Messages that come before
        the close are an error unless ``after_messages``. ``reason``: must be part of the frame's.
        """
        client = self.client(name)
        frame = client.take(
            lambda f: f.opcode == CLOSE or (f.opcode in (1, 2) and not after_messages), timeout
        )
        self._check(frame)
        if frame.opcode != CLOSE:
            raise AssertionError(f"expected close {code}, got {frame}")
        if frame.code != code:
            raise AssertionError(f"expected close {code}, got {frame}")
        said = frame.payload[2:].decode()
        if reason is not None and reason not in said:
            raise AssertionError(f"expected the reason {reason!r}, got {said!r}")
        if answer and not client.closed:
            client.send(CLOSE, frame.payload[:2])
        client.frames.clear()
        client.wait_for_end(timeout)
        if client.frames or client._buffer:
            raise AssertionError("after its close frame the board sent more; " + client.unread())
        client.stream.finish()
        del self._clients[name]

    @keyword
    def expect_end(self, name: str = "default", timeout: float = TIMEOUT) -> None:
        """The board ends the connection, with FIN or RST, and sends no close frame before."""
        client = self.client(name)
        try:
            client.wait_for_end(timeout)
        except StreamError as error:
            if "nothing came" in str(error):
                raise
        closes = [frame for frame in client.frames if frame.opcode == CLOSE]
        if closes:
            raise AssertionError(f"expected no close frame, got {closes[0]}")
        del self._clients[name]

    @keyword
    def end_of_stream(self, name: str = "default") -> None:
        """FIN without a close frame: the client's side of the connection is over."""
        bench.note(f"{name}: -> FIN")
        self.client(name).stream.finish()

    @keyword(name="Abort WebSocket")
    def abort_websocket(self, name: str = "default") -> None:
        """RST: the client is gone at once."""
        bench.note(f"{name}: -> RST")
        self.client(name).stream.abort()
        del self._clients[name]

    @keyword(name="Lose WebSocket")
    def lose_websocket(self, name: str = "default") -> None:
        """The client's machine dies: it says and answers nothing any more. Inside the simulation
        only."""
        connection = getattr(self.client(name).stream, "connection", None)
        if connection is None:
            raise AssertionError("only a client inside the simulation can vanish")
        bench.note(f"{name}: gone without a word")
        connection.vanish()
        del self._clients[name]


def _brief(message: str | bytes) -> str:
    text = repr(message)
    if len(text) > 300:
        text = f"{text[:200]} .. ({len(message)} in all)"
    return text
