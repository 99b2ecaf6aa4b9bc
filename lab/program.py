"""`lab run`: one program on a fresh board, in virtual time, without a network."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from lab import LabError
from lab.board import BoardError, wait_for_boot
from lab.console import PROMPT, BoardException
from lab.firmware import resolve
from lab.flash import build_image
from lab.interrupt import Interrupted, signals
from lab.targets.embedded import EmbeddedBoard

FOREVER = 1e9  # virtual seconds
BOOT_SECONDS = 60
MARKER = b"\x05exit:"

# exec() so that the program has a name in its traceback; SystemExit would reset the board
RUNNER = """
try:
    exec(compile(open('/program.py').read(), {name!r}, 'exec'), {{'__name__': '__main__'}})
except SystemExit as _exit:
    _code = _exit.args[0] if _exit.args else 0
    print({marker!r} + repr(_code))
"""


class _Output:
    """Streams to stdout and keeps the exit code back, which comes last."""

    def __init__(self) -> None:
        self._held = b""  # what may be the beginning of the marker, or of a line end
        self._code: bytes | None = None

    def __call__(self, data: bytes) -> None:
        if self._code is not None:
            self._code += data
            return
        text, found, code = (self._held + data).partition(MARKER)
        self._held = b""
        if found:
            self._code = code
        else:
            keep = max(n for n in range(len(MARKER)) if not n or text.endswith(MARKER[:n]))
            keep = keep or int(text.endswith(b"\r"))
            if keep:
                text, self._held = text[:-keep], text[-keep:]
        sys.stdout.buffer.write(text.replace(b"\r\n", b"\n"))
        sys.stdout.buffer.flush()

    @property
    def exit_code(self) -> str | None:
        """repr() of the argument of sys.exit(), None when the program just ended."""
        return None if self._code is None else self._code.decode().strip()


def _status(code: str | None) -> int:
    """Exit status as CPython makes it of sys.exit()'s argument."""
    if code is None or code in ("None", "False"):
        return 0
    if code == "True":
        return 1
    if re.fullmatch(r"-?\d+", code):
        return int(code) & 0xFF
    print(code.strip("'\""), file=sys.stderr)
    return 1


def run_program(path: Path, firmware: str | None = None, timeout: float | None = None) -> int:
    """Run the program; returns the exit status. Raises LabError.

    timeout: virtual seconds.
    """
    try:
        source = path.read_bytes()
        source.decode()
    except OSError as error:
        raise LabError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise LabError(f"{path} is not UTF-8: {error}") from None
    image = build_image(signals.aside(lambda: resolve(firmware)), {"program.py": source})
    output = _Output()
    with EmbeddedBoard(image) as board, signals.calling(
        lambda number: board.console.fail(Interrupted(number))
    ):  # fmt: skip
        console = board.console
        try:
            wait_for_boot(console, PROMPT, BOOT_SECONDS)
        except BoardError as error:
            raise LabError(f"this firmware shows no MicroPython prompt: {error}") from None

        def watch(data: bytes) -> None:
            if board.events or b"\r\nRebooting" in data:
                what = board.events[-1].text if board.events else "a panic"
                console.fail(BoardError(f"the program reset the board: {what}\n{console.tail}"))

        board.listeners.append(watch)
        runner = RUNNER.format(name=path.name, marker=MARKER.decode())
        try:
            console.run(runner, timeout or FOREVER, output)
        except BoardException as error:
            frames = error.traceback.splitlines()
            frames = [line for line in frames if '"<stdin>"' not in line]
            print("\n".join(frames).strip(), file=sys.stderr)
            return 1
    return _status(output.exit_code)
