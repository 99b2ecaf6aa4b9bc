"""The same server on CPython, without sockets: what a board must answer to a handshake."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any

from lab.inject.fuzz.model import LIMIT

HEAD_END = b"\r\n\r\n"


class Sink:
    """What a writer of MicroPython's streams has; keeps what is written."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes) -> None:
        self.data += data

    async def drain(self) -> None:
        pass

    async def awrite(self, data: bytes) -> None:
        self.data += data

    async def aclose(self) -> None:
        pass

    def get_extra_info(self, name: str) -> Any:
        return None


class HostServer:
    """`lab/inject/fuzz/app` as far as a client of /echo can see it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._app = import_module("microdot").Microdot()

        async def echo(request: Any, ws: Any) -> None:
            ws.max_message_length = LIMIT
            while True:
                await ws.send(await ws.receive())

        upgraded = import_module("microdot.websocket").with_websocket(echo)
        self._app.route("/echo")(upgraded)

    def answer(self, data: bytes) -> bytes:
        """All that a client gets for `data` and FIN."""

        async def serve() -> bytes:
            reader, sink = asyncio.StreamReader(), Sink()
            reader.feed_data(data)
            reader.feed_eof()
            await self._app.handle_request(reader, sink)
            return bytes(sink.data)

        return self._loop.run_until_complete(serve())

    def close(self) -> None:
        """End its event loop."""
        self._loop.close()


def status(answer: bytes) -> bytes:
    """The code in the first line of a response, b'' when there is none."""
    parts = answer.split(b" ", 2)
    return parts[1] if len(parts) == 3 and parts[0].startswith(b"HTTP/1.") else b""


def differs(board: bytes, host: bytes, cut: bool) -> str | None:
    """How the board's answer to a handshake differs from the host's; see `model.wrong`.

    The text of an error page is each server's own, its status is not; behind 101 all counts.
    """
    if cut and host.startswith(board):
        return None
    if status(board) != status(host):
        return f"status {status(board).decode() or 'none'} for {status(host).decode() or 'none'}"
    if status(host) == b"101" and board != host:
        return "another answer behind the handshake"
    return None
