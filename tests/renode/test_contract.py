"""The library under the plug-in's calls: Renode's slices, resets, save and load change nothing."""

import pytest
from plugin_host import BREAK, FATAL, LISTEN, POWER, TICKS, PluginHost

QUANTUM = 160_000  # instructions in a millisecond, Renode's quantum here


@pytest.fixture
def host(repl_image):
    one = PluginHost(repl_image)
    yield one
    one.close()


def run_script(image, quantum):
    """Boot and type, in slices of `quantum`; what came, and how things stand at the end."""
    host = PluginHost(image)
    try:
        host.execute(160_000 * 600 // quantum * quantum)
        host.typed = b"sum(range(1000))\r"
        for _ in range(160_000 * 400 // quantum):
            host.execute(quantum)
        assert not host.typed
        return host.text, host.told, host.now, host.register("pc"), len(host.save())
    finally:
        host.close()


def test_slices_change_nothing(repl_image):
    """100 us, 1 ms and 10 ms quanta: the same output, and the same machine in the end."""
    runs = {quantum: run_script(repl_image, quantum) for quantum in (16_000, 160_000, 1_600_000)}
    assert "499500" in runs[160_000][0]
    assert runs[16_000] == runs[160_000] == runs[1_600_000]


def test_both_clocks_stay_exact(host):
    for _ in range(600):
        host.execute(QUANTUM)
    assert host.told == sum(host.reports) == 600 * QUANTUM
    assert host.now == host.told * TICKS + host.basis
    assert host.basis == 0


def test_time_is_told_before_the_output_that_it_brings(host):
    """What the chip sends at 0.5 ms of a quantum has that time in Renode, not the quantum's end."""
    host.until("POWERON_RESET")
    told, _ = host.output[0]
    assert 0 < told < QUANTUM
    host.until(">>> ")
    times = [told for told, _ in host.output]
    assert times == sorted(times)
    assert any(told % QUANTUM for told in times)


def test_what_is_typed_is_there_when_the_slice_begins(host):
    host.until(">>> ")
    host.typed = b"6*7\r"
    host.until("\r\n42\r\n")


def test_reset_keeps_flash_and_renodes_clock(host):
    host.until(">>> ")
    host.typed = b"file = open('kept', 'w'); file.write('x'); file.close()\r"
    host.until("close()\r\n1\r\n>>> ")
    told = host.told
    host.reset()
    host.output.clear()
    host.until(">>> ")
    assert host.told > told
    assert "POWERON_RESET" in host.text
    host.typed = b"open('kept').read()\r"
    host.until("\r\n'x'\r\n")


def test_brown_out_says_so(host):
    host.until(">>> ")
    host.reset(15)
    host.until("BROWN_OUT")


def test_state_goes_back_and_renodes_clock_does_not(host):
    host.until(">>> ")
    host.typed = b"x = 41\r"
    host.until("x = 41\r\n>>> ")
    state, told = host.save(), host.told
    host.typed = b"x = 42\r"
    host.until("x = 42\r\n>>> ")
    host.load(state)
    host.output.clear()
    host.typed = b"x\r"
    host.until("\r\n41\r\n>>> ")
    assert host.told > told
    assert host.now == host.told * TICKS + host.basis


def test_saved_emulation_goes_on_bit_for_bit(host, repl_image):
    """As `Save` and `Load`: a new chip, the flash image, the state, the basis as it was."""
    host.until(">>> ")
    host.typed = b"import time; time.sleep(0.05); print(time.ticks_us())\r"
    host.execute(QUANTUM)
    state = host.save()
    other = PluginHost(repl_image)
    try:
        assert other.api.state_load(other.chip, state, len(state)) == 0, other.error
        other.told, other.basis = host.told, host.basis
        host.output.clear()
        for one in (host, other):
            for _ in range(100):
                one.execute(QUANTUM)
        assert host.output == other.output
        assert host.output
        assert host.save() == other.save()
    finally:
        other.close()


def test_state_of_another_image_is_refused_with_a_reason(host, app_image):
    state = host.save()
    host.load_flash(app_image)
    assert host.api.state_load(host.chip, state, len(state)) != 0
    assert "another flash image" in host.error


def test_stop_from_another_thread_ends_a_run_early(host):
    """`RequestPause`: the run comes back, and the slice is finished by the next."""
    host.execute(QUANTUM)
    host.api.stop(host.chip)
    before = host.now
    why = host.api.run(host.chip, before + 480_000_000, LISTEN)
    assert why & 32
    assert host.now - before < 480_000
    told = host.told
    host.execute(QUANTUM)
    assert host.told == told + QUANTUM


def test_a_step_is_one_instruction(host):
    """Or one ROM service, which counts for as long as it takes."""
    host.until("entry 0x")
    counts = []
    for _ in range(200):
        before = host.api.instructions(host.chip, 0)
        host.step()
        counts.append(host.api.instructions(host.chip, 0) - before)
    assert min(counts) == 1
    assert counts.count(1) > 100
    host.execute(QUANTUM)  # where the chip was ahead, it has waited
    assert host.now <= host.told * TICKS + host.basis + 480


def test_power_that_fails_in_mid_write_darkens_the_board(host):
    host.until(">>> ")
    host.api.power_cut(host.chip, 100)
    host.typed = b"open('new', 'w').write('x' * 20000)\r"
    for _ in range(1000):
        if host.execute(QUANTUM) & POWER:
            break
    assert not host.powered
    dark, told = host.now, host.told
    host.execute(100 * QUANTUM)
    assert (host.now, host.told) == (dark, told + 100 * QUANTUM)  # time goes on for the others
    host.reset()
    host.output.clear()
    host.until(">>> ")


def test_breakpoint_ends_the_run_where_it_is(host):
    host.until("entry 0x")
    entry = int(host.text.split("entry 0x")[1][:8], 16)
    assert host.api.breakpoint_add(host.chip, entry) == 0
    host.reset()
    for _ in range(100):
        if host.execute(QUANTUM) & BREAK:
            break
    assert host.register("pc") == entry
    assert host.api.breakpoint_remove(host.chip, entry) == 0
    host.output.clear()
    host.until(">>> ")


def test_a_chip_without_firmware_is_fatal_or_loops_but_does_not_hang():
    host = PluginHost(b"\xff" * 0x400000)
    try:
        seen = host.execute(100 * QUANTUM)
        assert seen & FATAL or host.text
        assert host.told <= 100 * QUANTUM
    finally:
        host.close()
