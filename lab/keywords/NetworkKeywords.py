"""Faults of the network: the cable, and what may go wrong on it."""

from __future__ import annotations

from robot.api.deco import keyword, library

from lab.capabilities import Capability, needs, require
from lab.keywords.bench import bench
from lab.net.impair import BadCable, Impairment
from lab.net.router import Router


@library(scope="SUITE", auto_keywords=False)
class NetworkKeywords:
    """The cable between the board and the switch.

    Pulled, the board's PHY sees that its link is gone. Cut, nothing gets through though the link
    looks up, as behind a switch that has died. All chance comes from a seed: a run repeats.
    """

    @keyword
    @needs(Capability.LINK)
    def pull_cable(self) -> None:
        """Unplug the board's Ethernet."""
        bench.board.set_link(False)

    @keyword
    @needs(Capability.LINK)
    def plug_cable(self) -> None:
        """Plug it in again."""
        bench.board.set_link(True)

    @keyword
    @needs(Capability.FRAMES)
    def impair_network(
        self,
        loss: float = 0,
        delay: float = 0,
        jitter: float = 0,
        reorder: float = 0,
        duplicate: float = 0,
        bandwidth: float | None = None,
        direction: str = "both",
        seed: int = 1,
    ) -> None:
        """From now on the cable is bad, in place of how it was before.

        ``loss``, ``reorder`` and ``duplicate`` are chances, 0 to 1, for each frame; ``delay`` and
        ``jitter`` seconds, one way; ``bandwidth`` bits a second. ``direction``: ``both``,
        ``from board`` or ``to board``.

        | `Impair Network` | loss=0.2    | |
        | `Impair Network` | delay=0.15  | jitter=0.05 |
        """
        bad = Impairment(loss=loss, delay=delay, jitter=jitter, reorder=reorder,
                         duplicate=duplicate, bandwidth=bandwidth)  # fmt: skip
        directions = {"both": (bad, bad), "from board": (bad, Impairment()),
                      "to board": (Impairment(), bad)}  # fmt: skip
        if direction not in directions:
            raise AssertionError(f"direction: {', '.join(directions)}, not {direction!r}")
        self._cable(*directions[direction], seed)

    @keyword
    def heal_network(self) -> None:
        """A perfect cable again."""
        if bench.cable:
            bench.cable.remove()
            bench.cable = None

    @keyword
    @needs(Capability.FRAMES)
    def cut_network(self) -> None:
        """Nothing gets through from now on, and the board is not told."""
        if bench.cable is None:
            self._cable(Impairment(), Impairment(), 1)
        assert bench.cable
        bench.cable.cut()

    @keyword
    def mend_network(self) -> None:
        """Undo `Cut Network`."""
        if bench.cable:
            bench.cable.mend()

    @keyword
    def frames_lost(self) -> int:
        """How many frames the bad cable has lost so far, both ways."""
        return sum(c.lost for c in bench.cable.counters) if bench.cable else 0

    @keyword
    def frames_duplicated(self) -> int:
        """How many frames the bad cable has doubled so far, both ways."""
        return sum(c.duplicated for c in bench.cable.counters) if bench.cable else 0

    @keyword
    def frames_reordered(self) -> int:
        """How many frames the bad cable has held back so far, both ways."""
        return sum(c.reordered for c in bench.cable.counters) if bench.cable else 0

    @keyword(name="Stop DHCP")
    @needs(Capability.ROUTER)
    def stop_dhcp(self) -> None:
        """The router answers no request for an address any more."""
        self._router().enabled = False

    @keyword(name="Start DHCP")
    @needs(Capability.ROUTER)
    def start_dhcp(self) -> None:
        """Undo `Stop DHCP`."""
        self._router().enabled = True

    @keyword
    @needs(Capability.ROUTER)
    def leases_given(self) -> int:
        """How often the board has got an address from the router."""
        return self._router().leases

    @staticmethod
    def _router() -> Router:
        require(bench.target, Capability.ROUTER)
        if bench.router is None:
            raise AssertionError("only a network inside the simulation has a router to tell")
        return bench.router

    @staticmethod
    def _cable(to_switch: Impairment, to_host: Impairment, seed: int) -> None:
        port = bench.emulated(Capability.FRAMES).port
        if port is None:
            raise AssertionError("the board has no network")
        bench.cable = BadCable(port, bench.clock, to_switch, to_host, seed)
