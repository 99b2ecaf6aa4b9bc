"""The camera this board has: the C module of ESP32-CAM builds, a VC0706, or a test card.

Each has a `name`, `await capture()`, which returns a JPEG, and `interval_ms` to wait between two
of them; `set_size` (one of `sizes`) and `set_compression` where the part can.
"""

import machine
from vc0706 import SIZES, VC0706, CameraError

CARD = "testcard.jpg"
MARK = b"frame "  # in a comment of the card: six digits follow
CAMERA_UART, TX, RX = 2, 17, 16
COMPRESSION = 128  # 3 to 4 KB a frame: about three a second at 115200 baud


class TestCard:
    """The picture on flash, with the frame number in its JPEG comment."""

    name = "test card"
    interval_ms = 100

    def __init__(self):
        with open(CARD, "rb") as file:
            self._picture = file.read()
        self._at = self._picture.find(MARK) + len(MARK)
        self._number = 0

    async def capture(self):
        self._number += 1
        picture = bytearray(self._picture)
        picture[self._at : self._at + 6] = b"%06d" % (self._number % 1000000)
        return picture


class ModuleCamera:
    """`camera` in C, as firmware builds for the ESP32-CAM have it."""

    name = "camera module"
    interval_ms = 0

    def __init__(self, module):
        self._module = module
        module.init(0, format=module.JPEG)

    async def capture(self):
        picture = self._module.capture()
        if not picture:
            raise CameraError("the camera module gets no picture")
        return picture


class SerialCamera(VC0706):
    """A VC0706 on UART2."""

    name = "VC0706"
    sizes = SIZES
    interval_ms = 0  # its wire is slow enough


async def find():
    """The camera of this board."""
    try:
        import camera
    except ImportError:
        pass
    else:
        return ModuleCamera(camera)
    uart = machine.UART(CAMERA_UART, 115200, tx=TX, rx=RX, rxbuf=4096)
    serial = SerialCamera(uart)
    try:
        await serial.start()
        await serial.set_size(160, 120)
        await serial.set_compression(COMPRESSION)
    except CameraError:
        return TestCard()
    return serial
