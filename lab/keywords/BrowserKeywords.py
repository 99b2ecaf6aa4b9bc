"""A real browser (headless Chromium) with the camera board's page."""

from __future__ import annotations

import base64
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from robot.api import SkipExecution, logger
from robot.api.deco import keyword, library

from lab import browser
from lab.browser import Browser
from lab.camera_page import PATIENT_MS, CameraPage, Picture
from lab.keywords.bench import bench

RESULTS = Path(__file__).resolve().parents[2] / "results" / "browser"
LEVELS = {"on": True, "off": False}


@library(scope="SUITE", auto_keywords=False)
class BrowserKeywords:
    """Pages have names, ``default`` when none is given; each is a tab of one Chromium. They are
    closed when the test ends. When it has failed, they are in its log as pictures.

    The browser is a program of this machine: the board must be on the ``gateway``. Waits end
    after 60 seconds of the wall clock.
    """

    ROBOT_LISTENER_API_VERSION = 3

    def __init__(self) -> None:
        self.ROBOT_LIBRARY_LISTENER = self
        self._browser: Browser | None = None
        self._directory: str | None = None
        self._pages: dict[str, CameraPage] = {}

    # --- Robot's listener calls ---

    def end_test(self, data: Any, result: Any) -> None:
        """Pictures of a failed test's pages; then close them."""
        for name in list(self._pages):
            if result.failed:
                self.take_screenshot(f"{result.name} {name}", name)
        if self._browser:
            self._browser.close_tabs()
        self._pages.clear()

    def end_suite(self, data: Any, result: Any) -> None:
        """Nothing stays behind."""
        if self._browser:
            self._browser.quit()
            self._browser = None
        if self._directory:
            shutil.rmtree(self._directory, ignore_errors=True)

    # --- tabs ---

    @keyword
    def skip_without_chromium(self) -> None:
        """Skip the suite (or the test), with the reason, where there is no Chromium."""
        if reason := browser.missing():
            raise SkipExecution(reason)

    @keyword
    def open_camera_page(self, name: str = "default", silence: int = PATIENT_MS) -> None:
        """A new tab with the board's page; waits until it is live.

        ``silence``: ms after which the page gives up on a silent board: a minute, so that a slow
        machine is no reason. Pulled cables want less.
        """
        if bench.network != "gateway":
            raise AssertionError("a browser needs the gateway: `Requires`  serving  gateway")
        if self._browser is None:
            self._directory = tempfile.mkdtemp(prefix="lab-chromium-")
            self._browser = Browser(Path(self._directory))
        url = "http://{}:{}/".format(*bench.address)
        self._pages[name] = CameraPage(self._browser, url, silence)
        self._pages[name].wait_for_state("live")
        bench.note(f"{name}: page open")

    @keyword
    def close_camera_page(self, name: str = "default") -> None:
        """Close the tab."""
        self._page(name).close()
        del self._pages[name]
        bench.note(f"{name}: page closed")

    @keyword
    def reload_camera_page(self, name: str = "default") -> None:
        """As F5."""
        self._page(name).reload()

    def _page(self, name: str) -> CameraPage:
        if name not in self._pages:
            raise AssertionError(f"no page {name!r} is open")
        return self._pages[name]

    # --- what a person does ---

    @keyword
    def click_on_page(self, element: str, name: str = "default") -> None:
        """Click on the element with this id: ``led``."""
        self._page(name).browser.click(element)

    @keyword
    def type_on_page(self, element: str, text: str, name: str = "default") -> None:
        """Type into the input with this id (``text``, ``echoText``), then Enter."""
        self._page(name).browser.type(element, text)

    @keyword
    def choose_on_page(self, element: str, option: str, name: str = "default") -> None:
        """Choose an option of the list with this id: ``size``."""
        self._page(name).browser.choose(element, option)

    # --- what a person sees ---

    @keyword
    def wait_for_page_state(self, state: str, name: str = "default") -> None:
        """``live``, ``reconnecting`` or ``connecting``."""
        self._page(name).wait_for_state(state)
        bench.note(f"{name}: {state}")

    @keyword
    def wait_for_new_picture(self, width: int | None = None, name: str = "default") -> Picture:
        """A picture that the page has not shown before, decoded and in place; ``width``: in
        pixels. Returns it, with ``width``, ``height`` and ``checksum`` of its pixels."""
        return self._page(name).wait_for_picture(width)

    @keyword
    def wait_for_text_on_page(self, element: str, text: str, name: str = "default") -> None:
        """The element with this id shows the text: ``camera``, ``echoState``, ``log``."""
        self._page(name).browser.wait_for_text(element, text)

    @keyword(name="Wait For LED Button")
    def wait_for_led_button(self, state: str, name: str = "default") -> None:
        """The button shows that the LED is ``on`` or ``off``."""
        if state not in LEVELS:
            raise AssertionError(f"an LED is on or off, not {state!r}")
        self._page(name).wait_for_led(LEVELS[state])

    @keyword
    def take_screenshot(self, title: str, name: str = "default") -> None:
        """The page as a picture in the log, and as a file in results/browser."""
        slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
        path = RESULTS / f"robot-{slug}.png"
        self._page(name).browser.screenshot(path)
        data = base64.b64encode(path.read_bytes()).decode()
        logger.info(f'<img width="500" src="data:image/png;base64,{data}">', html=True)
