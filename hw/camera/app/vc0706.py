"""Driver of the VC0706 serial JPEG camera, for asyncio (Vimicro, "VC0706 Control Protocol")."""

try:
    import asyncio
except ImportError:  # MicroPython before v1.21
    import uasyncio as asyncio

SIZES = {(640, 480): 0x00, (320, 240): 0x11, (160, 120): 0x22}
BAUD_CODES = {9600: 0xAEC8, 19200: 0x56E4, 38400: 0x2AF2, 57600: 0x1C4C, 115200: 0x0DA6}
PROBED = (115200, 38400)  # where a reset of the board left it; after power-on
ANSWER_MS = 200
READY_MS = 4000  # from power-on to the first frame, at most
CHUNK = 2048  # bytes of a frame asked for at once: they must fit into the UART's buffer
NOT_NOW = 4
LONGEST = 4 + 255  # bytes of a command


class CameraError(Exception):
    """The camera does not answer, or says no."""


class VC0706:
    """A camera on `uart`, which must have a receive buffer of at least 4096 bytes."""

    def __init__(self, uart, baudrate=115200):
        self._uart = uart
        self._reader = asyncio.StreamReader(uart)
        self._baudrate = baudrate

    async def start(self):
        """Find the camera and agree on the speed. Raises CameraError when there is none."""
        for baudrate in PROBED:
            self._uart.init(baudrate=baudrate)
            try:
                await self._command(0x11)
            except CameraError:
                continue
            if baudrate != self._baudrate:
                code = BAUD_CODES[self._baudrate]
                await self._command(0x24, bytes((1, code >> 8, code & 255)))
                self._uart.init(baudrate=self._baudrate)
                await self._command(0x11)
            return
        raise CameraError("no camera answers")

    async def set_size(self, width, height):
        """640x480, 320x240 or 160x120 from the next frame on."""
        if (width, height) not in SIZES:
            raise CameraError("no such size: %dx%d" % (width, height))
        await self._command(0x54, bytes((SIZES[(width, height)],)))

    async def set_compression(self, ratio):
        """0 (best) to 255 (smallest)."""
        await self._command(0x31, bytes((1, 1, 0x12, 0x04, ratio)))

    async def capture(self):
        """The frame of this moment, JPEG in a bytearray. Raises CameraError."""
        await self._freeze()
        try:
            length = int.from_bytes(await self._command(0x34, b"\0"), "big")
            padded = (length + 7) & ~7  # frames lie in its memory in units of 8 bytes
            frame = bytearray(padded)
            view = memoryview(frame)
            at = 0
            while at < padded:
                size = min(CHUNK, padded - at)
                await self._read(at, view[at : at + size])
                at += size
        except Exception:  # not KeyboardInterrupt: what is sent now could fail, and hide it
            await self._resume()
            raise
        await self._resume()
        return view[:length]

    async def _resume(self):
        await self._command(0x36, b"\x02")

    async def _freeze(self):
        """Hold the current frame; after power-on that takes a while."""
        for _ in range(READY_MS // 100):
            try:
                await self._command(0x36, b"\0")
                return
            except CameraError as error:
                if error.args[-1] != NOT_NOW:
                    raise
            await asyncio.sleep_ms(100)  # its only sign of being ready is that it says yes
        raise CameraError("the camera gets no picture")

    async def _read(self, at, view):
        self._flush()
        self._uart.write(
            b"\x56\0\x32\x0c\0\x0a"
            + at.to_bytes(4, "big")
            + len(view).to_bytes(4, "big")
            + b"\0\x0a"
        )
        await self._head(0x32)
        got = 0
        while got < len(view):
            count = await self._within(self._reader.readinto(view[got:]))
            if not count:
                raise CameraError("the camera stopped in mid-frame")
            got += count
        await self._head(0x32)

    async def _command(self, command, data=b""):
        """Send a command; returns the data of its answer. Raises CameraError."""
        self._flush()
        self._uart.write(bytes((0x56, 0, command, len(data))) + data)
        size = await self._head(command)
        return await self._exactly(size) if size else b""

    async def _head(self, command):
        """The head of an answer; what a resetting camera says before it is skipped."""
        head = await self._exactly(5)
        for _ in range(256):
            if head[:3] == bytes((0x76, 0, command)):
                break
            head = head[1:] + await self._exactly(1)
        else:
            raise CameraError("noise instead of an answer")
        if head[3]:
            raise CameraError("the camera refuses command 0x%02x" % command, head[3])
        return head[4]

    async def _exactly(self, count):
        return await self._within(self._reader.readexactly(count))

    async def _within(self, reading):
        try:
            return await asyncio.wait_for(reading, ANSWER_MS / 1000)
        except (asyncio.TimeoutError, EOFError):
            # noise may have made a command longer: end it, or it takes those that follow
            self._uart.write(bytes(LONGEST))
            raise CameraError("the camera does not answer")

    def _flush(self):
        while self._uart.any():
            self._uart.read()
