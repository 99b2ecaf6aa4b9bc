"""Serves app.py; Ctrl-C on the console prints what is left behind, and gives the REPL."""

import sys

try:
    import app
    import net

    address = net.connect()
    app.serve("0.0.0.0", 80, lambda: print("lab: http on " + address))
except KeyboardInterrupt:
    print("lab: left", app.left_behind())
except Exception as exc:
    sys.print_exception(exc)
    print("lab: error: %s" % exc)
