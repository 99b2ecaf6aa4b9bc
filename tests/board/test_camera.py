"""The camera app on the board: pictures of the sensor, commands, the LED."""

import json
import re
import urllib.request

import pytest
import websockets.sync.client

from hw.camera.wiring import LED_GPIO

TIMEOUT = 20  # seconds of wall time: the client is outside of the simulation


@pytest.fixture
def camera(url):
    with websockets.sync.client.connect(url.replace("http", "ws") + "camera") as ws:
        yield ws


def answer(ws):
    """The next JSON message; pictures are passed over."""
    while isinstance(message := ws.recv(TIMEOUT), bytes):
        pass
    return json.loads(message)


def picture(ws):
    """The next picture."""
    while isinstance(message := ws.recv(TIMEOUT), str):
        pass
    return message


def frame_number(jpeg):
    assert jpeg[:2] == b"\xff\xd8" and jpeg[-2:] == b"\xff\xd9"
    return int(re.search(rb"frame (\d{6})", jpeg)[1])


def test_pictures_come_from_the_sensor_and_advance(board, camera):
    numbers = [frame_number(picture(camera)) for _ in range(3)]
    assert numbers == sorted(set(numbers))
    assert board.events == []


def test_led(board, camera):
    camera.send('{"led": true}')
    assert answer(camera) == {"led": True}
    board.wait_for_gpio(LED_GPIO, True)
    camera.send('{"led": false}')
    assert answer(camera) == {"led": False}
    board.wait_for_gpio(LED_GPIO, False)


def test_status(board, url, camera):
    picture(camera)
    with urllib.request.urlopen(url + "status", timeout=TIMEOUT) as response:
        status = json.load(response)
    assert status["camera"] == "VC0706"
    assert status["frames"] >= 1
    assert status["clients"] == 1
    assert status["led"] is False
