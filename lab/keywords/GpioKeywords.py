"""The board's pins: levels that the chip drives."""

from __future__ import annotations

from robot.api.deco import keyword, library

from hw.camera.wiring import LED_GPIO
from lab.capabilities import Capability, needs
from lab.keywords.bench import bench

LEVELS = {"high": True, "1": True, "on": True, "low": False, "0": False, "off": False}


@library(scope="SUITE", auto_keywords=False)
class GpioKeywords:
    """Levels are ``high`` or ``low`` (``on``/``off`` and ``1``/``0`` mean the same). Pins have the
    chip's numbers; the LED of the camera board is GPIO 2."""

    @keyword
    @needs(Capability.PINS)
    def gpio_should_be(self, pin: int, level: str) -> None:
        """The chip drives the pin so at this moment."""
        if bench.emulated(Capability.PINS).gpio(pin) != _level(level):
            raise AssertionError(f"GPIO{pin} is not {level}")

    @keyword
    @needs(Capability.PINS)
    def wait_for_gpio(self, pin: int, level: str, timeout: float = 30) -> None:
        """Until the chip drives the pin so."""
        bench.emulated(Capability.PINS).wait_for_gpio(pin, _level(level), timeout)

    @keyword(name="Create LED Tester")
    @needs(Capability.PINS)
    def create_led_tester(self, led: str = "sysbus.gpio.led") -> int:
        """For suites that are shared with Renode: the board has one LED. Returns an id."""
        bench.emulated(Capability.PINS)
        return 1

    @keyword(name="Assert LED State")
    @needs(Capability.PINS)
    def assert_led_state(
        self, state: bool, timeout: float = 0, testerId: int | None = None
    ) -> None:
        """The LED is on (True) or off, or gets so within ``timeout`` seconds."""
        board = bench.emulated(Capability.PINS)
        if board.gpio(LED_GPIO) != state and timeout:
            board.wait_for_gpio(LED_GPIO, state, timeout)
        if board.gpio(LED_GPIO) != state:
            raise AssertionError(f"the LED is {'off' if state else 'on'}")


def _level(text: str) -> bool:
    if text.lower() not in LEVELS:
        raise AssertionError(f"a level is high or low, not {text!r}")
    return LEVELS[text.lower()]
