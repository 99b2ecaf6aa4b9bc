"""What a person sees and does on the camera's page."""

from pathlib import Path

import pytest

from hw.camera.wiring import LED_GPIO

pytestmark = pytest.mark.chromium
RESULTS = Path(__file__).resolve().parents[2] / "results" / "browser"


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
        board.wait_for_gpio(LED_GPIO, on)
        one.wait_for_led(on)
        other.wait_for_led(on)


def test_led_that_is_on_shows_in_a_new_tab(page, open_page, board):
    page.browser.click("led")
    board.wait_for_gpio(LED_GPIO, True)
    open_page().wait_for_led(True)


def test_message_reaches_the_console_and_every_tab(open_page, board):
    one, other = open_page(), open_page()
    one.browser.type("text", "grüße, 世界 <b>&amp;</b>")
    board.console.wait_for("lab: message: grüße, 世界 <b>&amp;</b>\r\n")
    for page in (one, other):
        page.wait_for_log("< grüße, 世界 <b>&amp;</b>")


def test_echo_shows(page):
    for text in ("first", "second, on the same connection: ☺"):
        page.browser.type("echoText", text)
        page.browser.wait_for_text("echoState", text)


def test_size_makes_bigger_pictures(page):
    page.wait_for_picture(160)
    page.browser.choose("size", "320x240")
    assert page.wait_for_picture(320).height == 240


def test_screenshot(page):
    page.wait_for_picture()
    page.browser.screenshot(RESULTS / "page.png")
    page.browser.resize(400, 800)
    page.browser.screenshot(RESULTS / "page-400px.png")
