"""Which physical board, and how it is reached: board.toml, and variables that go before it.

| board.toml | variable | |
|---|---|---|
| `port` | PORT | a device, `rfc2217://host:port`, `socket://host:port` |
| `ssid`, `password` | SSID, PASSWORD | of the Wi-Fi |
| `net` | NET | `wlan` (the default) or `lan` |
| `lan` | | a table for `network.LAN`: mdc, mdio, power, phy_addr, ref_clk, ref_clk_mode |
| `address` | ADDRESS | host or host:port where the board is reached, when not as it says |
| `power_command` | POWER_COMMAND | switches its supply; `{action}` becomes `on` or `off` |
| `flash` | FLASH | 1: write the pinned firmware first |
| `erase` | ERASE | 1: files on it that the lab does not know may be removed |
| `patience` | PATIENCE | factor on all deadlines (3) |

The password goes to the board and nowhere else.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from lab import LabError

T = TypeVar("T")
FILE = "board.toml"
PATIENCE = 3.0
HTTP_PORT = 80
LAN_KEYS = ("mdc", "mdio", "power", "phy_addr", "ref_clk", "ref_clk_mode")
KEYS = ("port", "ssid", "password", "net", "lan", "address", "power_command", "flash", "erase",
        "patience")  # fmt: skip
YES, NO = ("1", "true", "yes"), ("", "0", "false", "no")


class BoardFileError(LabError):
    """A setting is missing or wrong; the text says which and what to do."""


@dataclass(frozen=True)
class BoardSettings:
    """One physical board. patience: factor on deadlines."""

    port: str
    ssid: str = ""
    password: str = field(default="", repr=False)
    net: str = "wlan"
    lan: Mapping[str, int] = field(default_factory=dict)
    address: str = ""
    power_command: str = ""
    flash: bool = False
    erase: bool = False
    patience: float = PATIENCE

    def __post_init__(self) -> None:
        if not self.port:
            raise BoardFileError(
                f"which port? `lab boards` lists what is plugged in; PORT=..., or `port` in {FILE}"
            )
        if self.net not in ("wlan", "lan"):
            raise BoardFileError(f"NET is wlan or lan, not {self.net!r}")
        if self.password and not 8 <= len(self.password.encode()) <= 64:
            raise BoardFileError("a Wi-Fi password has 8 to 63 characters")  # IEEE 802.11, WPA2
        unknown = set(self.lan) - set(LAN_KEYS)
        if unknown:
            raise BoardFileError(f"lan: no such key {', '.join(sorted(unknown))}")

    def at(self, reported: str) -> tuple[str, int]:
        """Where HTTP is, for a board that says its address is `reported`. Raises BoardFileError."""
        host, _, port = (self.address or reported).partition(":")
        if not host or (port and not port.isdigit()):
            raise BoardFileError(f"ADDRESS is host or host:port, not {self.address!r}")
        return host, int(port) if port else HTTP_PORT


def results(environ: Mapping[str, str] | None = None) -> Path:
    """Where reports and the console go: $LAB_BOARD_RESULTS."""
    environ = os.environ if environ is None else environ
    return Path(environ.get("LAB_BOARD_RESULTS") or Path("results", "board"))


def each(environ: Mapping[str, str] | None = None) -> int | None:
    """$LAB_BOARD_EACH: so many tests of each suite file, and no more. Raises BoardFileError."""
    text = (os.environ if environ is None else environ).get("LAB_BOARD_EACH")
    if text and (not text.isdigit() or text == "0"):
        raise BoardFileError(f"LAB_BOARD_EACH is a number of tests, not {text!r}")
    return int(text) if text else None


def spread(things: Sequence[T], count: int | None) -> list[T]:
    """`count` of them, evenly spread, from the first on; all of them for None."""
    if count is None or count >= len(things):
        return list(things)
    return [things[n * len(things) // count] for n in range(count)]


def load(environ: Mapping[str, str] | None = None, folder: Path | None = None) -> BoardSettings:
    """The settings of $BOARD, else board.toml in `folder` (default: here), else of variables.

    Raises BoardFileError.
    """
    environ = os.environ if environ is None else environ
    path = (folder or Path()) / environ.get("BOARD", FILE)
    values: dict[str, Any] = {}
    if path.exists() or "BOARD" in environ:
        try:
            values = tomllib.loads(path.read_text())
        except OSError as error:
            raise BoardFileError(f"{path}: {error.strerror}") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise BoardFileError(f"{path}: {error}") from None
    unknown = set(values) - set(KEYS)
    if unknown:
        raise BoardFileError(f"{path}: no such key {', '.join(sorted(unknown))}")
    for key in KEYS:
        if key != "lan" and environ.get(key.upper()):
            values[key] = environ[key.upper()]
    return _checked(values)


def _checked(values: dict[str, Any]) -> BoardSettings:
    for key in ("flash", "erase"):
        text = str(values.get(key, "")).lower()
        if text not in YES + NO:
            raise BoardFileError(f"{key.upper()} is 1 or 0, not {text!r}")
        values[key] = text in YES
    try:
        values["patience"] = float(values.get("patience", PATIENCE))
    except (TypeError, ValueError):
        values["patience"] = 0.0
    if not 1 <= values["patience"] <= 100:
        raise BoardFileError("PATIENCE is a factor from 1 to 100")
    if not isinstance(values.get("lan", {}), dict):
        raise BoardFileError("lan is a table: lan = {power = 16, phy_addr = 1}")
    for key in ("port", "ssid", "password", "net", "address", "power_command"):
        if not isinstance(values.get(key, ""), str):
            raise BoardFileError(f"{key} is a text")
    values["net"] = str(values.get("net", "wlan")).lower()
    return BoardSettings(**{"port": "", **values})
