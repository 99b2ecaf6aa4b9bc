"""The state of the running lab, for other processes: a directory with a lock in it.

`lab.json` beside a lock that the running lab holds: a state without it is stale. The lock is
one of the open file description (fcntl(2), F_OFD_SETLK): it ends with the process, however
that ends, and asking for it does not take it.
"""

from __future__ import annotations

import fcntl
import json
import os
import struct
from dataclasses import asdict, dataclass
from pathlib import Path

from lab import LabError
from lab.cache import cache_dir

KILLED = "it was killed"


@dataclass
class State:
    """What `lab status --json` prints."""

    http_url: str
    websocket_url: str
    console_tcp: str
    console_pty: str
    capture: str
    pid: int
    firmware: str
    target: str = "embedded"


def run_dir() -> Path:
    """Where the state of a running lab is kept."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    return Path(base) / "lab" if base else cache_dir() / "run"


def _lock(kind: int) -> bytes:
    """struct flock for the whole file."""
    return struct.pack("@hhqqi4x", kind, os.SEEK_SET, 0, 0, 0)


class StateFile:
    """Of this user's lab: there is one at a time for each `run_dir()`."""

    def __init__(self) -> None:
        self._directory = run_dir()
        self.path = self._directory / "lab.json"
        self._lock_path = self._directory / "lab.lock"
        self._log_path = self._directory / "lab.log"  # of a detached lab
        self._lock: int | None = None
        self._log: int | None = None
        self._keep_log = False

    # --- of the lab that runs ---

    def acquire(self) -> None:
        """Be the one lab that runs; what a killed one left is removed.

        Raises LabError when there is another, or no place to keep a state.
        """
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            if not self._try_lock():
                raise LabError(
                    "a lab is running already: `lab status` shows it, `lab down` ends it"
                )
        except OSError as error:
            raise LabError(
                f"the lab's state can't be kept in {self._directory}: {error.strerror} "
                "(XDG_RUNTIME_DIR chooses another place)"
            ) from None
        self._remove_leftovers()

    def _try_lock(self) -> bool:
        while True:
            lock = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.fcntl(lock, fcntl.F_OFD_SETLK, _lock(fcntl.F_WRLCK))
                try:
                    same = os.path.samestat(os.stat(self._lock_path), os.fstat(lock))
                except FileNotFoundError:
                    same = False
                if same:
                    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
                    self._lock = lock
                    return True
                os.close(lock)  # its owner has just removed it: that lock locks nothing
            except BlockingIOError:
                os.close(lock)
                return False
            except OSError:
                os.close(lock)
                raise

    def _remove_leftovers(self) -> None:
        part = self.path.with_suffix(".tmp")
        control = self._directory / "control.sock"
        captures = self._directory.glob("lab-*.pcapng")
        for path in [self.path, part, self._log_path, control, *captures]:
            path.unlink(missing_ok=True)

    def write(self, state: State) -> None:
        """Tell others."""
        part = self.path.with_suffix(".tmp")
        part.write_text(json.dumps(asdict(state), indent=2) + "\n")
        part.replace(self.path)

    def log_output(self) -> None:
        """Let what this process says from now on go to `lab.log`."""
        self._log = os.open(self._log_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(self._log, 1)
        os.dup2(self._log, 2)

    def keep_log(self) -> None:
        """`release` leaves the log, if there is one, for `sweep` to tell of."""
        self._keep_log = self._log is not None

    def release(self) -> None:
        """Remove what `acquire`, `write` and `log_output` made."""
        if self._lock is None:
            return
        self.path.unlink(missing_ok=True)
        self.path.with_suffix(".tmp").unlink(missing_ok=True)
        if not self._keep_log:
            self._log_path.unlink(missing_ok=True)
        self._lock_path.unlink(missing_ok=True)
        os.close(self._lock)
        self._lock = None

    # --- of others ---

    def owner(self) -> int | None:
        """Process id of the lab that runs or starts up; None when there is none."""
        try:
            lock = os.open(self._lock_path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            answer = fcntl.fcntl(lock, fcntl.F_OFD_GETLK, _lock(fcntl.F_WRLCK))
            if struct.unpack("@hhqqi4x", answer)[0] == fcntl.F_UNLCK:
                return None
            return int(os.pread(lock, 32, 0) or b"0") or None
        except ValueError:
            return None
        finally:
            os.close(lock)

    def read(self) -> State | None:
        """The running lab's state, None when none runs or it is not up yet."""
        if self.owner() is None:
            return None
        try:
            return State(**json.loads(self.path.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def sweep(self) -> str | None:
        """When no lab runs: remove what the last left; how that ended when it was not asked to."""
        reason = None
        try:
            if not self._directory.exists() or not self._try_lock():
                return None
            if self.path.exists():
                reason = KILLED
            elif self._log_path.exists():
                reason = self._log_path.read_text("utf-8", "replace").strip() or None
            self._remove_leftovers()
        except OSError:
            return None
        finally:
            self.release()
        return reason
