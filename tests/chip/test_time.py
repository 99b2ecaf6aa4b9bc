"""Time is one and never goes back, for every reader on both cores (esp32-facts.md, "Time across
cores": a timer that was rebased with one core's local time made LACT jump days ahead)."""

import pytest

MONOTONY = """
import time, machine
alarms = [0]
timer = machine.Timer(0)
def on_alarm(t):
    alarms[0] += 1
start = last = time.ticks_us()
timer.init(period=10, callback=on_alarm)
back = reads = 0
while time.ticks_diff(last, start) < 2000000:
    now = time.ticks_us()
    if time.ticks_diff(now, last) < 0:
        back += 1
    last = now
    reads += 1
timer.deinit()
print(back, reads > 10000, alarms[0])
"""


def test_ticks_never_go_back_and_every_period_has_one_alarm(repl_board):
    back, many, alarms = repl_board.console.run(MONOTONY).split()
    assert back == "0"
    assert many == "True"
    assert 199 <= int(alarms) <= 200


def test_with_the_ethernet_link_check_on_the_other_core(repl_board):
    """The link check is an esp_timer on core 0; it clears and sets ALARM_EN each time."""
    repl_board.chip.eth_link(True)
    repl_board.console.run(
        "import network, machine\n"
        "lan = network.LAN(mdc=machine.Pin(23), mdio=machine.Pin(18), power=None,"
        " phy_type=network.PHY_LAN8720, phy_addr=0)\n"
        "lan.active(True)"
    )
    for _ in range(3):
        back, _, alarms = repl_board.console.run(MONOTONY).split()
        assert back == "0"
        assert 199 <= int(alarms) <= 200


@pytest.mark.parametrize("mhz", [80, 160, 240])
def test_sleep_takes_its_time_at_every_clock(repl_board, mhz):
    printed = repl_board.console.run(
        f"import machine, time\nmachine.freq({mhz}000000)\nstart = time.ticks_us()\n"
        "time.sleep_ms(100)\nprint(time.ticks_diff(time.ticks_us(), start))\n"
        "start = time.ticks_us()\ntime.sleep_us(1000)\n"
        "print(time.ticks_diff(time.ticks_us(), start))"
    ).split()
    assert 99_000 <= int(printed[0]) <= 101_500
    assert 1000 <= int(printed[1]) <= 1200


def test_asyncio_wakes_once_a_period(repl_board):
    printed = repl_board.console.run(
        "import asyncio, time\n"
        "async def main():\n"
        "    start = time.ticks_ms()\n"
        "    wakes = []\n"
        "    for _ in range(5):\n"
        "        await asyncio.sleep(1)\n"
        "        wakes.append(time.ticks_diff(time.ticks_ms(), start))\n"
        "    print(*wakes)\n"
        "asyncio.run(main())"
    )
    for n, wake in enumerate(map(int, printed.split()), 1):
        assert 1000 * n <= wake <= 1000 * n + 30


def test_idle_hours_pass_at_once(repl_board):
    now = repl_board.chip.now
    repl_board.run_for(3600)
    assert repl_board.chip.now >= now + 3600 * 480_000_000
    assert repl_board.console.eval("1+1") == "2"
