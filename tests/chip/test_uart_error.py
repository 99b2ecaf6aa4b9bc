"""A disturbed wire: what the UART's registers and the firmware's driver make of it."""

import pytest

FRAME, BREAK = 0x08, 0x80  # UART_FRM_ERR_INT_RAW, UART_BRK_DET_INT_RAW (ESP32 TRM)
RAW, CLEAR = 0x3FF50004, 0x3FF50010  # of UART1, which nobody drives


@pytest.mark.parametrize("line_break, bits", [(False, FRAME), (True, FRAME | BREAK)])
def test_raw_interrupts(repl_board, line_break, bits):
    look = f"__import__('machine').mem32[{RAW}] & {FRAME | BREAK}"
    assert repl_board.console.eval(look) == "0"
    repl_board.chip.uart_error(1, line_break)
    assert repl_board.console.eval(look) == str(bits)
    repl_board.console.run(f"import machine; machine.mem32[{CLEAR}] = {bits}")
    assert repl_board.console.eval(look) == "0"


def test_the_console_goes_on(repl_board):
    for line_break in (False, True) * 20:
        repl_board.chip.uart_error(0, line_break)
        assert repl_board.console.eval("6 * 7") == "42"
    repl_board.chip.uart_error(7)  # there is none: nothing happens
