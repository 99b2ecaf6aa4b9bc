"""Apps as processes of this machine: CPython, and MicroPython's unix port."""

import os
import socket

import pytest

from lab.board import BoardError
from lab.pinned import Package, PackageError
from lab.targets.unix import CPythonProcess, MicroPythonProcess

SERVER = """
import socket, sys
host, port = sys.argv[1], int(sys.argv[2])
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(socket.getaddrinfo(host, port)[0][-1])
s.listen(1)
print("lab: http on " + host)
while True:
    c, _ = s.accept()
    c.send(sys.implementation.name.encode())
    c.close()
    print("served")
"""


@pytest.fixture(params=[CPythonProcess, MicroPythonProcess])
def target(request):
    def start(script):
        try:
            return request.param(script)
        except PackageError as error:
            pytest.skip(str(error))

    start.name = "cpython" if request.param is CPythonProcess else "micropython"
    return start


def test_app_serves_until_the_end_of_the_block(target, tmp_path):
    script = tmp_path / "app.py"
    script.write_text(SERVER)
    with target(script) as app:
        with socket.create_connection((app.host, app.port), 10) as client:
            assert client.makefile().read() == target.name
        app.console.wait_for("served")
        os.kill(app.pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(app.pid, 0)
    app.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((app.host, app.port), 10)


def test_app_that_does_not_come_up_says_why(target, tmp_path):
    script = tmp_path / "app.py"
    script.write_text("raise ValueError('not today')\n")
    with pytest.raises(BoardError, match="not today"):
        target(script)


def test_package_that_is_not_what_was_pinned_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("LAB_CACHE", str(tmp_path))
    with pytest.raises(PackageError, match=r"microdot 2\.7\.0"):
        Package("microdot", "2.7.0", "0" * 64).install()
    assert not [path for path in (tmp_path / "python").iterdir() if path.suffix != ".lock"]
