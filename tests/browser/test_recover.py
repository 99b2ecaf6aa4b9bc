"""The page and a board that vanishes: it says so, and comes back by itself."""

import pytest

from lab.browser import SECONDS
from lab.camera_page import IMPATIENT_MS

pytestmark = pytest.mark.chromium


@pytest.fixture
def page(open_page):
    """A page that soon takes a silent board for gone. On a slow machine it may err: it says so and
    comes back, which is what these tests wait for anyway."""
    return open_page(IMPATIENT_MS)


def test_power_cut_in_mid_stream(page, board, status):
    page.wait_for_picture()
    board.power_cycle()
    page.wait_for_state("reconnecting")
    page.wait_for_state("live")
    page.wait_for_picture()
    page.browser.wait_for_text("camera", "VC0706")
    page.browser.wait_until(lambda: status()["clients"] == 1, "the lost client to be forgotten")


def test_pulled_cable(page, board, status):
    page.wait_for_picture()
    board.set_link(False)
    page.wait_for_state("reconnecting")
    board.set_link(True)
    page.wait_for_state("live")
    page.wait_for_picture()
    page.browser.wait_until(lambda: status()["clients"] == 1, "the lost client to be forgotten")


def test_server_that_stops_and_starts_again(page, board):
    page.wait_for_picture()
    board.console.interrupt(SECONDS)
    page.wait_for_state("reconnecting")
    board.console.write(b"import machine; machine.soft_reset()\r")
    page.wait_for_state("live")
    page.wait_for_picture()
    assert board.events == []
