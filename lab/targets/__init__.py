"""The boards that a test may run on, one module each; TARGET or --target chooses."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lab import LabError

if TYPE_CHECKING:
    from lab.targets.embedded import EmbeddedBoard

EMULATED = ("embedded", "renode")


def emulated_board(target: str | None = None) -> type[EmbeddedBoard]:
    """The class of emulated boards for `target`, else for $TARGET, else the embedded one.

    Raises LabError when that is no emulated board, RenodeError when there is no Renode that fits.
    """
    wanted = target or os.environ.get("TARGET") or "embedded"
    if wanted == "embedded":
        from lab.targets.embedded import EmbeddedBoard

        return EmbeddedBoard
    if wanted == "renode":
        from lab import renode
        from lab.targets import renode_link
        from lab.targets.renode import RenodeBoard

        if renode_link.running_port is None:
            renode.find()
        return RenodeBoard
    raise LabError(f"TARGET={wanted} is no emulated board: {' or '.join(EMULATED)}")
