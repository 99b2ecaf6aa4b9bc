"""Pictures from the camera to everybody who watches, each at the pace of its link."""

try:
    import asyncio
except ImportError:  # MicroPython before v1.21
    import uasyncio as asyncio
import time

import cameras

RETRY_MS = 1000  # after the camera has failed


class Stream:
    """Captures while somebody watches. `frames`: captured so far; `error`: of the last try."""

    def __init__(self):
        self.camera = None
        self.frames = 0
        self.captured_ms = 0  # how long the last frame took
        self.error = None
        self._picture = None
        self._watchers = []
        self._changed = asyncio.Event()
        self._before = []  # what is to be done between two frames

    async def run(self):
        """The camera's task: never ends."""
        self.camera = await cameras.find()
        print("lab: camera: " + self.camera.name)
        while True:
            if not self._watchers:
                self._changed.clear()
                await self._changed.wait()
            try:
                while self._before:
                    await self._before.pop(0)()
                start = time.ticks_ms()
                self._picture = await self.camera.capture()
                self.captured_ms = time.ticks_diff(time.ticks_ms(), start)
                self.frames += 1
                self.error = None
            except cameras.CameraError as error:
                self.error = str(error.args[0])
                await asyncio.sleep_ms(RETRY_MS)
                continue
            for watcher in self._watchers:
                watcher.set()
            await asyncio.sleep_ms(self.camera.interval_ms)

    def between_frames(self, function):
        """Call `await function()` when the camera is free. Its errors become `error`."""
        self._before.append(function)
        self._changed.set()

    @property
    def watchers(self):
        """How many watch."""
        return len(self._watchers)

    async def watch(self, send):
        """`await send(picture)` for each new frame, until it raises; a slow one misses some."""
        new = asyncio.Event()
        self._watchers.append(new)
        self._changed.set()
        try:
            while True:
                await new.wait()
                new.clear()
                await send(self._picture)
        finally:
            self._watchers.remove(new)
