"""What a person sees and does on the camera's page."""

import re
from pathlib import Path

import pytest

from hw.camera.wiring import LED_GPIO
from lab.browser import SECONDS
from lab.flash import APP

pytestmark = pytest.mark.chromium
RESULTS = Path(__file__).resolve().parents[2] / "results" / "browser"


def test_page_is_small_and_needs_nothing_else():
    text = (APP / "index.html").read_text()
    assert len(text.encode()) < 8192
    assert not re.search(r"(src|href)=|@import|//[a-z]", text.replace(".src =", ""))


def test_picture_decodes_and_advances(page, board):
    first = page.wait_for_picture()
    assert (first.width, first.height) == (160, 120)
    second = page.wait_for_picture()
    assert second.checksum != first.checksum
    assert board.events == []


def test_camera_is_named(page):
    page.browser.wait_for_text("camera", "VC0706")


def test_led_click_changes_the_pin_and_every_tab(open_page, board):
    one, other = open_page(), open_page()
    for on in (True, False):
        one.browser.click("led")
        board.wait_for_gpio(LED_GPIO, on, SECONDS)
        one.wait_for_led(on)
        other.wait_for_led(on)


def test_led_that_is_on_shows_in_a_new_tab(page, open_page, board):
    page.browser.click("led")
    board.wait_for_gpio(LED_GPIO, True, SECONDS)
    open_page().wait_for_led(True)


def test_message_reaches_the_console_and_every_tab(open_page, wait_for_line):
    one, other = open_page(), open_page()
    one.browser.type("text", "grüße, 世界 <b>&amp;</b>")
    wait_for_line("lab: message: grüße, 世界 <b>&amp;</b>")
    for page in (one, other):
        page.wait_for_log("< grüße, 世界 <b>&amp;</b>")


def test_echo_shows(page):
    for text in ("first", "second, on the same connection: ☺"):
        page.browser.type("echoText", text)
        page.browser.wait_for_text("echoState", text)


def test_size_makes_bigger_pictures(page, board):
    page.wait_for_picture(160)
    for width, height in (320, 240), (160, 120):
        page.browser.choose("size", f"{width}x{height}")
        assert page.wait_for_picture(width).height == height
    assert "Traceback" not in board.console.text


def test_size_shows_in_a_new_tab(page, open_page):
    page.browser.choose("size", "320x240")
    page.wait_for_picture(320)
    other = open_page()
    other.wait_for_picture(320)
    assert other.browser.run("return document.getElementById('size').value") == "320x240"


def test_commands_that_the_board_refuses_are_shown(page):
    page.browser.run("say({size: '1x1'}); say({compression: 256}); say({dance: true}); say([1])")
    for why in ("no such size: 1x1", "compression is 0 to 255, not 256", "no such command: dance",
                "a command is a JSON object with one key"):  # fmt: skip
        page.wait_for_log("! " + why)


@pytest.mark.parametrize("width", [400, 1000])
def test_page_fits(page, width):
    page.browser.wait_until(lambda: page.browser.text("rate") != "–", "a frame rate")
    page.browser.click("led")
    page.wait_for_led(True)
    page.browser.type("text", "the quick brown fox jumps over the lazy dog, again and again")
    page.wait_for_log("< the quick brown fox jumps over the lazy dog, again and again")
    page.browser.type("echoText", "back again")
    page.browser.wait_for_text("echoState", "back again")
    page.browser.resize(width, 950)
    page.wait_for_picture()
    page.browser.screenshot(RESULTS / f"page-{width}px.png")
    assert page.browser.run("return document.documentElement.scrollWidth") <= width
