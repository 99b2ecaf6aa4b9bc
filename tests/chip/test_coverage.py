"""Coverage of guest code, which a fuzzer steers by."""


def test_coverage_grows_with_new_code_only(repl_board):
    chip = repl_board.chip
    start = repl_board.snapshot()
    before = chip.coverage
    repl_board.console.eval("1 + 1")
    once = chip.coverage
    assert once > before
    repl_board.restore(start)
    repl_board.console.mark()
    repl_board.console.eval("1 + 1")
    assert chip.coverage == once  # the same code again
    repl_board.console.eval("'%5.2f' % (2 ** 0.5)")
    assert chip.coverage > once
