"""A password never gets through, whatever pieces it comes in."""

import json

import pytest

from lab.boardfile import BoardFileError, BoardSettings, load
from lab.redact import MASK, Redactor, redact

SECRET = 'pass"wörd\\12'


@pytest.mark.parametrize("form", [SECRET, json.dumps(SECRET), repr(SECRET), ascii(SECRET)])
def test_it_is_masked_in_every_spelling_and_at_every_split(form):
    stream = b"before " + form.encode() + b" after\r\n>>> "
    for cut in range(len(stream)):
        redactor = Redactor(SECRET)
        out = redactor.feed(stream[:cut]) + redactor.feed(stream[cut:]) + redactor.flush()
        assert MASK in out and b"12" not in out
        assert out.startswith(b"before ") and out.endswith(b" after\r\n>>> ")


def test_pauses_let_no_more_than_a_prompt_through():
    redactor = Redactor(SECRET)
    out = b""
    for byte in b"x" + SECRET.encode() + b"y":
        out += redactor.feed(bytes([byte])) + redactor.flush()
    assert out == b"xpass" + MASK + b"y"


def test_a_prompt_that_looks_like_its_start_comes_at_once():
    redactor = Redactor(">>> secret")
    assert redactor.feed(b"\r\n>>> ") + redactor.flush() == b"\r\n>>> "
    assert redactor.feed(b"1 + 1") == b"1 + 1"


def test_without_a_secret_nothing_changes():
    redactor = Redactor("")
    assert redactor.feed(b"anything") == b"anything"
    assert redact("anything", "") == "anything"


def test_settings_do_not_show_it():
    settings = BoardSettings("/dev/ttyUSB0", "net", "verysecret")
    assert "verysecret" not in f"{settings} {settings!r}"


# --- board.toml ------------------------------------------------------------------------------


def test_variables_go_before_the_file(tmp_path):
    (tmp_path / "board.toml").write_text(
        'port = "/dev/ttyUSB1"\nssid = "net"\npassword = "verysecret"\nlan = {power = 16}\n'
    )
    found = load({"PORT": "/dev/ttyUSB0", "NET": "LAN", "FLASH": "1"}, tmp_path)
    assert found == BoardSettings(
        "/dev/ttyUSB0", "net", "verysecret", "lan", {"power": 16}, flash=True
    )
    assert found.at("10.0.2.15") == ("10.0.2.15", 80)


def test_the_address_may_be_another():
    assert load({"PORT": "x", "ADDRESS": "127.0.0.1:99"}).at("10.0.2.15") == ("127.0.0.1", 99)
    assert load({"PORT": "x", "ADDRESS": "board.lan"}).at("10.0.2.15") == ("board.lan", 80)


@pytest.mark.parametrize(
    "environ, said",
    [
        ({}, "which port"),
        ({"PORT": "x", "NET": "air"}, "NET is wlan or lan"),
        ({"PORT": "x", "PASSWORD": "short"}, "8 to 63"),
        ({"PORT": "x", "FLASH": "maybe"}, "FLASH is 1 or 0"),
        ({"PORT": "x", "PATIENCE": "0"}, "PATIENCE"),
        ({"BOARD": "none.toml"}, "none.toml: No such file"),
    ],
)
def test_what_is_wrong_is_said(environ, said, tmp_path):
    with pytest.raises(BoardFileError, match=said) as caught:
        load(environ, tmp_path)
    assert "short" not in str(caught.value)


@pytest.mark.parametrize(
    "text, said",
    [("port = ", "Invalid"), ("prot = 'x'", "no such key prot"), ("port = 1", "port is a text"),
     ("port = 'x'\nlan = {mcd = 1}", "no such key mcd"), ("port = 'x'\nlan = 1", "a table")],
)  # fmt: skip
def test_a_bad_file_is_said(text, said, tmp_path):
    (tmp_path / "board.toml").write_text(text)
    with pytest.raises(BoardFileError, match=said):
        load({}, tmp_path)
