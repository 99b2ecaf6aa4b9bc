"""Compile the chip model (C) into ``libesp32.so``, only what changed.

A plain shared library, not a Python extension: the lab loads it through cffi, and any other
host (Renode, a fuzzer) by its C API alone. ``python -m hw.esp32.build`` does the same by hand.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
LIBRARY = HERE / "libesp32.so"
CFLAGS = [
    "-std=gnu11", "-O2", "-fPIC", "-fvisibility=hidden",
    "-ffp-contract=off",  # the guest's FPU rounds after every operation
    "-Wall", "-Wextra", "-Wshadow",
]  # fmt: skip
# The interpreter: gcc's common subexpression pass undoes threaded dispatch (gcc manual, -fgcse).
EXTRA = {"exec.c": ["-fno-gcse"]}


class BuildError(Exception):
    """No compiler, or it refused the source; the text says what to do."""


def compiler() -> list[str]:
    """The C compiler's command: ``$CC``, else cc, gcc or clang. Raises BuildError."""
    if os.environ.get("CC"):
        return shlex.split(os.environ["CC"])
    for name in ("cc", "gcc", "clang"):
        if shutil.which(name):
            return [name]
    raise BuildError("no C compiler: install one (Debian: apt-get install gcc) or set CC")


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    sys.stderr.write(done.stderr)
    if done.returncode:
        raise BuildError(f"the compiler refused: {shlex.join(command)}")


def _stale(target: Path, depfile: Path) -> bool:
    """Is the object older than its source, a header of it (gcc's -MMD), or this file?"""
    if not target.exists() or not depfile.exists():
        return True
    made = target.stat().st_mtime_ns
    needs = depfile.read_text().replace("\\\n", " ").partition(":")[2].split()
    needs.append(__file__)
    return any(not os.path.exists(n) or os.stat(n).st_mtime_ns > made for n in needs)


def build(force: bool = False) -> Path:
    """Bring the library up to date and return its path. Raises BuildError."""
    cc = compiler()
    flags = CFLAGS + shlex.split(os.environ.get("CFLAGS", ""))
    sources = sorted((HERE / "src").rglob("*.c"))
    objects_dir = HERE.parents[1] / "build" / "esp32"
    objects_dir.mkdir(parents=True, exist_ok=True)
    jobs: list[list[str]] = []
    objects: list[Path] = []
    for source in sources:
        obj = objects_dir / ("_".join(source.relative_to(HERE / "src").parts) + ".o")
        objects.append(obj)
        if force or _stale(obj, obj.with_suffix(".d")):
            extra = EXTRA.get(source.name, [])
            jobs.append([*cc, *flags, *extra, "-MMD", "-c", str(source), "-o", str(obj)])
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(_run, jobs))
    if jobs or not LIBRARY.exists() or LIBRARY.stat().st_mtime_ns < _newest(objects):
        part = LIBRARY.with_suffix(f".{os.getpid()}.tmp")
        _run([*cc, "-shared", "-o", str(part), *map(str, objects), "-lm"])
        part.replace(LIBRARY)
    return LIBRARY


def _newest(paths: list[Path]) -> int:
    return max(p.stat().st_mtime_ns for p in paths)


if __name__ == "__main__":
    try:
        print(build("--force" in sys.argv))
    except BuildError as error:
        sys.exit(f"hw.esp32.build: {error}")
