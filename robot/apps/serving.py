"""What every app here needs: serve until the console is interrupted (see hw/camera/app)."""

try:
    import asyncio
except ImportError:  # MicroPython before v1.21
    import uasyncio as asyncio


async def _serve(app, host, port, ready, *tasks):
    server = asyncio.create_task(app.start_server(host, port))
    while not (app.server or server.done()):
        await asyncio.sleep(0)
    if app.server and ready:
        ready()
    others = [asyncio.create_task(task) for task in tasks]
    try:
        await server
        print("lab: server has ended")
    finally:
        for task in others:
            task.cancel()


def run(app, host, port, ready, *tasks):
    asyncio.run(_serve(app, host, port, ready, *tasks))
