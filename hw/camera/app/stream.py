"""Pictures from the camera to everybody who watches, each at the pace of its link."""

try:
    import asyncio
except ImportError:  # MicroPython before v1.21
    import uasyncio as asyncio
import gc
import time

import cameras

RETRY_MS = 1000  # after the camera has failed


class _Watcher:
    """Who watches: the newest picture that it has not taken yet."""

    def __init__(self):
        self._picture = None
        self._new = asyncio.Event()

    def give(self, picture):
        self._picture = picture
        self._new.set()

    async def take(self):
        await self._new.wait()
        self._new.clear()
        picture, self._picture = self._picture, None
        return picture


class Stream:
    """Captures while somebody watches. `frames`: captured so far; `error`: of the last try."""

    def __init__(self):
        self.camera = None
        self.frames = 0
        self.captured_ms = 0  # how long the last frame took
        self.error = None
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
                picture = await self.camera.capture()
                self.captured_ms = time.ticks_diff(time.ticks_ms(), start)
                self.frames += 1
                self.error = None
            except (cameras.CameraError, MemoryError) as error:
                self.error = str(error.args[0])
                await asyncio.sleep_ms(RETRY_MS)
                continue
            for watcher in self._watchers:
                watcher.give(picture)
            picture = None
            gc.collect()  # a big picture needs its room in one piece
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
        watcher = _Watcher()
        self._watchers.append(watcher)
        self._changed.set()
        try:
            while True:
                await send(await watcher.take())
        finally:
            self._watchers.remove(watcher)
