"""The order of a run: a file goes to one worker as a whole, so what takes longest begins first."""

LONG = (
    "serial/test_end_to_end.py", "injection/test_packets.py", "injection/test_tables.py",
    "conformance/test_autobahn.py", "injection/test_faults.py", "injection/test_fuzz_board.py",
    "serial/test_serial_board.py", "lab/test_serialport.py",
)  # fmt: skip


def pytest_collection_modifyitems(items):
    def rank(item):
        for at, name in enumerate(LONG):
            if item.path.as_posix().endswith(name):
                return at
        return len(LONG)

    items.sort(key=rank)
