"""Headless Chromium, for tests of pages that the board serves.

Debian's `chromium` and `chromium-driver`, driven by Selenium. Not Playwright: that drives the one
build of Chromium it was released with, which it downloads from a place of its own, and brings
Node.js along. Debian builds driver and browser from one source, so they fit each other whenever
apt has installed them, and WebDriver is a W3C standard that other browsers answer too.

Nothing leaves the machine: no name but the loopback address resolves, and what the browser
nevertheless connects to is in its network log (`Browser.connected_to`).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from lab import LabError

SECONDS = 60.0  # that a wait may take, by the wall clock: the browser is outside of the simulation
POLL_SECONDS = 0.05
SCRIPT_SECONDS = 60
WINDOW = (1000, 1100)
FLAGS = (
    "--headless",
    "--no-sandbox",  # a container has no user namespaces, and the pages are our own
    "--disable-gpu",
    "--disable-dev-shm-usage",  # /dev/shm is 64 MB in many containers
    "--disable-quic",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-background-timer-throttling",  # a page's watchdog must run in every tab
    "--disable-renderer-backgrounding",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)

T = TypeVar("T")


class BrowserError(LabError):
    """What was waited for did not come, or there is no browser."""


def missing() -> str | None:
    """Why there is no browser here; None when there is."""
    for program in ("chromium", "chromedriver"):
        if shutil.which(program) is None:
            return f"{program} is not installed: `make browser` does that"
    try:
        import selenium  # noqa: F401
    except ImportError:
        return "the Python package selenium is not installed: `make` does that"
    return None


class Browser:
    """One Chromium with a profile of its own in `directory`. Raises BrowserError.

    `driver` is Selenium's, for whatever has no method here.
    """

    def __init__(self, directory: Path) -> None:
        if reason := missing():
            raise BrowserError(reason)
        from selenium import webdriver
        from selenium.common.exceptions import WebDriverException
        from selenium.webdriver.chrome.service import Service

        self._net_log = directory / "net-log.json"
        options = webdriver.ChromeOptions()
        options.binary_location = str(shutil.which("chromium"))
        for flag in FLAGS:
            options.add_argument(flag)
        options.add_argument(f"--window-size={WINDOW[0]},{WINDOW[1]}")
        options.add_argument(f"--user-data-dir={directory / 'profile'}")
        options.add_argument(f"--log-net-log={self._net_log}")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        service = Service(
            str(shutil.which("chromedriver")), log_output=str(directory / "driver.log")
        )
        try:
            self.driver = webdriver.Chrome(options=options, service=service)
        except WebDriverException as error:
            raise BrowserError(f"Chromium does not start: {error.msg}") from None
        self.driver.set_script_timeout(SCRIPT_SECONDS)
        self.driver.get("about:blank")
        self._home = self.driver.current_window_handle

    # --- tabs ---

    def open_tab(self, url: str) -> str:
        """A new tab with `url`, in front; returns its handle."""
        self.driver.switch_to.new_window("tab")
        self.driver.get(url)
        return self.driver.current_window_handle

    def show_tab(self, handle: str) -> None:
        """Act on this tab from now on."""
        self.driver.switch_to.window(handle)

    def close_tab(self, handle: str | None = None) -> None:
        """Close a tab (the front one), as its x does."""
        if handle:
            self.show_tab(handle)
        self.driver.close()
        self.show_tab(self._home)

    def close_tabs(self) -> None:
        """Close all that were opened."""
        for handle in self.driver.window_handles:
            if handle != self._home:
                self.close_tab(handle)

    def resize(self, width: int, height: int) -> None:
        """The front tab's size in CSS pixels, down to a phone's (a window can't be so narrow)."""
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
        )

    # --- the front tab ---

    def text(self, element_id: str) -> str:
        """What the element shows."""
        return str(self.run("return document.getElementById(arguments[0]).innerText", element_id))

    def click(self, element_id: str) -> None:
        """Click in the middle of it."""
        self.driver.find_element("id", element_id).click()

    def type(self, element_id: str, text: str, enter: bool = True) -> None:
        """Replace what an input holds, then press Enter."""
        field = self.driver.find_element("id", element_id)
        field.clear()
        field.send_keys(text + ("\n" if enter else ""))

    def choose(self, element_id: str, option: str) -> None:
        """The option with this text of a select element."""
        from selenium.webdriver.support.select import Select

        Select(self.driver.find_element("id", element_id)).select_by_visible_text(option)

    def run(self, script: str, *arguments: object) -> Any:
        """Run JavaScript; returns what it returns."""
        return self.driver.execute_script(script, *arguments)

    def run_async(self, body: str, *arguments: object) -> Any:
        """Run the body of an async function(args); returns what it resolves to. Raises
        BrowserError when it throws."""
        script = (
            "const done = arguments[arguments.length - 1];"
            "const args = Array.prototype.slice.call(arguments, 0, -1);"
            f"(async args => {{ {body} }})(args)"
            ".then(value => done({value: value === undefined ? null : value}),"
            " error => done({error: String(error)}));"
        )
        result = self.driver.execute_async_script(script, *arguments)
        if "error" in result:
            raise BrowserError(f"the script failed: {result['error']}")
        return result["value"]

    def wait_until(self, condition: Callable[[], T], what: str, timeout: float = SECONDS) -> T:
        """The first true value of `condition()`. Raises BrowserError with `what` after `timeout`
        seconds of the wall clock."""
        from selenium.common.exceptions import TimeoutException
        from selenium.webdriver.support.ui import WebDriverWait

        wait = WebDriverWait(self.driver, timeout, POLL_SECONDS)
        try:
            return wait.until(lambda driver: condition())
        except TimeoutException:
            raise BrowserError(
                f"{what}: not within {timeout:g} s; the page says: {self._page_text()!r}"
            ) from None

    def wait_for_text(self, element_id: str, text: str, timeout: float = SECONDS) -> None:
        """Until the element shows `text` somewhere. Raises BrowserError."""
        self.wait_until(
            lambda: text in self.text(element_id), f"{text!r} in #{element_id}", timeout
        )

    def _page_text(self) -> str:
        return str(self.run("return document.body ? document.body.innerText : ''"))

    def errors(self) -> list[str]:
        """What the page has put on the browser's console as an error since the last call,
        lost connections aside."""
        log: list[dict[str, Any]] = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        return [
            entry["message"]
            for entry in log
            if entry["level"] == "SEVERE" and entry.get("source") != "network"
        ]

    def screenshot(self, path: Path) -> None:
        """The front tab as PNG."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if not self.driver.save_screenshot(str(path)):
            raise BrowserError(f"{path} can't be written")

    # --- the end ---

    def quit(self) -> None:
        """End it; harmless twice."""
        self.driver.quit()

    def connected_to(self) -> set[str]:
        """The peers (address:port) of all its TCP connections, after `quit`."""
        log = json.loads(self._net_log.read_text())
        attempt = log["constants"]["logEventTypes"]["TCP_CONNECT_ATTEMPT"]
        return {
            event["params"]["address"]
            for event in log["events"]
            if event["type"] == attempt and "address" in event.get("params", {})
        }
