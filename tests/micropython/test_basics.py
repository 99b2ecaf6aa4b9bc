"""The language and its built-in types, as MicroPython's own suite has them."""

DIRECTORIES = ["basics"]


def test_upstream(upstream, check):
    check(upstream)
