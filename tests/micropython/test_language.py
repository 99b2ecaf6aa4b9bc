"""Emitters, floats, strings, files, and imports, as MicroPython's own suite has them."""

DIRECTORIES = [
    "float", "import", "io", "micropython", "misc", "ports/esp32", "stress", "unicode",
]  # fmt: skip


def test_upstream(upstream, check):
    check(upstream)
