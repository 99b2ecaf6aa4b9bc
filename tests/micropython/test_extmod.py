"""The modules in C, as MicroPython's own suite has them."""

DIRECTORIES = ["extmod"]


def test_upstream(upstream, check):
    check(upstream)
