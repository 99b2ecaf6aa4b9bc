"""Request: what a handler can ask it for."""

import asyncio

import pytest

from microdot import Microdot, Request
from microdot.core import NoCaseDict, RequestError
from microdot.microdot import AsyncBytesIO

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}


def create(data, **options):
    reader = AsyncBytesIO(data)
    return asyncio.run(
        Request.create(Microdot(), reader, AsyncBytesIO(b""), ("1.2.3.4", 5), **options)
    )


def made(headers=None, body=b"", url="/"):
    headers = NoCaseDict({"Content-Length": str(len(body)), **(headers or {})})
    return Request(Microdot(), None, "POST", url, "1.1", headers, body)


def test_line_and_headers():
    request = create(
        b"GET /a/b%20c?x=1&x=2&y HTTP/1.1\r\nHost: h:80\r\nX-One:  1 \r\nx-one: 2\r\n\r\n"
    )
    assert (request.method, request.http_version) == ("GET", "1.1")
    assert request.url == "/a/b%20c?x=1&x=2&y"
    assert (request.path, request.query_string) == ("/a/b%20c", "x=1&x=2&y")
    assert request.args.getlist("x") == ["1", "2"]
    assert request.args["y"] == ""
    assert request.headers["X-ONE"] == "1, 2"
    assert request.client_addr == ("1.2.3.4", 5)
    assert (request.content_length, request.content_type) == (0, None)
    assert (request.body, request.json, request.form, request.files) == (b"", None, None, None)
    assert (request.scheme, request.url_prefix, request.subapp) == ("http", "", None)


@pytest.mark.parametrize(
    "url, path, query",
    [
        ("http://board/echo?a=1", "/echo", "a=1"),
        ("https://board:443/a/b", "/a/b", None),
        ("http://board", "/", None),
        ("http://board?a=http://x/y", "/", "a=http://x/y"),
        ("/a?b=http://x/y", "/a", "b=http://x/y"),
        ("/http://x/y", "/http://x/y", None),
        ("*", "*", None),
    ],
)
def test_a_target_with_its_host(url, path, query):
    """Any server must take the absolute form (RFC 9112, 3.2.2)."""
    request = create(f"GET {url} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
    assert (request.url, request.path, request.query_string) == (url, path, query)


def test_scheme_is_given():
    assert create(b"GET / HTTP/1.0\r\n\r\n", scheme="https").scheme == "https"


def test_without_a_query():
    request = made()
    assert request.query_string is None
    assert request.args == {}
    assert made(url="/?").query_string == ""


@pytest.mark.parametrize(
    "header, cookies",
    [
        ("a=b; c=d", {"a": "b", "c": "d"}),
        ("a=b=c; a=2", {"a": "2"}),
        ("a;b=", {"a": "", "b": ""}),
        ('a="q; r"', {"a": '"q', 'r"': ""}),
    ],
)
def test_cookies(header, cookies):
    assert made({"Cookie": header}).cookies == cookies


def test_cookies_without_any():
    assert made().cookies == {}


def test_two_cookie_headers_are_one():
    request = create(b"GET / HTTP/1.0\r\nCookie: a=1\r\nCookie: b=2\r\n\r\n")
    assert request.cookies == {"a": "1", "b": "2"}


def test_json():
    request = made({"Content-Type": "Application/JSON; charset=utf-8"}, b'{"a": [1, null]}')
    assert request.json == {"a": [1, None]}
    assert request.json is request.json
    assert made(body=b"{}").json is None


@pytest.mark.parametrize("headers, body, name", [(JSON, b"{", "json"), (FORM, b"\xff", "form")])
def test_bad_bodies_are_valueerrors_with_a_status(headers, body, name):
    with pytest.raises(RequestError) as caught:
        getattr(made(headers, body), name)
    assert isinstance(caught.value, ValueError)
    assert caught.value.status_code == 400


def test_form():
    request = made(FORM, b"a=1&b=x%20y+z&a=2&&c")
    assert request.form.getlist("a") == ["1", "2"]
    assert request.form["b"] == "x y z"
    assert request.form.get("c") == ""
    assert request.form.get("a", type=int) == 1
    assert request.form.get("nothing", 7) == 7
    assert request.form is request.form
    assert made(JSON, b"{}").form is None


@pytest.mark.parametrize(
    "text, value",
    [
        ("a%2fb", "a/b"), ("a+b%2B", "a b+"), ("%", "%"), ("%4", "%4"), ("%zz", "%zz"),
        ("%+1", "% 1"), ("%e2%82%ac", "€"), ("%ff", "ÿ"), ("%00", "\0"), ("ü", "ü"), ("", ""),
    ],
)  # fmt: skip
def test_urldecode(text, value):
    assert made(url="/?" + "k=" + text).args["k"] == value


@pytest.mark.parametrize("size", [0, 1, 511, 512, 5000])
def test_body_however_it_comes(size):
    """What was read with the head, and what was not."""
    body = bytes(n % 251 for n in range(size))
    request = create(b"POST / HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % size + body + b"more")
    assert request.body == body
    assert asyncio.run(request.stream.read()) == body


def test_long_body_is_a_stream_and_ends_where_it_ends(monkeypatch):
    monkeypatch.setattr(Request, "max_body_length", 10)
    body = b"line one\nline two\nabcdef"
    request = create(b"POST / HTTP/1.0\r\nContent-Length: 24\r\n\r\n" + body + b"next request")
    assert request.body == b""

    async def read():
        assert await request.stream.readline() == b"line one\n"
        assert await request.stream.readuntil(b"tw") == b"line tw"
        assert await request.stream.readexactly(2) == b"o\n"
        with pytest.raises(EOFError):
            await request.stream.readexactly(7)
        assert await request.stream.read(3) == b"abc"
        assert await request.stream.read() == b"def"
        assert await request.stream.read() == b""
        assert await request.stream.read(5) == b""

    asyncio.run(read())


def test_a_larger_body_than_allowed_is_not_read(monkeypatch):
    monkeypatch.setattr(Request, "max_content_length", 10)
    request = create(b"POST / HTTP/1.0\r\nContent-Length: 11\r\n\r\n")
    assert (request.content_length, request.body) == (11, b"")


def test_what_comes_behind_a_handshake_can_be_read():
    request = create(b"GET / HTTP/1.0\r\n\r\nframes")

    async def read():
        assert await request.sock[0].read(3) == b"fra"
        assert await request.sock[0].readexactly(2) == b"me"
        assert not isinstance(request.sock[0], AsyncBytesIO)
        assert await request.sock[0].read(10) == b"s"
        assert isinstance(request.sock[0], AsyncBytesIO)  # the connection's own again

    asyncio.run(read())


def test_limits_of_a_line(monkeypatch):
    monkeypatch.setattr(Request, "max_readline", 20)
    assert create(b"GET / HTTP/1.0\nA: " + b"b" * 16 + b"\n\n").headers["A"] == "b" * 16
    with pytest.raises(RequestError) as caught:
        create(b"GET / HTTP/1.0\nA: " + b"b" * 17 + b"\n\n")
    assert caught.value.status_code == 431


def test_attributes_that_are_none_raise():
    with pytest.raises(AttributeError):
        _ = made().nothing
    assert not hasattr(made().g, "nothing")


def test_late_attributes_can_be_set():
    request = made()
    request.args = {"a": 1}
    assert request.args == {"a": 1}
