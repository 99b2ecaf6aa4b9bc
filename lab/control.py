"""A running lab takes orders: a Unix socket in the run directory, one JSON object a line.

| request | answer |
|---|---|
| ``{"status": true}`` | an object with the fields of `Status` |
| ``{"camera": "card"}``, ``{"camera": "/path"}`` | ``{"camera": name}``: what it sees now |
| anything else, or what fails | ``{"error": why}`` |

Only the user who runs the lab may connect (mode 0600).
"""

from __future__ import annotations

import json
import os
import socket
import socketserver
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hw.camera.scene import SceneError, scene
from hw.camera.wiring import LED_GPIO
from lab import LabError
from lab.interrupt import start_thread
from lab.targets.embedded import TICKS_PER_SECOND, EmbeddedBoard

SOCKET_NAME = "control.sock"
LINE_MOST = 1 << 16  # bytes of one request
ANSWER_SECONDS = 30  # a folder of big images takes a while to load
PATH_MOST = 107  # bytes of a Unix socket's name (unix(7))
CARD = "card"
PINS = [pin for pin in range(40) if pin not in range(6, 12)]  # the flash has those


@dataclass(frozen=True)
class Status:
    """What the board is doing."""

    led: bool
    gpio: dict[str, bool]  # level of each pin that the chip drives, by its number
    camera: str | None  # what its sensor sees
    virtual_seconds: float  # since power-on of the chip
    resets: int
    events: list[dict[str, str]]  # resets and panics: kind, text


def status(board: EmbeddedBoard) -> Status:
    """The state of `board` between two slices of its time. Raises BoardError."""
    taken: list[Status] = []

    def take() -> None:
        chip = board.chip
        driven = [pin for pin in PINS if chip.gpio_enabled >> pin & 1]
        taken.append(
            Status(
                led=board.gpio(LED_GPIO),
                gpio={str(pin): board.gpio(pin) for pin in driven},
                camera=board.camera.scene.name if board.camera else None,
                virtual_seconds=chip.now / TICKS_PER_SECOND,
                resets=chip.reset_count,
                events=[asdict(event) for event in board.events],
            )
        )

    board.call(take)
    return taken[0]


def look_at(board: EmbeddedBoard, source: str) -> str:
    """Swap what the camera's sensor sees; returns its name. Raises LabError."""
    camera = board.camera
    if camera is None:
        raise LabError("this board has no camera")
    try:
        view = scene(source)  # loads files: not in the chip's time
    except SceneError as error:
        raise LabError(str(error)) from None

    def swap() -> None:
        camera.scene = view

    board.call(swap)
    return view.name


class ControlServer:
    """Serves `board`'s socket in `directory` until `close`. Raises LabError."""

    def __init__(self, board: EmbeddedBoard, directory: Path) -> None:
        self.path = directory / SOCKET_NAME
        self._board = board
        check_path(self.path)
        self.path.unlink(missing_ok=True)  # of a lab that was killed: the caller holds the lock
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                while len(line := self.rfile.readline(LINE_MOST)) < LINE_MOST:
                    if not line:
                        return
                    self.wfile.write(json.dumps(outer._answer(line)).encode() + b"\n")
                self.wfile.write(b'{"error": "too long"}\n')

        class Server(socketserver.ThreadingUnixStreamServer):
            daemon_threads = True
            block_on_close = False  # a client may stay connected for ever

            def server_bind(self) -> None:
                os.fchmod(self.fileno(), 0o600)  # Linux gives the name the socket's own mode
                super().server_bind()

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass  # it went away before its answer

        self._server = Server(str(self.path), Handler)
        self._thread = start_thread(lambda: self._server.serve_forever(0.1), "control")

    def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            request = json.loads(line)
        except ValueError:
            return {"error": "a request is a JSON object in one line"}
        try:
            match request:
                case {"status": True}:
                    return asdict(status(self._board))
                case {"camera": str(source)}:
                    return {"camera": look_at(self._board, source)}
        except LabError as error:
            return {"error": str(error)}
        return {"error": f"no such request: {line.decode('utf-8', 'replace').strip()}"}

    def close(self) -> None:
        """Take no more orders and remove the socket; harmless twice."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self.path.unlink(missing_ok=True)


def check_path(path: Path) -> None:
    """Raises LabError when the name is too long for a Unix socket."""
    if len(os.fsencode(path)) > PATH_MOST:
        raise LabError(
            f"{path} is too long for a socket ({PATH_MOST} bytes at most); set XDG_RUNTIME_DIR "
            "to a shorter directory"
        )


def ask(directory: Path, request: dict[str, object]) -> dict[str, Any]:
    """Send a request to the lab that runs in `directory`. Raises LabError with its refusal."""
    path = directory / SOCKET_NAME
    check_path(path)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(ANSWER_SECONDS)
        try:
            connection.connect(str(path))
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as answers:
                line = answers.readline()
        except (FileNotFoundError, ConnectionRefusedError):  # one that was killed leaves it
            raise LabError("no lab is running; `make lab` or `lab up` starts one") from None
        except OSError as error:
            raise LabError(f"the lab does not answer: {error.strerror or error}") from None
    if not line:
        raise LabError("the lab has ended")
    answer: dict[str, Any] = json.loads(line)
    if "error" in answer:
        raise LabError(answer["error"])
    return answer


def ask_status(directory: Path) -> dict[str, Any]:
    """The fields of `Status`, or only ``error``: why there are none."""
    try:
        return ask(directory, {"status": True})
    except LabError as error:
        return {"error": str(error)}


def ask_camera(directory: Path, source: str | None) -> str:
    """Let the running lab's camera see ``card`` or the image or folder at `source`; None only
    asks. Returns what it sees. Raises LabError."""
    if source is None:
        return str(ask(directory, {"status": True})["camera"])
    if source != CARD:
        source = str(Path(source).expanduser().absolute())  # the lab may run elsewhere
    return str(ask(directory, {"camera": source})["camera"])


def describe(answer: dict[str, Any]) -> str:
    """The lines of `lab status` about the board."""
    if "error" in answer:
        return f"board     {answer['error']}"
    levels = [f"{pin} {'high' if level else 'low'}" for pin, level in answer["gpio"].items()]
    lines = [
        f"led       {'on' if answer['led'] else 'off'}",
        f"gpio      {', '.join(levels) or 'none driven'}",
        f"camera    {answer['camera'] or 'none'}",
        f"clock     {answer['virtual_seconds']:.1f} s, {answer['resets']} resets",
    ]
    lines += [f"event     {event['kind']}: {event['text']}" for event in answer["events"]]
    return "\n".join(lines)
