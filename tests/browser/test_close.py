"""How a page goes away, and what the board sees of it."""

import pytest

from lab.browser import SECONDS

pytestmark = pytest.mark.chromium


def test_closed_tab_is_1001(page, wait_for_line, status):
    page.wait_for_picture()
    assert status()["clients"] == 1
    page.close()
    wait_for_line("lab: closed 1001")
    assert status()["clients"] == 0


def test_reload_is_1001_and_goes_on(page, wait_for_line, status):
    page.wait_for_picture()
    page.reload()
    wait_for_line("lab: closed 1001")
    page.wait_for_state("live")
    page.wait_for_picture()
    assert status()["clients"] == 1


def test_two_tabs_then_none(open_page, wait_for_line, status):
    one, other = open_page(), open_page()
    one.wait_for_picture()
    other.wait_for_picture()
    assert status()["clients"] == 2
    one.close()
    wait_for_line("lab: closed 1001")
    other.wait_for_picture()
    assert status()["clients"] == 1
    other.close()
    wait_for_line("lab: closed 1001")
    after = status()
    assert after["clients"] == 0
    assert after["counters"]["closes"] == {"1001": 2}


def test_echo_goes_with_the_tab(page, wait_for_line):
    page.browser.type("echoText", "x")
    page.browser.wait_for_text("echoState", "x")
    page.close()
    for _ in ("camera", "echo"):
        wait_for_line("lab: closed 1001")


def test_board_that_stops_says_1001(page, board):
    page.browser.type("echoText", "x")
    page.browser.wait_for_text("echoState", "x")
    board.console.interrupt(SECONDS)
    page.browser.wait_for_text("echoState", "closed (1001)")
    page.wait_for_state("reconnecting")
