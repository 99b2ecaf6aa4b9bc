"""Routes, URL patterns, hooks, error handlers, applications in applications."""

import asyncio

import pytest

from microdot import HTTPException, Microdot, Response, URLPattern, abort
from microdot.test_client import TestClient


def ask(app, path, method="GET", **options):
    return asyncio.run(TestClient(app).request(method, path, **options))


@pytest.mark.parametrize(
    "pattern, path, args",
    [
        ("/", "/", {}),
        ("", "/", {}),
        ("/", "", None),
        ("/a", "/a", {}),
        ("a", "/a", {}),
        ("/a", "/a/", None),
        ("/a/", "/a", None),
        ("/a//b/", "/a//b/", {}),
        ("/<x>", "/one", {"x": "one"}),
        ("/<x>", "/", None),
        ("/<x>", "/one/", None),
        ("/<x>/", "/one/", {"x": "one"}),
        ("/a/<x>/b/<y>", "/a/1/b/2", {"x": "1", "y": "2"}),
        ("/a/<x>/b/<y>", "/a/1/c/2", None),
        ("/a/<x>/b/<y>", "/a//b/2", None),
        ("/<string:x>", "/1", {"x": "1"}),
        ("/<int:x>", "/12", {"x": 12}),
        ("/<int:x>", "/-12", {"x": -12}),
        ("/<int:x>", "/0", {"x": 0}),
        ("/<int:x>", "/+12", None),
        ("/<int:x>", "/1_0", None),
        ("/<int:x>", "/ 1", None),
        ("/<int:x>", "/-", None),
        ("/<int:x>", "/--1", None),
        ("/<int:x>", "/1.0", None),
        ("/<int:x>", "/\u0663", None),
        ("/<int:x>/<int:y>", "/1/2", {"x": 1, "y": 2}),
        ("/<path:x>", "/a/b/c", {"x": "a/b/c"}),
        ("/<path:x>", "/a/", {"x": "a/"}),
        ("/<path:x>", "/", None),
        ("/<path:x>/end", "/a/b/end", {"x": "a/b"}),
        ("/<path:x>/end", "/end/end", {"x": "end"}),
        ("/<path:x>/end", "/end", None),
        ("/<path:x>/<int:y>/z", "/a/1/2/z", {"x": "a/1", "y": 2}),
        ("/<path:x>/<y>", "/a/b/c", {"x": "a/b", "y": "c"}),
        ("/<re:[a-c]+:x>", "/abc", {"x": "abc"}),
        ("/<re:[a-c]+:x>", "/abcd", None),
        ("/<re:a|bc:x>", "/bc", {"x": "bc"}),
        ("/<re:(a|b)+:x>/<y>", "/abab/c", {"x": "abab", "y": "c"}),
        ("/<re:.*:x>", "/a/b", {"x": "a/b"}),
        ("/a/<re:[0-9]:x>/<re:[a-z]:y>", "/a/1/b", {"x": "1", "y": "b"}),
    ],
)
def test_patterns(pattern, path, args):
    assert URLPattern(pattern).match(path) == args


@pytest.mark.parametrize("pattern", ["/<x", "/<x/y>", "/<nothing:x>", "/a/<>x"])
def test_bad_patterns(pattern):
    with pytest.raises(ValueError):
        URLPattern(pattern).compile()


def test_types_of_ones_own(monkeypatch):
    monkeypatch.setattr(URLPattern, "_types", dict(URLPattern._types))
    URLPattern.register_type("even", "[0-9]+", lambda text: None if int(text) % 2 else int(text))
    URLPattern.register_type("any", parser=str.upper)
    URLPattern.register_type("ab", "[ab]+")
    assert URLPattern("/<even:x>/y").match("/12/y") == {"x": 12}
    assert URLPattern("/<even:x>").match("/13") is None
    assert URLPattern("/<even:x>").match("/x") is None
    assert URLPattern("/<any:x>").match("/abc") == {"x": "ABC"}
    assert URLPattern("/<any:x>").match("/a/b") is None
    assert URLPattern("/<ab:x>").match("/ba") == {"x": "ba"}


def test_many_slashes_do_not_take_long():
    """A client chooses the path: 2000 ways to split it stay 2000 tries."""
    path = "/" * 2000
    for pattern in ("/<a>/<b>/c", "/<path:a>/c", "/<int:a>/<path:b>/c", "/<re:a+:x>/b"):
        assert URLPattern(pattern).match(path) is None


def test_first_route_that_matches():
    app = Microdot()
    app.get("/a")(lambda request: "first")
    app.get("/<x>")(lambda request, x: "second")
    app.route("/a", methods=["get", "POST"])(lambda request: "third")
    assert ask(app, "/a").text == "first"
    assert ask(app, "/b").text == "second"
    assert ask(app, "/a", "POST").text == "third"


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "query"])
def test_method_decorators(method):
    app = Microdot()
    getattr(app, method)("/")(lambda request: request.method)
    assert ask(app, "/", method.upper()).text == method.upper()
    assert ask(app, "/", "TRACE").status_code == 405


def test_405_and_options_name_the_methods():
    app = Microdot()
    app.get("/a")(lambda request: "")
    app.put("/a")(lambda request: "")
    response = ask(app, "/a", "POST")
    assert (response.status_code, response.text) == (405, "Not found")
    assert response.headers["Allow"] == "GET, PUT, HEAD, OPTIONS"
    assert ask(app, "/a", "OPTIONS").headers["Allow"] == "GET, PUT, HEAD, OPTIONS"
    app.options_handler = None
    assert ask(app, "/a", "OPTIONS").status_code == 405
    app.route("/a", ["OPTIONS"])(lambda request: "mine")
    assert ask(app, "/a", "OPTIONS").text == "mine"


@pytest.mark.parametrize(
    "result, status, body, header",
    [
        ("x", 200, b"x", None),
        (("x", 201), 201, b"x", None),
        (("x", {"X": "1"}), 200, b"x", "1"),
        (("x", 201, {"X": "1"}), 201, b"x", "1"),
        (202, 202, b"", None),
        ((202, {"X": "1"}), 202, b"", "1"),
        (None, 204, b"", None),
        (Response("x", 203), 203, b"x", None),
        ((Response("x", 203), 201, {"X": "1"}), 201, b"x", "1"),
        ((Response("x", 203), {"X": "1"}), 203, b"x", "1"),
        (({"a": 1}, 201), 201, b'{"a": 1}', None),
    ],
)
def test_results(result, status, body, header):
    app = Microdot()
    app.get("/")(lambda request: result)
    response = ask(app, "/")
    assert (response.status_code, response.body) == (status, body)
    assert response.headers.get("x") == header


# --- hooks ---


def test_order_of_hooks():
    app, seen = Microdot(), []

    @app.before_request
    def before(request):
        seen.append("before")

    @app.before_request
    async def before_too(request):
        seen.append("before too")

    @app.after_request
    def after(request, response):
        seen.append("after")

    @app.after_request
    async def after_too(request, response):
        seen.append("after too")
        return Response(response.body + b"!")

    @app.get("/")
    async def index(request):
        @request.after_request
        def last(request, response):
            seen.append("last")
            response.headers["X"] = "last"

        seen.append("index")
        return "hello"

    response = ask(app, "/")
    assert seen == ["before", "before too", "index", "after", "after too", "last"]
    assert (response.text, response.headers["X"]) == ("hello!", "last")


@pytest.mark.parametrize("result, status", [(("no", 401), 401), ("", 200), (0, 0), ([], 200)])
def test_hook_that_answers_ends_the_request(result, status):
    app = Microdot()
    app.before_request(lambda request: result)
    app.get("/")(lambda request: "not reached")
    response = ask(app, "/")
    assert response.status_code == status
    assert response.text != "not reached"


def test_hooks_after_errors(capfd):
    app, seen = Microdot(), []
    app.after_request(lambda request, response: seen.append("after"))

    @app.after_error_request
    def after_error(request, response):
        seen.append((request and request.path, response.status_code))
        response.headers["X"] = "error"

    app.get("/boom")(lambda request: 1 / 0)
    app.get("/abort")(lambda request: abort(418))
    for path, status in (("/nothing", 404), ("/boom", 500), ("/abort", 418)):
        response = ask(app, path)
        assert (response.status_code, response.headers["X"]) == (status, "error")
    assert asyncio.run(TestClient(app).send(b"nonsense\n\n")).headers["X"] == "error"
    assert seen == [("/nothing", 404), ("/boom", 500), ("/abort", 418), (None, 400)]
    assert "ZeroDivisionError" in capfd.readouterr().err


@pytest.mark.parametrize("where", ["before_request", "after_request", "after_error_request"])
def test_hook_that_fails_is_500(where, capfd):
    app = Microdot()
    getattr(app, where)(lambda *args: 1 / 0)
    app.get("/")(lambda request: "x")
    response = ask(app, "/nothing" if where == "after_error_request" else "/")
    assert (response.status_code, response.text) == (500, "Internal server error")
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_what_a_handler_wrote_itself_stays_so(capfd):
    app, seen = Microdot(), []

    @app.after_request
    def add(request, response):
        response.headers["X"] = "1"
        seen.append(response is Response.already_handled)
        return Response("not this")

    app.after_request(lambda request, response: 1 / 0)
    app.get("/")(lambda request: Response.already_handled)
    response = ask(app, "/")
    assert (response.status_code, response.body) == (None, None)
    assert seen == [True]
    assert Response.already_handled.headers == {}
    assert "ZeroDivisionError" in capfd.readouterr().err


# --- errors ---


class Base(Exception):
    pass


class Derived(Base):
    pass


def test_most_specific_error_handler():
    app = Microdot()
    app.get("/base")(lambda request: (_ for _ in ()).throw(Base("b")))
    app.errorhandler(Exception)(lambda request, exc: ("any " + str(exc), 599))

    @app.get("/derived")
    async def derived(request):
        raise Derived("d")

    assert ask(app, "/derived").text == "any d"
    app.errorhandler(Base)(lambda request, exc: ("base " + str(exc), 598))
    assert ask(app, "/derived").text == "base d"
    app.errorhandler(Derived)(lambda request, exc: ("derived " + str(exc), 597))
    response = ask(app, "/derived")
    assert (response.status_code, response.text) == (597, "derived d")
    assert ask(app, "/nothing").status_code == 404


def test_error_handlers_by_status(capfd):
    app = Microdot()
    app.get("/boom")(lambda request: 1 / 0)
    app.get("/abort")(lambda request: abort(410))
    for status in (400, 404, 405, 410, 413, 431, 500):
        app.errorhandler(status)(lambda request, status=status: ("my %d" % status, status))
    assert ask(app, "/boom").text == "my 500"
    assert ask(app, "/abort").text == "my 410"
    assert ask(app, "/nothing").text == "my 404"
    assert ask(app, "/boom", "PUT").text == "my 405"
    assert ask(app, "/boom", "GET", body=b"x" * 20000).text == "my 413"
    assert asyncio.run(TestClient(app).send(b"x\n\n")).text == "my 400"
    assert asyncio.run(TestClient(app).send(b"x" * 9999)).text == "my 431"


def test_error_handler_that_fails_is_500(capfd):
    app = Microdot()
    app.errorhandler(404)(lambda request: 1 / 0)
    assert ask(app, "/nothing").status_code == 500


@pytest.mark.parametrize(
    "args, status, text",
    [((404,), 404, "404 error"), ((403, "no"), 403, "no"), ((400, {"why": "so"}), 400, None)],
)
def test_abort(args, status, text):
    app = Microdot()
    app.get("/")(lambda request: app.abort(*args))
    response = ask(app, "/")
    assert response.status_code == status
    assert response.text == text or response.json == args[1]


def test_headers_of_an_exception():
    app = Microdot()

    @app.get("/")
    async def index(request):
        raise HTTPException(401, "who?", {"WWW-Authenticate": "Basic"})

    assert ask(app, "/").headers["WWW-Authenticate"] == "Basic"


# --- mounts ---


def test_mount_leaves_the_mounted_as_it_is_and_twice_works():
    sub, app = Microdot(), Microdot()
    sub.get("/x")(lambda request: request.url_prefix)
    app.mount(sub, "/a")
    app.mount(sub, "/b")
    assert ask(app, "/a/x").text == "/a"
    assert ask(app, "/b/x").text == "/b"
    assert ask(sub, "/x").text == ""


@pytest.mark.parametrize("local", [True, False])
def test_hooks_of_a_mounted_application(local):
    sub, app, seen = Microdot(), Microdot(), []
    sub.before_request(lambda request: seen.append("sub before"))
    sub.after_request(lambda request, response: seen.append("sub after"))
    app.before_request(lambda request: seen.append("before"))
    app.after_request(lambda request, response: seen.append("after"))
    sub.errorhandler(418)(lambda request: ("sub", 418))
    for where in (sub, app):
        where.get("/abort")(lambda request: abort(418, "plain"))
        where.get("/")(lambda request: str(request.subapp is sub))
    app.mount(sub, "/sub", local=local)
    assert ask(app, "/sub/").text == "True"
    assert seen == (
        ["before", "sub before", "sub after", "after"]
        if local
        else ["before", "sub before", "after", "sub after"]
    )
    del seen[:]
    assert ask(app, "/").text == "False"
    assert seen == (
        ["before", "after"] if local else ["before", "sub before", "after", "sub after"]
    )
    assert ask(app, "/sub/abort").text == "sub"
    assert ask(app, "/abort").text == ("plain" if local else "sub")
