"""A board's filesystem as the lab reads it, past the board: littlefs on the host mounts its flash.

It is a second opinion: what the board says of its own files may be wrong for the same reason that
the files are.
"""

from __future__ import annotations

from lab import LabError
from lab.flash import BLOCK_SIZE, CACHE_SIZE, LOOKAHEAD, partitions
from lab.inject.faults.journal import Files


class Damaged(LabError):
    """The filesystem does not mount, or a file on it can't be read."""


def read_files(flash: bytes) -> Files:
    """Every file and folder of the `vfs` partition in 4 MB of `flash`. Raises Damaged."""
    from littlefs import LittleFS, LittleFSError

    vfs = next((p for p in partitions(flash) if p.name == "vfs"), None)
    if vfs is None:
        raise Damaged("there is no partition `vfs`")
    fs = LittleFS(
        block_size=BLOCK_SIZE, block_count=vfs.size // BLOCK_SIZE, read_size=32, prog_size=32,
        cache_size=CACHE_SIZE, lookahead_size=LOOKAHEAD, mount=False,
    )  # fmt: skip
    fs.context.buffer[:] = flash[vfs.offset : vfs.offset + vfs.size]
    files: Files = {}
    try:
        fs.mount()
        for root, folders, names in fs.walk("/"):
            at = root.strip("/")
            place = f"{at}/" if at else ""
            files.update({f"{place}{folder}/": b"" for folder in folders})
            for name in names:
                with fs.open(f"/{place}{name}", "rb") as file:
                    files[place + name] = bytes(file.read())
    except LittleFSError as error:
        raise Damaged(f"littlefs: {error}") from None
    return files


def differences(found: Files, wanted: Files) -> str:
    """In one line, how `found` differs; empty when it does not."""
    parts = [f"{path} is missing" for path in sorted(wanted.keys() - found.keys())]
    parts += [f"{path} is there" for path in sorted(found.keys() - wanted.keys())]
    for path in sorted(found.keys() & wanted.keys()):
        if found[path] != wanted[path]:
            at = next(
                (n for n, (a, b) in enumerate(zip(found[path], wanted[path], strict=False))
                 if a != b),
                min(len(found[path]), len(wanted[path])),
            )  # fmt: skip
            parts.append(f"{path} differs from byte {at} of {len(wanted[path])}")
    return ", ".join(parts)
