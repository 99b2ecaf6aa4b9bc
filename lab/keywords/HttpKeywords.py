"""HTTP requests to the board."""

from __future__ import annotations

import json
from typing import Any

from robot.api.deco import keyword, library

from lab.keywords.bench import bench
from lab.keywords.client import Response, shown
from lab.keywords.streams import StreamError, connect

TIMEOUT = 30.0


@library(scope="SUITE", auto_keywords=False)
class HttpKeywords:
    """One connection a request, as a browser without keep-alive."""

    @keyword
    def get(self, path: str = "/", status: int = 200, timeout: float = TIMEOUT) -> str:
        """GET a page; fails unless the board answers with ``status``. Returns the body."""
        return self.request(f"GET {path} HTTP/1.1", status, timeout).rest.decode()

    @keyword(name="Get JSON")
    def get_json(self, path: str = "/status", timeout: float = TIMEOUT) -> Any:
        """GET a page and return what its JSON says."""
        return json.loads(self.get(path, timeout=timeout))

    @keyword
    def request(
        self, line: str, status: int | None = None, timeout: float = TIMEOUT, **headers: str
    ) -> Response:
        """Any request line, with a Host header and those given; returns the answer (``status``,
        ``headers`` by lower-case name, ``rest``: the body). ``status``: fails unless it is that."""
        lines = [line, "Host: board", *(f"{name}: {value}" for name, value in headers.items())]
        response = self._exchange(("\r\n".join(lines) + "\r\n\r\n").encode(), timeout)
        if status is not None and response.status != status:
            raise AssertionError(f"{line}: answered with {response.status}, not {status}")
        return response

    @staticmethod
    def _exchange(data: bytes, timeout: float) -> Response:
        stream = connect(bench, None, timeout)
        bench.note(f"http: -> {shown(data)}")
        stream.send(data)
        answer = b""
        while part := stream.receive(timeout):
            answer += part
            head, found, body = answer.partition(b"\r\n\r\n")
            if found and len(body) >= _length(head):
                break
        stream.finish()
        bench.note(f"http: <- {shown(answer)}")
        if not answer:
            raise StreamError("the board closed the connection without an answer")
        return Response.parse(answer)


def _length(head: bytes) -> float:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return float("inf")  # it ends with the connection
