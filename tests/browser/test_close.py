"""How a page goes away, and what the board sees of it."""

import pytest

pytestmark = pytest.mark.chromium


def test_closed_tab_is_1001(page, board, status):
    page.wait_for_picture()
    assert status()["clients"] == 1
    page.close()
    board.console.wait_for("lab: closed 1001\r\n")
    assert status()["clients"] == 0


def test_reload_is_1001_and_goes_on(page, board, status):
    page.wait_for_picture()
    page.reload()
    board.console.wait_for("lab: closed 1001\r\n")
    page.wait_for_state("live")
    page.wait_for_picture()
    assert status()["clients"] == 1


def test_two_tabs_then_none(open_page, board, status):
    one, other = open_page(), open_page()
    one.wait_for_picture()
    other.wait_for_picture()
    assert status()["clients"] == 2
    one.close()
    board.console.wait_for("lab: closed 1001\r\n")
    other.wait_for_picture()
    assert status()["clients"] == 1
    other.close()
    board.console.wait_for("lab: closed 1001\r\n")
    after = status()
    assert after["clients"] == 0
    assert after["counters"]["closes"] == {"1001": 2}


def test_echo_goes_with_the_tab(page, board):
    page.browser.type("echoText", "x")
    page.browser.wait_for_text("echoState", "x")
    page.close()
    for _ in ("camera", "echo"):
        board.console.wait_for("lab: closed 1001\r\n")


def test_board_that_stops_says_1001(page, board):
    page.browser.type("echoText", "x")
    page.browser.wait_for_text("echoState", "x")
    board.console.interrupt()
    page.browser.wait_for_text("echoState", "closed (1001)")
    page.wait_for_state("reconnecting")
