"""Robot keywords for a WebSocket client (the `websockets` library).

| Library | lab.keywords.WebSocketKeywords |
"""

from __future__ import annotations

from robot.api.deco import keyword, library
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

TIMEOUT = 20.0  # seconds of the wall clock: the client is outside of the simulation


@library(scope="TEST", auto_keywords=False)
class WebSocketKeywords:
    """Connections by name; `default` when none is given. Closed when the test ends."""

    ROBOT_LISTENER_API_VERSION = 3

    def __init__(self) -> None:
        self.ROBOT_LIBRARY_LISTENER = self
        self._open: dict[str, ClientConnection] = {}

    def end_test(self, data: object, result: object) -> None:
        """Robot's listener call: let go of what the test has left open."""
        for ws in self._open.values():
            ws.close()
        self._open.clear()

    def _ws(self, name: str) -> ClientConnection:
        if name not in self._open:
            raise AssertionError(f"no WebSocket {name!r} is open")
        return self._open[name]

    @keyword(name="Open WebSocket")
    def open_websocket(self, url: str, name: str = "default") -> None:
        """Connect and upgrade."""
        context = connect(url, open_timeout=TIMEOUT, max_size=None)
        self._open[name] = context.__enter__()

    @keyword
    def send_text(self, text: str, name: str = "default") -> None:
        self._ws(name).send(text)

    @keyword
    def send_binary(self, data: bytes, name: str = "default") -> None:
        self._ws(name).send(data)

    @keyword
    def send_ping(self, payload: str = "", name: str = "default") -> None:
        """Send a ping and wait for its pong."""
        if not self._ws(name).ping(payload).wait(TIMEOUT):
            raise AssertionError(f"no pong within {TIMEOUT:g} s")

    @keyword
    def expect_message(self, expected: str | bytes, name: str = "default") -> None:
        """The next message is this one."""
        message = self._ws(name).recv(timeout=TIMEOUT)
        if message != expected:
            raise AssertionError(f"expected {expected!r}, got {message!r}")

    @keyword(name="Close WebSocket")
    def close_websocket(self, code: int = 1000, reason: str = "", name: str = "default") -> None:
        self._ws(name).close(code, reason)

    @keyword
    def expect_close(self, code: int, name: str = "default") -> None:
        """The board has closed, or closes now, with this code."""
        ws = self._ws(name)
        try:
            message = ws.recv(timeout=TIMEOUT)
        except ConnectionClosed:
            received = ws.protocol.close_rcvd
            if received is None or received.code != code:
                raise AssertionError(f"expected close {code}, got {received}") from None
            return
        raise AssertionError(f"expected close {code}, got the message {message!r}")
