"""`python -m lab`, and what the `lab` script runs: signals are ours before anything else loads."""

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
        signals.ignore()


if __name__ == "__main__":
    sys.exit(main())
