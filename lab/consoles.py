"""The board's console for other programs: a PTY and a TCP port, both with any number of users.

`mpremote connect /dev/pts/N` and `mpremote connect socket://127.0.0.1:PORT` work on them, and
so does every terminal program. All see the same output; all may type.
"""

from __future__ import annotations

import errno
import os
import selectors
import socket
import threading
import tty
from collections.abc import Callable

from lab import LabError
from lab.interrupt import start_thread

BACKLOG = 1 << 20  # bytes a user may be behind before it is cut off
BLOCK = 4096


class User:
    """One open end: a connection, or the PTY."""

    def __init__(self, fd: int, conn: socket.socket | None) -> None:
        self.fd = fd
        self.conn = conn
        self.waiting = bytearray()


class ConsoleServer:
    """Serves a console until `close`. `write` takes what users type.

    Give `feed` the board's output. Raises LabError when the port is taken.
    """

    def __init__(
        self, write: Callable[[bytes], None], port: int = 0, host: str = "127.0.0.1"
    ) -> None:
        self._write = write
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._listener.bind((host, port))
        except OSError as error:
            self._listener.close()
            raise LabError(
                f"console port {port} on {host}: {error.strerror}; choose another "
                "(--console-port, 0 takes any free one)"
            ) from None
        self._listener.listen()
        self._listener.setblocking(False)
        self.tcp: tuple[str, int] = self._listener.getsockname()
        master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(master, False)
        self.pty = os.ttyname(self._slave)
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._output = bytearray()
        self._lock = threading.Lock()
        self._closing = False
        self._pty_user = User(master, None)
        self._users = [self._pty_user]
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self._selector.register(self._wake, selectors.EVENT_READ, self._woken)
        self._selector.register(master, selectors.EVENT_READ, self._pty_user)
        self._thread = start_thread(self._loop, "console")

    def feed(self, data: bytes) -> None:
        """Output of the board, for all users."""
        with self._lock:
            self._output += data
        os.eventfd_write(self._wake, 1)

    # --- in the server's thread ---

    def _loop(self) -> None:
        while not self._closing:
            for key, mask in self._selector.select():
                if isinstance(key.data, User):
                    if mask & selectors.EVENT_READ:
                        self._read(key.data)
                    if mask & selectors.EVENT_WRITE and key.data in self._users:
                        self._flush(key.data)
                else:
                    key.data()

    def _accept(self) -> None:
        conn, _ = self._listener.accept()
        conn.setblocking(False)
        conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        user = User(conn.fileno(), conn)
        self._users.append(user)
        self._selector.register(user.fd, selectors.EVENT_READ, user)

    def _woken(self) -> None:
        os.eventfd_read(self._wake)
        with self._lock:
            data, self._output = bytes(self._output), bytearray()
        for user in list(self._users):
            user.waiting += self._outgoing(user, data)
            self._flush(user)

    def _read(self, user: User) -> None:
        try:
            data = os.read(user.fd, BLOCK)
        except OSError as error:
            data = b"" if error.errno not in (errno.EAGAIN, errno.EIO) else None  # type: ignore
            if data is None:
                return
        if data:
            try:
                if data := self._incoming(user, data):
                    self._write(data)
            except LabError:
                pass  # the board is off: its message comes another way
        else:
            self._drop(user)

    def _incoming(self, user: User, data: bytes) -> bytes:
        """What a user has typed, out of what has come from it."""
        return data

    def _outgoing(self, user: User, data: bytes) -> bytes:
        """What a user is sent of the board's output."""
        return data

    def _flush(self, user: User) -> None:
        try:
            while user.waiting:
                del user.waiting[: os.write(user.fd, user.waiting[:BLOCK])]
        except BlockingIOError:
            pass
        except OSError:
            self._drop(user)
            return
        if len(user.waiting) > BACKLOG:
            if user.conn:
                self._drop(user)
                return
            del user.waiting[:-BLOCK]  # nobody reads the PTY: keep the newest
        mask = selectors.EVENT_READ | (selectors.EVENT_WRITE if user.waiting else 0)
        if user is self._pty_user:
            mask = selectors.EVENT_READ  # it is full while nobody reads: try with new output
        self._selector.modify(user.fd, mask, user)

    def _drop(self, user: User) -> None:
        if user.conn is None or user not in self._users:
            return
        self._users.remove(user)
        self._selector.unregister(user.fd)
        user.conn.close()

    def close(self) -> None:
        """Cut all users off and free port and PTY; harmless twice."""
        if self._closing:
            return
        self._closing = True
        os.eventfd_write(self._wake, 1)
        self._thread.join()
        for user in self._users:
            if user.conn:
                user.conn.close()
        self._selector.close()
        self._listener.close()
        for fd in (self._pty_user.fd, self._slave, self._wake):
            os.close(fd)
