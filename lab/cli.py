"""The `lab` command: signals are ours before anything that takes time is loaded."""

from __future__ import annotations

import sys

from lab.interrupt import signals


def main() -> int:
    """Entry point; returns the exit status."""
    signals.install()
    try:
        from lab.commands import main as command

        return command()
    finally:
        signals.ignore()


if __name__ == "__main__":
    sys.exit(main())
