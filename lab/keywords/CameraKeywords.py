"""The camera: what its sensor looks at, and the pictures that arrive."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageColor
from robot.api.deco import keyword, library
from robot.libraries.BuiltIn import BuiltIn

from hw.camera.scene import SceneError, encode, scene
from lab.capabilities import Capability, needs, require
from lab.keywords.bench import bench

NUMBER = re.compile(rb"frame (\d{6})")
TOLERANCE = 40  # of 255, in each of red, green and blue: JPEG is not exact


class Wall:
    """A wall of one colour."""

    def __init__(self, colour: str) -> None:
        self.name = f"a {colour} wall"
        self._rgb = ImageColor.getrgb(colour)

    def jpeg(self, frame: int, seconds: float, size: tuple[int, int], quality: int) -> bytes:
        return encode(Image.new("RGB", size, self._rgb), quality, f"frame {frame:06d}")


@dataclass(frozen=True)
class Picture:
    """A JPEG that decodes. number: of the sensor's frame, where the picture tells it."""

    data: bytes
    width: int
    height: int
    number: int | None

    def __str__(self) -> str:
        return f"{self.width}x{self.height}, {len(self.data)} bytes, frame {self.number}"


@library(scope="SUITE", auto_keywords=False)
class CameraKeywords:
    """The sensor sees a test card with frame number and time until it is told otherwise."""

    @keyword
    @needs(Capability.SCENE)
    def camera_looks_at(self, what: str) -> None:
        """From the next frame on: ``card`` (the test card), a colour (``red``, ``#80ff00``), or
        the path of an image or of a folder of images."""
        require(bench.target, Capability.SCENE)
        if bench.camera is None:
            raise AssertionError("the board has no camera")
        try:
            bench.camera.scene = Wall(what)
        except ValueError:  # no colour
            try:
                bench.camera.scene = scene(what)
            except SceneError as error:
                raise AssertionError(str(error)) from None

    @keyword
    def next_picture(self, name: str = "default", timeout: float = 30) -> Picture:
        """The next picture that a WebSocket client gets: binary, and decoded to the last block."""
        clients: Any = BuiltIn().get_library_instance("lab.keywords.WebSocketKeywords")
        frame = clients.client(name).take(lambda f: f.opcode in (2, 8), timeout)
        if frame.opcode != 2:
            raise AssertionError(f"instead of a picture came: {frame}")
        data = frame.payload
        try:
            with Image.open(io.BytesIO(data)) as image:
                image.load()
                found = NUMBER.search(data)
                return Picture(data, *image.size, int(found[1]) if found else None)
        except OSError as error:
            raise AssertionError(f"the picture does not decode: {error}") from None

    @keyword
    def picture_should_be_newer(self, picture: Picture, older: Picture) -> None:
        """Its frame number is higher."""
        if picture.number is None or older.number is None:
            require(bench.target, Capability.SCENE)  # a real camera numbers nothing
        if picture.number is None or older.number is None or picture.number <= older.number:
            raise AssertionError(f"{picture} is not newer than {older}")

    @keyword
    def picture_should_show(self, picture: Picture, colour: str) -> None:
        """The picture is of that colour, on the whole."""
        with Image.open(io.BytesIO(picture.data)) as image:
            small = image.convert("RGB").resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
        wanted = ImageColor.getrgb(colour)
        assert isinstance(small, tuple)
        if any(abs(have - want) > TOLERANCE for have, want in zip(small, wanted, strict=False)):
            raise AssertionError(f"the picture is {small}, not {colour} {wanted}")
