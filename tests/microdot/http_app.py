"""The app of test_server.py, for CPython and MicroPython alike; serves when it is run."""

try:
    import asyncio
except ImportError:  # MicroPython before v1.21
    import uasyncio as asyncio
import sys

from microdot import Microdot, Response


def make_app():
    app = Microdot()

    @app.get("/")
    async def index(request):
        return "home"

    @app.post("/body")
    async def body(request):
        return request.body

    @app.post("/upload")
    async def upload(request):
        data = await request.stream.read(2)
        return {"read": len(data), "body": len(request.body)}

    @app.post("/json")
    async def json(request):
        return {"got": request.json}

    @app.post("/form")
    async def form(request):
        return {"got": request.form["a"]}

    @app.get("/args")
    async def args(request):
        return {"got": request.args.getlist("a")}

    @app.get("/inject")
    async def inject(request):
        return "x", {"X-Test": "1\r\nSet-Cookie: a=b"}

    @app.get("/inject-reason")
    async def inject_reason(request):
        return Response("x", 200, reason="OK\r\nX: y")

    @app.get("/number")
    async def number(request):
        return Response(23.7)

    @app.get("/files/<path:path>")
    async def files(request, path):
        return path

    @app.get("/fails")
    async def fails(request):
        return (1 // n for n in [0])

    @app.get("/fails-later")
    async def fails_later(request):
        def parts():
            yield "begun"
            raise ValueError("later")

        return parts()

    @app.get("/long")
    async def long(request):
        return (str(n) + "\n" for n in range(2000))

    return app


async def main(host, port):
    app = make_app()
    task = asyncio.create_task(app.start_server(host, port))
    while not (app.server or task.done()):
        await asyncio.sleep(0)
    print("lab: http on %s:%d" % (host, port))
    await task


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
