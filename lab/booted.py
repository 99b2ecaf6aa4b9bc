"""Boards that have booted already, kept in the lab's cache: each process starts from there.

A file holds the state of a board (chip and camera) and what its console showed, under a key of
all that decides the boot: flash image, chip library, camera model, seed and kind. It is written
whole or not at all; one that is damaged or does not fit is thrown away, and the board boots again.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import hashlib
import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hw.camera import scene, sensor
from hw.camera.sensor import SensorState, Vc0706
from hw.esp32.chip import LIBRARY, ChipError, Snapshot
from lab import LabError
from lab.cache import cache_folder, locked, write_whole
from lab.net.router import Router
from lab.net.switch import Switch
from lab.targets.embedded import BoardSnapshot, EmbeddedBoard

# prompt: the REPL, no network, no camera. serving: the app on the network, its camera found.
# online: an app of another kind on the network.
Kind = Literal["prompt", "serving", "online"]

FORMAT = b"lab booted 1\n"
UP_SECONDS = 60  # virtual
KEPT = 100  # files, of some 200 KB
DIGEST = 32


@dataclass(frozen=True)
class Booted:
    """A flash image, the state of a board that has booted it, and what its console showed."""

    image: bytes
    snapshot: BoardSnapshot
    console: str


def booted(image: bytes, kind: Kind, seed: int = 1) -> Booted:
    """A board that has booted `image`: from the cache, or booted now and kept there.

    Raises LabError when the board does not come up.
    """
    path = cache_folder("booted") / f"{_key(image, kind, seed)}.state"
    if found := _load(path, image, kind, seed):
        return found
    with locked(path.with_suffix(".lock")):  # of several processes one boots
        if found := _load(path, image, kind, seed):
            return found
        made = boot(image, kind, seed)
        with contextlib.suppress(OSError):  # a full disk: the next process boots again
            write_whole(path, pack(made))
            _prune(path.parent)
    return made


def boot(image: bytes, kind: Kind, seed: int = 1) -> Booted:
    """Boot `image` in virtual time, the same each time. Raises LabError."""
    switch = None if kind == "prompt" else Switch()
    camera = None if kind == "prompt" else Vc0706()
    with EmbeddedBoard(image, switch, seed=seed, camera=camera) as board:
        router = Router(switch, board.clock) if switch else None
        if router is None:
            board.console.wait_for_prompt(UP_SECONDS)
        else:
            board.console.wait_for(b"lab: http on", UP_SECONDS)
            if kind == "serving":
                board.console.wait_for(b"lab: camera: ", UP_SECONDS)
            board.console.wait_for(b"\n", UP_SECONDS)
        return Booted(image, board.snapshot(), board.console.text)


def _prune(folder: Path) -> None:
    """Forget what was not used for longest."""
    by_use = sorted(folder.glob("*.state"), key=lambda p: p.stat().st_mtime, reverse=True)
    for old in by_use[KEPT:]:
        old.unlink(missing_ok=True)
        old.with_suffix(".lock").unlink(missing_ok=True)


def _key(image: bytes, kind: Kind, seed: int) -> str:
    """Of all that decides how the boot goes."""
    digest = hashlib.sha256(FORMAT)
    parts = (image, LIBRARY.read_bytes(), *(_source(m) for m in (sensor, scene)))
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    digest.update(f"{kind} {seed}".encode())
    return digest.hexdigest()


def _source(module: Any) -> bytes:
    return Path(module.__file__).read_bytes()


# --- the file -----------------------------------------------------------------------------------


def _encode(value: object) -> object:
    """For json: bytes as a dict that says so."""
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    raise TypeError(type(value).__name__)


def _decode(value: dict[str, Any]) -> object:
    return base64.b64decode(value["base64"]) if set(value) == {"base64"} else value


def pack(state: Booted) -> bytes:
    """All but the flash image, as a file."""
    camera = state.snapshot.camera
    head = {
        "camera": dataclasses.asdict(camera) if camera else None,
        "console": state.console,
    }
    text = json.dumps(head, default=_encode).encode()
    body = zlib.compress(len(text).to_bytes(4, "big") + text + bytes(state.snapshot.chip), 1)
    return FORMAT + hashlib.sha256(body).digest() + body


def unpack(data: bytes, image: bytes) -> Booted:
    """What `pack` made, with its `image`. Raises ValueError, KeyError or TypeError when `data` is
    nothing like that."""
    if not data.startswith(FORMAT):
        raise ValueError("another format")
    body = data[len(FORMAT) + DIGEST :]
    if hashlib.sha256(body).digest() != data[len(FORMAT) : len(FORMAT) + DIGEST]:
        raise ValueError("damaged")
    body = zlib.decompress(body)
    end = 4 + int.from_bytes(body[:4], "big")
    head = json.loads(body[4:end], object_hook=_decode)
    snapshot = BoardSnapshot(Snapshot.from_bytes(body[end:]), _camera(head["camera"]))
    return Booted(image, snapshot, head["console"])


def _camera(fields: dict[str, Any] | None) -> SensorState | None:
    if fields is None:
        return None
    fields["eeprom"] = {int(address): value for address, value in fields["eeprom"].items()}
    fields["answers"] = [(tick, baud, data) for tick, baud, data in fields["answers"]]
    return SensorState(**fields)


def _load(path: Path, image: bytes, kind: Kind, seed: int) -> Booted | None:
    try:
        found = unpack(path.read_bytes(), image)
        camera = Vc0706() if found.snapshot.camera else None
        switch = None if kind == "prompt" else Switch()
        EmbeddedBoard(image, switch, seed=seed, snapshot=found.snapshot, camera=camera).close()
        path.touch()
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, OSError, zlib.error, ChipError, LabError):
        path.unlink(missing_ok=True)
        return None
    return found
