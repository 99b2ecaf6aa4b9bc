"""CPython as the oracle: what it prints for a test, stdout and stderr as one.

A fresh interpreter for each of 700 tests takes half a minute; one bare interpreter that forks for
each takes two seconds. This file is that interpreter too: it is run with -B -S, so the children
see the standard library alone.
"""

import os
import signal
import struct
import subprocess
import sys

SECONDS = 60  # a test that takes longer is ended by SIGALRM


class Oracle:
    """The forking interpreter. `run` gives the output of one test file."""

    def __init__(self):
        self._process = subprocess.Popen(
            [sys.executable, "-BS", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        )

    def run(self, path):
        self._process.stdin.write(os.fsencode(path) + b"\n")
        self._process.stdin.flush()
        (size,) = struct.unpack("!I", self._process.stdout.read(4))
        return self._process.stdout.read(size)

    def close(self):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def _child(path, output):
    """Be the interpreter that was started as `python path`."""
    import traceback
    import types

    signal.alarm(SECONDS)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    folder = os.path.dirname(path)
    os.chdir(folder)
    sys.argv[:], sys.path[0] = [path], folder
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    main.__file__ = path
    status = 0
    try:
        with open(path, "rb") as file:
            exec(compile(file.read(), path, "exec"), main.__dict__)
    except SystemExit:
        pass
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _serve():
    answers = os.dup(1)
    for line in sys.stdin.buffer:
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            _child(os.fsdecode(line.rstrip(b"\n")), writing)
        os.close(writing)
        with open(reading, "rb") as pipe:
            output = pipe.read()
        os.waitpid(pid, 0)
        os.write(answers, struct.pack("!I", len(output)))
        with open(os.dup(answers), "wb") as out:
            out.write(output)


if __name__ == "__main__":
    _serve()
