"""`lab renode net`: the lab's network for a board that a person runs in Renode."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from lab.interrupt import signals
from lab.net.bridge import Bridge
from lab.net.capture import Capture
from lab.net.gateway import Gateway, HostForward
from lab.net.switch import Switch

TYPE_THERE = """In Renode's Monitor:
  emulation CreateLabBridge "lab" {port}
  connector Connect lab switch
  lab ConnectRaw sysbus.emac"""


def serve(
    say: Callable[[str], None], port: int = 0, http_port: int = 0, capture: Path | None = None
) -> None:
    """Switch, gateway and bridge until Renode hangs up or a signal comes.

    port: where Renode connects, on loopback; http_port: the board's page; 0 takes any free one.
    Raises BridgeError, GatewayError.
    """
    with contextlib.ExitStack() as desk:
        switch = Switch()
        gateway = Gateway(switch, [HostForward(80, http_port)])
        desk.callback(gateway.stop)
        if capture:
            desk.callback(Capture(capture, switch).close)
        bridge = Bridge(switch, "renode", port)
        desk.callback(bridge.close)
        say(TYPE_THERE.format(port=bridge.port))
        say("page      http://%s:%d/" % gateway.forwards[80])
        with signals.calling(lambda number: bridge.ended.set()):
            bridge.ended.wait()
        say(f"frames    {bridge.received} from Renode, {bridge.sent} to it")
        if bridge.error:
            raise bridge.error
