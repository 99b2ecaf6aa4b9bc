"""The hot loops as MicroPython runs them, in machine code and without, against CPython."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab.flash import ROOT
from lab.pinned import PackageError
from lab.targets.unix import micropython_command

SCRIPT = Path(__file__).with_name("micropython_frames.py")

LEADS = st.sampled_from(
    [0x7F, 0x80, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xED, 0xEF, 0xF0, 0xF4, 0xF5]
)
SECONDS = st.sampled_from([0x00, 0x41, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0])
SEQUENCES = st.builds(
    lambda first, second, rest: bytes([first, second, *rest]),
    LEADS, SECONDS, st.lists(SECONDS, max_size=2),
)  # fmt: skip
TEXTS = st.builds(
    lambda parts: b"".join(parts),
    st.lists(st.text(max_size=6).map(str.encode) | SEQUENCES | st.binary(max_size=3), max_size=5),
)
MASKS = st.tuples(st.binary(max_size=600), st.binary(min_size=4, max_size=4), st.integers(0, 7))


@pytest.fixture(scope="module")
def micropython():
    try:
        command, env = micropython_command()
    except PackageError as error:
        pytest.skip(str(error))
    env["MICROPYPATH"] = f"{ROOT}:.frozen"

    def run(path):
        done = subprocess.run(
            [*command, str(SCRIPT), str(path)], env={**os.environ, **env}, capture_output=True,
            text=True, timeout=60, check=False,
        )  # fmt: skip
        assert not done.returncode, done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr
        return json.loads(done.stdout)

    return run


def is_utf8(data):
    try:
        data.decode()
        return True
    except UnicodeDecodeError:
        return False


def check(micropython, path, texts, masks):
    path.write_text(
        json.dumps(
            {
                "texts": [text.hex() for text in texts],
                "masks": [[data.hex(), key.hex(), offset] for data, key, offset in masks],
            }
        )
    )
    answer = micropython(path)
    assert answer["machine code"]
    wanted = {
        "texts": [is_utf8(text) for text in texts],
        "masks": [
            bytes(b ^ key[n % 4] for n, b in enumerate(data)).hex() for data, key, _ in masks
        ],
    }
    for way in ("viper", "plain"):
        for kind, inputs in (("texts", texts), ("masks", masks)):
            for given_, got, right in zip(inputs, answer[way][kind], wanted[kind], strict=True):
                assert got == right, (way, given_)


@given(st.lists(TEXTS, min_size=50, max_size=150), st.lists(MASKS, min_size=5, max_size=20))
@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large,
        HealthCheck.large_base_example,
    ],
)  # fmt: skip
def test_random_texts_and_masks(micropython, tmp_path, texts, masks):
    check(micropython, tmp_path / "vectors.json", texts, masks)


def test_every_start_of_a_sequence(micropython, tmp_path):
    texts = [
        bytes([first, second]) + b"\x80" * more
        for first in range(0x80, 0x100)
        for second in (0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF)
        for more in range(3)
    ]
    masks = [
        (bytes(range(size % 256)) * (size // 256 + 1), b"\x01\x80\xff\x7f", offset)
        for size in (0, 1, 2, 3, 4, 5, 7, 8, 511, 512, 513)
        for offset in range(5)
    ]
    check(micropython, tmp_path / "vectors.json", texts, masks)
