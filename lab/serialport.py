"""The board's UART0 as a serial port with modem lines, as on a board with a USB bridge.

A PTY cannot carry DTR and RTS, a serial port over TCP can (RFC 2217): esptool, mpremote and all
else that is made of pyserial open `rfc2217://127.0.0.1:PORT` and reset the board by the two lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from serial.rfc2217 import PortManager

from lab.consoles import ConsoleServer, User


class _Lines:
    """What pyserial's `PortManager` wants of the port behind it. UART0 has a baud rate of its own
    and the wire no parity, so that what is set here is only given back."""

    baudrate, bytesize, parity, stopbits = 115200, 8, "N", 1
    xonxoff = rtscts = dsrdtr = break_condition = False
    timeout = None
    cts = dsr = cd = True
    ri = False

    def __init__(self, changed: Callable[[bool, bool], None]) -> None:
        self._changed = changed
        self._dtr = self._rts = False

    @property
    def dtr(self) -> bool:
        return self._dtr

    @dtr.setter
    def dtr(self, level: bool) -> None:
        self._dtr = level
        self._changed(self._dtr, self._rts)

    @property
    def rts(self) -> bool:
        return self._rts

    @rts.setter
    def rts(self, level: bool) -> None:
        self._rts = level
        self._changed(self._dtr, self._rts)

    def get_settings(self) -> dict[str, object]:
        """Of pyserial: to go back to when a setting is refused. None is."""
        return {}

    def apply_settings(self, settings: object) -> None:
        """See `get_settings`."""

    def reset_input_buffer(self) -> None:
        """Nothing is kept here."""

    reset_output_buffer = reset_input_buffer


class _Connection:
    """Where `PortManager` writes its own messages: behind what the user is sent already."""

    def __init__(self, user: User) -> None:
        self._user = user

    def write(self, data: bytes) -> None:
        self._user.waiting += data


class SerialPortServer(ConsoleServer):
    """A console (`lab.consoles`) whose TCP users speak RFC 2217; one PTY without lines beside it.

    set_lines: called with (DTR asserted, RTS asserted) at each change, in the server's thread
    (`EmbeddedBoard.set_lines`). Raises LabError when the port is taken.
    """

    def __init__(
        self,
        write: Callable[[bytes], None],
        set_lines: Callable[[bool, bool], None],
        port: int = 0,
        host: str = "127.0.0.1",
    ) -> None:
        self._set_lines = set_lines
        self._managers: dict[User, PortManager] = {}
        super().__init__(write, port, host)

    @property
    def url(self) -> str:
        """For `--port` of esptool and `connect` of mpremote."""
        return "rfc2217://{}:{}".format(*self.tcp)

    def _manager(self, user: User) -> PortManager | None:
        if user.conn is None:
            return None
        if user not in self._managers:
            self._managers[user] = PortManager(_Lines(self._set_lines), _Connection(user))
        return self._managers[user]

    def _incoming(self, user: User, data: bytes) -> bytes:
        manager = self._manager(user)
        if manager is None:
            return data
        typed = _joined(manager.filter(data))
        self._flush(user)  # what the manager has answered
        return typed

    def _outgoing(self, user: User, data: bytes) -> bytes:
        manager = self._manager(user)
        return data if manager is None else _joined(manager.escape(data))

    def _drop(self, user: User) -> None:
        self._managers.pop(user, None)
        super()._drop(user)


def _joined(parts: Iterable[bytes]) -> bytes:
    return b"".join(parts)
