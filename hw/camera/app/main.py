"""Runs at boot: bring the network up, serve the app. Ctrl-C on the console gives the REPL."""

import sys

try:
    import app
    import net

    address = net.connect()
    app.serve(port=80, ready=lambda: print("lab: http on %s:80" % address))
except KeyboardInterrupt:
    print("lab: stopped; `import machine; machine.soft_reset()` starts it again")
except Exception as exc:
    sys.print_exception(exc)
    print("lab: error: %s" % exc)
