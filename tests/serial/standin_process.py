"""`lab standin` in a process of its own, and `lab board` on it."""

import os
import re
import subprocess
import sys
import threading

from lab.flash import ROOT

LAB = [sys.executable, "-m", "lab"]
PASSWORD = "never to be seen"
PATIENCE = "10"  # an emulated board is as slow as the machine is busy


class StandInProcess:
    """Where it is: `port` (RFC 2217), `pty`, `address`. Raises AssertionError when it says not."""

    def __init__(self, *options):
        self.process = subprocess.Popen(
            [*LAB, "standin", *options], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, bufsize=1,
        )  # fmt: skip
        said = {}
        while "stop" not in said:
            line = self.process.stdout.readline()
            assert line, said
            name, *words = line.split()
            said[name] = words
        self.port, self.pty, self.address = (said[n][0] for n in ("port", "pty", "address"))
        self.offered = " ".join(said["try"])

    def press(self, button):
        """`reset`, or `boot`: into the loader."""
        self.process.stdin.write(button + "\n")
        self.process.stdin.flush()

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class LabBoard:
    """`lab board` with these variables, and the secret; `output` is what it has printed."""

    def __init__(self, **variables):
        environ = {**os.environ, "NET": "lan", "SSID": "lab", "PASSWORD": PASSWORD,
                   "PATIENCE": PATIENCE, **variables}  # fmt: skip
        self.process = subprocess.Popen(
            [*LAB, "board"], env=environ, cwd=ROOT, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip
        self.output = ""

    def read_until(self, pattern):
        """More of the output, up to a line in which `pattern` is."""
        while not re.search(pattern, self.output, re.MULTILINE):
            line = self.process.stdout.readline()
            assert line, self.output
            self.output += line

    def finish(self):
        """The rest of the output; returns the exit status."""
        self.output += self.process.communicate()[0]
        return self.process.returncode

    def close(self):
        """It too when a test fails half-way."""
        if self.process.poll() is None:
            self.process.terminate()
            killer = threading.Timer(30, self.process.kill)
            killer.start()
            self.process.wait()
            killer.cancel()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def secret_in(folder):
    """Reports that have the password in them."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files, folder
    return [path for path in files if PASSWORD.encode() in path.read_bytes()]
