"""An app behind a real socket, in a thread of its own."""

import asyncio
import socket
import threading
from contextlib import contextmanager


@contextmanager
def serving(app):
    """(host, port) on loopback while the app serves; the loop is app.loop."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    app.loop = asyncio.new_event_loop()
    thread = threading.Thread(
        target=app.loop.run_until_complete, args=(app.start_server("127.0.0.1", port),)
    )
    thread.start()
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except ConnectionRefusedError:
            assert thread.is_alive()
    try:
        yield "127.0.0.1", port
    finally:
        app.shutdown()
        thread.join(10)
        assert not thread.is_alive()
        app.loop.close()


def exchange(address, request, half_close=True):
    """All that comes back for `request` (bytes); half_close: say that nothing follows, so that
    the server need not wait for us to close."""
    with socket.create_connection(address, 10) as client:
        client.sendall(request)
        if half_close:
            client.shutdown(socket.SHUT_WR)
        data = b""
        while part := client.recv(65536):
            data += part
    return data


def split(data):
    """(status, lines of the head, body)"""
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    return int(lines[0].split()[1]), lines, body
