"""A Chromium for each worker, and the pages of the board in it."""

import json
import urllib.request

import pytest

from lab.browser import SECONDS, Browser, missing
from lab.camera_page import PATIENT_MS, CameraPage


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    if reason := missing():
        pytest.skip(reason)
    chromium = Browser(tmp_path_factory.mktemp("chromium"))
    yield chromium
    chromium.quit()


@pytest.fixture
def browser(chromium, board):
    """Chromium without tabs of an earlier test. No page may have had an error."""
    chromium.errors()
    yield chromium
    errors = chromium.errors()
    chromium.close_tabs()
    assert errors == []


@pytest.fixture
def open_page(browser, url):
    """A function that opens the camera's page in a tab and waits until it is live."""

    def open_page(silence_ms=PATIENT_MS):
        page = CameraPage(browser, url, silence_ms)
        page.wait_for_state("live")
        return page

    return open_page


@pytest.fixture
def page(open_page):
    """The camera's page, live."""
    return open_page()


@pytest.fixture
def wait_for_line(board):
    """A function that waits for a line on the board's console."""
    return lambda line: board.console.wait_for(line + "\r\n", SECONDS)


@pytest.fixture
def status(url):
    """A function: what the board's /status says now."""

    def fetch():
        with urllib.request.urlopen(url + "status", timeout=SECONDS) as answer:
            return json.load(answer)

    return fetch
