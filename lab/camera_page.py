"""The camera board's page (hw/camera/app/index.html) as a test sees it in a browser."""

from __future__ import annotations

from dataclasses import dataclass

from lab.browser import Browser

# how long the page bears silence before it takes the board for gone (8000 ms for people)
PATIENT_MS = 60_000  # a slow machine is no reason
IMPATIENT_MS = 1500  # for tests of just that


@dataclass(frozen=True)
class Picture:
    """What the page shows: size in pixels as decoded, and a sum over the pixels drawn."""

    width: int
    height: int
    checksum: int


class CameraPage:
    """One tab of `browser` with the page at `url`. Raises BrowserError.

    Every method brings the tab to the front first.
    """

    def __init__(self, browser: Browser, url: str, silence_ms: int = PATIENT_MS) -> None:
        self._browser = browser
        self.handle = browser.open_tab(f"{url}?silence={silence_ms}")

    @property
    def browser(self) -> Browser:
        """With this tab in front."""
        self._browser.show_tab(self.handle)
        return self._browser

    # --- what it shows ---

    @property
    def state(self) -> str:
        """``connecting``, ``live`` or ``reconnecting``."""
        return self.browser.text("state")

    @property
    def camera(self) -> str:
        """The name of the camera."""
        return self.browser.text("camera")

    @property
    def led(self) -> bool:
        """Does the LED's button look pressed?"""
        script = "return document.getElementById('led').getAttribute('aria-pressed')"
        return bool(self.browser.run(script) == "true")

    @property
    def frames(self) -> int:
        """How many pictures it has shown since it was loaded."""
        return int(self.browser.text("frames"))

    @property
    def picture(self) -> Picture:
        """The picture it shows now."""
        script = """
            const image = document.getElementById('picture');
            if (!image.naturalWidth) return [0, 0, 0];
            const canvas = document.createElement('canvas');
            canvas.width = image.naturalWidth;
            canvas.height = image.naturalHeight;
            const context = canvas.getContext('2d');
            context.drawImage(image, 0, 0);
            const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
            let sum = 0;
            for (const value of pixels) sum = (sum * 31 + value) % 0x7fffffff;
            return [canvas.width, canvas.height, sum];
        """
        return Picture(*self.browser.run(script))

    @property
    def log(self) -> list[str]:
        """The lines of its message box."""
        return self.browser.text("log").splitlines()

    # --- what it waits for ---

    def wait_for_state(self, state: str) -> None:
        """Until it shows `state`."""
        self.browser.wait_until(lambda: self.state == state, f"the page's state {state!r}")

    def wait_for_picture(self, width: int | None = None) -> Picture:
        """A picture that it has not shown before, `width` pixels wide if given."""
        before = self.frames

        def fresh() -> Picture | None:
            if self.frames == before:
                return None
            picture = self.picture
            return picture if width in (None, picture.width) else None

        found = self.browser.wait_until(fresh, f"a new picture, {width or 'any number of'} wide")
        assert found  # wait_until returns nothing false
        return found

    def wait_for_led(self, on: bool) -> None:
        """Until the LED's button shows it."""
        self.browser.wait_until(lambda: self.led == on, f"the LED's button {'on' if on else 'off'}")

    def wait_for_log(self, line: str) -> None:
        """Until the message box has this line."""
        self.browser.wait_until(lambda: line in self.log, f"{line!r} in the message box")

    # --- what a person does ---

    def reload(self) -> None:
        """As F5."""
        self.browser.driver.refresh()

    def close(self) -> None:
        """Close the tab."""
        self._browser.close_tab(self.handle)
