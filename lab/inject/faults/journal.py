"""What a board may have on its filesystem while it changes files, and after its power has failed.

littlefs promises (DESIGN.md, "copy on write", and README.md of littlefs, "Power-loss resilience"):
each operation on metadata is atomic, and what is written to a file counts when the file is synced
or closed, all of it or nothing. So after a cut the tree of files is one of those that stand
between two such steps, and never a mix.
"""

from __future__ import annotations

import json
import random
from typing import Any

Files = dict[str, bytes]  # path -> contents; of a folder: path + "/" -> b""
Change = list[Any]  # operation, path and what else it needs, as board/bench.py takes it

LINE = 64  # bytes, as in board/bench.py
SIZES = (0, 40, 300, 3000, 9000, 13000)  # inline in metadata, a block, several


def content(path: str, mark: int, size: int) -> bytes:
    """Numbered lines that name the file and the change: no part of it looks like another."""
    head = f"{path} {mark} "
    tail = "." * (LINE - 6 - len(head)) + "\n"
    return "".join(f"{head}{n:05d}{tail}" for n in range(size // LINE + 1)).encode()[:size]


def apply(files: Files, change: Change) -> list[Files]:
    """The states that `change` leads through, the last being its end. Raises KeyError for a
    change that can't be made."""
    operation, path, *rest = change
    steps: list[Files] = []
    after = dict(files)
    if operation in ("write", "append"):
        if path not in files:  # open() commits an empty file
            steps.append({**files, path: b""})
        old = files.get(path, b"") if operation == "append" else b""
        after[path] = old + content(path, *rest)
    elif operation == "rename":
        after[rest[0]] = after.pop(path)
    elif operation == "mkdir":
        after[path + "/"] = b""
    elif operation == "rmdir":
        del after[path + "/"]
    elif operation == "remove":
        del after[path]
    else:
        raise KeyError(operation)
    return [*steps, after]


def make(chance: random.Random, files: Files, count: int) -> list[Change]:
    """`count` changes that can be made one after the other, beginning with `files`."""
    changes: list[Change] = []
    for mark in range(1, count + 1):
        names = [f"f{n}" for n in range(4)] + (["d/f"] if "d/" in files else [])
        name = chance.choice(names)
        present = name in files
        choices = ["write", "write", "append"]
        if present:
            choices += ["rename", "rename", "remove"]
        if "d/" not in files:
            choices.append("mkdir")
        elif "d/f" not in files:
            choices.append("rmdir")
        operation = chance.choice(choices)
        change: Change = [operation, name]
        if operation in ("write", "append"):
            change += [mark, chance.choice(SIZES)]
        elif operation == "rename":
            change.append(chance.choice([other for other in names if other != name]))
        elif operation in ("mkdir", "rmdir"):
            change = [operation, "d"]
        changes.append(change)
        files = apply(files, change)[-1]
    return changes


def states(files: Files, changes: list[Change]) -> list[list[Files]]:
    """For each number of changes begun (0 .. all): what may be found then.

    A change that was begun may have reached any of its steps, or none of them.
    """
    allowed = [[files]]
    for change in changes:
        steps = apply(files, change)
        allowed.append([files, *steps])
        files = steps[-1]
    return [*allowed, [files]]


def line(changes: list[Change]) -> bytes:
    """What the board is sent."""
    return json.dumps(changes).encode() + b"\n"
