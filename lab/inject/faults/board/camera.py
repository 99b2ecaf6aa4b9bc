"""main.py of the camera board under faults: as hw/camera/app/main.py, with `bench` beside it."""

import sys

try:
    import app
    import bench
    import net

    address = net.connect()

    def ready():
        print("lab: http on %s:80" % address)
        bench.beside()

    app.serve(port=80, ready=ready)
except KeyboardInterrupt:
    print("lab: stopped")
except Exception as exc:
    sys.print_exception(exc)
    print("lab: error: %s" % exc)
