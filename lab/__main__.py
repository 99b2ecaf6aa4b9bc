"""The `lab` script, `python -m lab`: signals are ours before what takes time is loaded."""

from __future__ import annotations

import sys

from lab.interrupt import signals


def main() -> int:
    """Entry point; returns the exit status."""
    signals.install()
    try:
        from lab.cli import main as command

        return command()
    finally:
        signals.block()


if __name__ == "__main__":
    sys.exit(main())
