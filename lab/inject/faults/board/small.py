"""main.py of the board that has little to load."""

import sys

try:
    import bench

    bench.small()
except KeyboardInterrupt:
    print("lab: stopped")
except Exception as exc:
    sys.print_exception(exc)
    print("lab: error: %s" % exc)
