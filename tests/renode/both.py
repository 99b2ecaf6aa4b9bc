"""What has to hold in the real Renode and in the stand-in alike."""

from hw.esp32.chip import Stop
from lab.targets.renode import RenodeBoard


def a_chip_that_cant_go_on_says_so_each_time_and_the_next_one_can(repl_image, booted_repl):
    damaged = repl_image[:0x1100] + bytes(0x100) + repl_image[0x1200:]  # of the bootloader
    with RenodeBoard(damaged) as board:
        for _ in range(2):
            assert board.chip.run(board.chip.now + 480_000) & Stop.FATAL
        assert "checksum" in board.chip.error
    with RenodeBoard(booted_repl.image, snapshot=booted_repl.snapshot) as board:
        assert board.console.eval("6 * 7") == "42"
