"""Chromium itself talks to nobody but the board."""

import pytest

from lab.browser import Browser, missing
from lab.camera_page import CameraPage

pytestmark = pytest.mark.chromium


def test_connects_to_loopback_only(tmp_path, board, url):
    if reason := missing():
        pytest.skip(reason)
    browser = Browser(tmp_path)
    try:
        CameraPage(browser, url).wait_for_picture()
    finally:
        browser.quit()
    peers = browser.connected_to()
    assert url.split("/")[2] in peers
    assert {peer.rpartition(":")[0] for peer in peers} == {"127.0.0.1"}
