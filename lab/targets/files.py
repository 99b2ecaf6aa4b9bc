"""The files of a board, through its raw REPL: what is there, what differs, and sending just that.

One connection does it all: opening a serial port anew, as each `mpremote` command does, resets
many boards, and a password must not stand on a command line.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lab.board import BoardError
from lab.capabilities import Capability, require
from lab.console import BoardException, Console

KEPT = ("wifi.json", "lan.json", ".lab")  # the board's own: its network, and the lab's mark
MARK = ".lab"
DEFAULT = "boot.py"  # MicroPython puts it on a new filesystem
CHUNK = 3072  # bytes in one program: its text has to fit into the board's memory
SEND_MOST = 400_000  # bytes: some two minutes at 115200 baud
RUN_SECONDS = 20

LIST = """
import os, hashlib, binascii
def show(path):
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        part = file.read(1024)
        while part:
            digest.update(part)
            part = file.read(1024)
    print(binascii.hexlify(digest.digest()).decode(), path)
def walk(folder):
    for entry in os.ilistdir(folder or '/'):
        path = folder + entry[0]
        if entry[1] & 0x4000:
            walk(path + '/')
        else:
            show(path)
"""
LIST_ALL = LIST + "walk('')\n"
LIST_SOME = LIST + "for path in {paths!r}:\n    show(path)\n"
OPEN = """
import os, binascii
folder = ''
for part in {path!r}.split('/')[:-1]:
    folder += '/' + part
    try:
        os.mkdir(folder)
    except OSError:
        pass
file = open({path!r}, 'wb')
"""
WRITE = "file.write(binascii.a2b_base64({text!r}))\n"
CLOSE = "file.close()\n"
REMOVE = """
import os
for path in {paths!r}:
    os.remove(path)
    while '/' in path:
        path = path.rpartition('/')[0]
        try:
            os.rmdir(path)
        except OSError:
            break
"""


class FilesError(BoardError):
    """The board's filesystem can't be brought into the state that was wanted."""


@dataclass(frozen=True)
class Changes:
    """What `put` did."""

    sent: tuple[str, ...]
    removed: tuple[str, ...]
    same: int

    def __str__(self) -> str:
        return f"{len(self.sent)} files sent, {len(self.removed)} removed, {self.same} as they were"


def digest(data: bytes) -> str:
    """As `digests` gives it."""
    return hashlib.sha256(data).hexdigest()


def digests(
    console: Console, patience: float = 1, paths: Sequence[str] | None = None
) -> dict[str, str]:
    """sha256 of each file on the board, or of `paths`; it must be at its prompt.

    Raises FilesError.
    """
    source = LIST_ALL if paths is None else LIST_SOME.format(paths=list(paths))
    try:
        lines = console.run(source, RUN_SECONDS * patience).splitlines()
    except BoardException as error:
        raise FilesError(f"the board's files can't be listed: {error}") from None
    found = {}
    for line in lines:
        value, _, path = line.partition(" ")
        found[path] = value
    return found


def send(console: Console, path: str, data: bytes, patience: float = 1) -> None:
    """Write one file. Raises FilesError."""
    parts = [data[at : at + CHUNK] for at in range(0, len(data), CHUNK)] or [b""]
    try:
        for number, part in enumerate(parts):
            source = OPEN.format(path=path) if number == 0 else ""
            source += WRITE.format(text=base64.b64encode(part).decode()) if part else ""
            source += CLOSE if number == len(parts) - 1 else ""
            console.run(source, RUN_SECONDS * patience)
    except BoardException as error:
        last = str(error).splitlines()[-1]
        raise FilesError(f"{path} can't be written to the board: {last}") from None


def remove(console: Console, paths: list[str], patience: float = 1) -> None:
    """Remove files, and folders that get empty. Raises FilesError."""
    if not paths:
        return
    try:
        console.run(REMOVE.format(paths=paths), RUN_SECONDS * patience)
    except BoardException as error:
        raise FilesError(f"files can't be removed from the board: {error}") from None


def put(
    console: Console,
    wanted: Mapping[str, bytes],
    patience: float = 1,
    there: Mapping[str, str] | None = None,
) -> Changes:
    """Make the files of the board `wanted`, but for KEPT ones.

    there: their digests, when somebody has just looked. Raises FilesError, CannotDo.
    """
    if there is None:
        there = digests(console, patience)
    right = {path: digest(data) for path, data in wanted.items()}
    sending = [path for path in sorted(wanted) if there.get(path) != right[path]]
    if sum(len(wanted[path]) for path in sending) > SEND_MOST:
        require("board", Capability.LARGE_FILES)
    surplus = sorted(set(there) - set(wanted) - set(KEPT))
    remove(console, surplus, patience)  # first: app.py would go before app.mpy
    for path in sending:
        send(console, path, wanted[path], patience)
    if sending:
        written = digests(console, patience, sending)
        wrong = [path for path in sending if written.get(path) != right[path]]
        if wrong:
            raise FilesError(f"not as they were sent: {', '.join(wrong)}; is the flash worn out?")
    return Changes(tuple(sending), tuple(surplus), len(wanted) - len(sending))


def foreign(there: Mapping[str, str], wanted: Mapping[str, bytes]) -> list[str]:
    """Files that somebody else has put on a board that the lab has never had."""
    if MARK in there:
        return []
    return sorted(set(there) - set(wanted) - set(KEPT) - {DEFAULT})
