"""What the camera's sensor looks at: a test card, an image, or the images of a folder."""

from __future__ import annotations

import functools
import io
from pathlib import Path
from typing import Protocol

from PIL import Image, ImageDraw, ImageFont, UnidentifiedImageError

SUFFIXES = {".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp"}
BARS = ("white", "yellow", "cyan", "lime", "magenta", "red", "blue")


class SceneError(Exception):
    """A picture can't be had; the text names the file and what is wrong with it."""


class Scene(Protocol):
    """A view that may change from frame to frame. Two calls alike give the same bytes."""

    name: str

    def jpeg(self, frame: int, seconds: float, size: tuple[int, int], quality: int) -> bytes:
        """Frame number `frame`, taken `seconds` after the sensor got its power, as a baseline
        JPEG of `size` (width, height) pixels at `quality` (1..95, Pillow's scale)."""


def encode(image: Image.Image, quality: int, comment: str = "") -> bytes:
    """`image` as baseline JPEG, with a COM segment if there is a `comment`."""
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality, subsampling="4:2:0", comment=comment.encode())
    return out.getvalue()


class TestCard:
    """Colour bars, the frame number, the time, and a hand that goes round once a second.

    The frame number stands in a comment of the JPEG too, in six digits, for programs."""

    __test__ = False  # no class of tests, pytest
    name = "test card"

    def jpeg(self, frame: int, seconds: float, size: tuple[int, int], quality: int) -> bytes:
        width, height = size
        image = Image.new("RGB", size, "black")
        draw = ImageDraw.Draw(image)
        split = height * 2 // 3
        for n, colour in enumerate(BARS):
            draw.rectangle(
                (n * width // len(BARS), 0, (n + 1) * width // len(BARS) - 1, split), fill=colour
            )
        radius = height // 4
        left, top = width - 2 * radius - 4, 4
        dial = (left, top, left + 2 * radius, top + 2 * radius)
        draw.ellipse(dial, fill="black", outline="white")
        start = 360 * (seconds % 1) - 90
        draw.pieslice(dial, start, start + 30, fill="white")
        font = ImageFont.load_default(size=(height - split) * 2 // 5)
        draw.text((4, split + 2), f"frame {frame}", fill="white", font=font)
        draw.text((4, (split + height) // 2), f"{seconds:.2f} s", fill="white", font=font)
        return encode(image, quality, f"frame {frame:06d}")


class Picture:
    """One image file, scaled to fill the frame. Raises SceneError."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        try:
            with Image.open(path) as image:
                self._image = image.convert("RGB")
        except UnidentifiedImageError:
            raise SceneError(f"{path} is no image that can be read (JPEG, PNG, ...)") from None
        except OSError as error:
            raise SceneError(f"{path}: {error.strerror or error}") from None

    def jpeg(self, frame: int, seconds: float, size: tuple[int, int], quality: int) -> bytes:
        return self._encoded(size, quality)

    @functools.lru_cache(8)  # noqa: B019 (a picture lives as long as the lab)
    def _encoded(self, size: tuple[int, int], quality: int) -> bytes:
        return encode(self._image.resize(size), quality)


class Folder:
    """The images of a folder by name, one each `seconds_each`. Raises SceneError."""

    def __init__(self, path: Path, seconds_each: float = 1.0) -> None:
        self.name = str(path)
        files = sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES)
        if not files:
            raise SceneError(f"{path} has no images ({', '.join(sorted(SUFFIXES))})")
        self._pictures = [Picture(file) for file in files]
        self._each = seconds_each

    def jpeg(self, frame: int, seconds: float, size: tuple[int, int], quality: int) -> bytes:
        picture = self._pictures[int(seconds / self._each) % len(self._pictures)]
        return picture.jpeg(frame, seconds, size, quality)


def scene(source: str | None) -> Scene:
    """None or ``card``: the test card; else the path of an image or a folder of images.

    Raises SceneError.
    """
    if source in (None, "", "card"):
        return TestCard()
    path = Path(str(source)).expanduser()
    if path.is_dir():
        return Folder(path)
    if not path.exists():
        raise SceneError(f"{path}: no such file or folder (`card` is the test card)")
    return Picture(path)
