"""Emitters, floats, strings, files, imports and threads, as MicroPython's own suite has them."""

DIRECTORIES = [
    "float", "import", "io", "micropython", "misc", "ports/esp32", "stress", "thread",
    "unicode",
]  # fmt: skip


def test_upstream(upstream, check):
    check(upstream)
