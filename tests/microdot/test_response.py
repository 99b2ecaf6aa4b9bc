"""Response: what is sent for what a handler gives."""

import asyncio
import datetime
import io

import pytest

from microdot import Response, redirect, send_file


class Sink:
    """A stream that keeps what is written."""

    def __init__(self):
        self.data = b""

    def write(self, data):
        self.data += data

    async def drain(self):
        pass


def sent(response):
    """(lines of the head, body)"""
    sink = Sink()
    asyncio.run(response.write(sink))
    head, _, body = sink.data.partition(b"\r\n\r\n")
    return head.decode().split("\r\n"), body


@pytest.mark.parametrize(
    "body, status, kind, expected",
    [
        ("grüße", 200, "text/plain; charset=UTF-8", "grüße".encode()),
        (b"\0\xff", 200, "text/plain; charset=UTF-8", b"\0\xff"),
        (bytearray(b"x"), 200, "text/plain; charset=UTF-8", b"x"),
        ({"a": 1}, 200, "application/json; charset=UTF-8", b'{"a": 1}'),
        ([1], 200, "application/json; charset=UTF-8", b"[1]"),
        (None, 204, "text/plain; charset=UTF-8", b""),
        ("", 200, "text/plain; charset=UTF-8", b""),
    ],
)
def test_bodies(body, status, kind, expected):
    head, data = sent(Response(body))
    assert head[0] == "HTTP/1.0 %d %s" % (status, "OK" if status == 200 else "N/A")
    assert f"Content-Type: {kind}" in head
    assert f"Content-Length: {len(expected)}" in head
    assert data == expected


def test_json_keeps_a_content_type_of_ones_own():
    head, _ = sent(Response({}, headers={"content-type": "application/problem+json"}))
    assert "content-type: application/problem+json" in head
    assert len([line for line in head if "ontent-" in line]) == 2


def test_default_content_type(monkeypatch):
    monkeypatch.setattr(Response, "default_content_type", "text/html; charset=ascii")
    assert "Content-Type: text/html; charset=ascii" in sent(Response("x"))[0]


def streams():
    async def async_generator():
        yield "a"
        yield b"b"

    def generator():
        yield "a"
        yield b"b"

    class AsyncFile:
        async def read(self, n):
            data, self.data = getattr(self, "data", b"ab"), b""
            return data

    return [async_generator(), generator(), iter(["a", b"b"]), io.BytesIO(b"ab"), AsyncFile()]


@pytest.mark.parametrize("number", range(len(streams())))
def test_streams(number):
    head, body = sent(Response(streams()[number]))
    assert body == b"ab"
    assert not any(line.startswith("Content-Length") for line in head)


def test_head_has_no_body_and_closes_it():
    file = io.BytesIO(b"data")
    response = Response(file)
    response.is_head = True
    assert sent(response)[1] == b""
    assert file.closed


def test_stream_is_closed_when_the_client_goes():
    class Gone(Sink):
        async def drain(self):
            if b"part" in self.data:
                raise OSError(104)

    closed = []

    async def parts():
        try:
            while True:
                yield "part"
        finally:
            closed.append(True)

    with pytest.raises(OSError):
        asyncio.run(Response(parts()).write(Gone()))
    assert closed == [True]


@pytest.mark.parametrize("body", [23.7, object()])
def test_what_is_no_body_is_refused_before_anything_is_sent(body):
    sink = Sink()
    with pytest.raises(TypeError):
        asyncio.run(Response(body).write(sink))
    assert sink.data == b""


@pytest.mark.parametrize(
    "options",
    [
        {"headers": {"X": "a\r\nY: b"}}, {"headers": {"X": "a\nb"}}, {"headers": {"X\r\n": "a"}},
        {"headers": {"X": ["a", "b\r\nY: c"]}}, {"reason": "OK\r\nY: b"},
    ],
)  # fmt: skip
def test_line_ends_do_not_get_into_the_head(options):
    sink = Sink()
    with pytest.raises(ValueError, match="line end in a header"):
        asyncio.run(Response("x", **options).write(sink))
    assert sink.data == b""


def test_list_makes_a_line_of_each():
    head, _ = sent(Response("", headers={"X": ["a", 1]}))
    assert [line for line in head if line[0] == "X"] == ["X: a", "X: 1"]


@pytest.mark.parametrize(
    "options, text",
    [
        ({}, "n=v"),
        ({"path": "/p", "domain": "d"}, "n=v; Path=/p; Domain=d"),
        ({"max_age": 0}, "n=v; Max-Age=0"),
        ({"expires": "Thu"}, "n=v; Expires=Thu"),
        (
            {"expires": datetime.datetime(2026, 1, 2, 3, 4, 5)},
            "n=v; Expires=Fri, 02 Jan 2026 03:04:05 GMT",
        ),
        (
            {"secure": True, "http_only": True, "partitioned": True},
            "n=v; Secure; HttpOnly; Partitioned",
        ),
    ],
)
def test_set_cookie(options, text):
    response = Response()
    response.set_cookie("n", "v", **options)
    response.set_cookie("second", "2", "/path")
    assert response.headers["Set-Cookie"] == [text, "second=2; Path=/path"]


def test_delete_cookie():
    response = Response()
    response.delete_cookie("n", path="/p", expires="ignored", max_age=9)
    assert response.headers["Set-Cookie"] == [
        "n=; Path=/p; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0"
    ]


@pytest.mark.parametrize(
    "name, value, options",
    [
        ("n", "a;b", {}), ("n=", "v", {}), ("", "v", {}), ("n", "a\r\nb", {}),
        ("n", "v", {"path": "/\n"}), ("n", "v", {"domain": "d\r"}),
    ],
)  # fmt: skip
def test_bad_cookies_are_refused(name, value, options):
    with pytest.raises(ValueError):
        Response().set_cookie(name, value, **options)


def test_redirect():
    assert redirect("/x").headers["Location"] == "/x"
    assert redirect("/x", 301).status_code == 301
    with pytest.raises(ValueError):
        redirect("/x\r\nSet-Cookie: a=b")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "page.html"
    path.write_text("<p>" * 1000)
    return str(path)


def test_send_file(file, monkeypatch):
    head, body = sent(send_file(file))
    assert head == ["HTTP/1.0 200 OK", "Content-Type: text/html"]
    assert body == b"<p>" * 1000
    assert "Content-Type: x/y" in sent(send_file(file, 201, "x/y"))[0]
    assert "Cache-Control: max-age=0" in sent(send_file(file, max_age=0))[0]
    monkeypatch.setattr(Response, "default_send_file_max_age", 60)
    assert "Cache-Control: max-age=60" in sent(send_file(file))[0]
    with pytest.raises(OSError):
        send_file(file + ".nothing")


@pytest.mark.parametrize(
    "name, options, kind, encoding",
    [
        ("a.js", {}, "application/javascript", None),
        ("a.svg", {}, "image/svg+xml", None),
        ("a", {}, "application/octet-stream", None),
        ("a.css.gz", {}, "application/octet-stream", None),
        ("a.css.gz", {"compressed": True}, "text/css", "gzip"),
        ("a.css", {"compressed": "br"}, "text/css", "br"),
    ],
)
def test_types_of_files(name, options, kind, encoding):
    response = send_file(name, stream=io.BytesIO(b"x"), **options)
    assert response.headers["Content-Type"] == kind
    assert response.headers.get("Content-Encoding") == encoding
    assert sent(response)[1] == b"x"


def test_extension_is_for_opening_alone(tmp_path):
    (tmp_path / "a.txt.gz").write_bytes(b"zipped")
    response = send_file(str(tmp_path / "a.txt"), compressed=True, file_extension=".gz")
    assert response.headers["Content-Type"] == "text/plain"
    assert sent(response)[1] == b"zipped"


def test_types_of_ones_own_come_first(monkeypatch):
    monkeypatch.setitem(Response.types_map, "txt", "text/x-mine")
    assert send_file("a.txt", stream=io.BytesIO()).headers["Content-Type"] == "text/x-mine"
