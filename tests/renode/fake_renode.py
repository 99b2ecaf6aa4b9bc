#!/usr/bin/env python3
"""Stands in for Renode before lab/targets/renode_link.py: the chip library under the plug-in's
calls (plugin_host.py), and the two cables of hw/renode/Lab.cs. Its switch is a wire.

    fake_renode.py [options] lab.resc
"""

import os
import re
import socket
import struct
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from plugin_host import PluginHost

from lab.net.bridge import Unpacker, pack


class FakeRenode(PluginHost):
    def __init__(self, script):
        text = Path(script).read_text()
        super().__init__(Path(re.search(r"\$flash=@(\S+)", text)[1]).read_bytes())
        bridge = re.search(r'CreateLabBridge "\w+" (\d+)', text)[1]
        link = re.search(r'CreateLabLink "\w+" (\d+)', text)[1]
        self.bridge = socket.create_connection(("127.0.0.1", int(bridge)))
        self.link = socket.create_connection(("127.0.0.1", int(link)))
        self.frames, self.received, self.sent = [], 0, 0
        self.came = threading.Condition()
        self.stops, self.delivered = 0, 0
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        unpacker = Unpacker()
        while data := self.bridge.recv(65536):
            with self.came:
                for frame in unpacker.feed(data):
                    self.frames.append(frame)
                    self.received += 1
                self.came.notify_all()

    def answer(self, text):
        self.link.sendall(pack(b"A" + text.encode()))

    def serve(self):
        self.answer("+")
        unpacker = Unpacker()
        while data := self.link.recv(65536):
            for request in unpacker.feed(data):
                self.do(request[:1], request[1:])

    def do(self, kind, rest):
        if kind == b"W":
            if rest[0] == 0:
                self.typed += rest[1:]
        elif kind == b"R":
            nanoseconds, frames, reasons = struct.unpack("!QII", rest)
            with self.came:
                self.came.wait_for(lambda: self.received >= frames)
            self.let_pass(nanoseconds * 160 // 1000, reasons)
            self.answer(f"+{self.sent} {self.status()}")
        elif kind == b"M":
            data = self.memory(*struct.unpack("!II", rest))
            self.link.sendall(pack(b"A-no memory" if data is None else b"A+" + data))
        else:
            try:
                self.answer("+" + self.command(rest.decode().split()))
            except (KeyError, AssertionError) as error:
                self.answer(f"-{error}")

    def let_pass(self, count, reasons):
        end = self.told + count
        while self.told < end and not self.stops & reasons:
            while self.frames:
                frame = self.frames.pop(0)
                self.api.eth_rx(self.chip, frame, len(frame))
            self.stops |= self.execute(min(160_000, end - self.told))
            for _, data in self.output[self.delivered :]:
                for byte in data:
                    self.link.sendall(pack(bytes([0x55, 0, byte])))
            self.delivered = len(self.output)

    def sent_frame(self, frame):
        self.sent += 1
        self.bridge.sendall(pack(frame))

    def status(self):
        seen, self.stops = self.stops, 0
        api, chip = self.api, self.chip
        return " ".join(map(str, [
            self.now, seen, api.next_event(chip), api.core_status(chip, 0),
            api.core_status(chip, 1), *(api.uart_baud(chip, n) for n in range(3)),
            api.gpio_out(chip), api.gpio_enabled(chip), api.reset_count(chip),
            api.flash_work(chip), api.instructions(chip, 0), api.instructions(chip, 1),
        ]))  # fmt: skip

    def command(self, words):
        name, *rest = words[1:] if words[0] == "sysbus.cpu" else words
        path = Path(rest[0][1:]) if rest and rest[0].startswith("@") else None
        if name == "LoadFlash":
            self.load_flash(path.read_bytes())
        elif name == "SaveState":
            path.write_bytes(self.save())
        elif name == "LoadState":
            self.load(path.read_bytes())
            self.powered = True
        elif name == "ResetBy":
            self.reset(int(rest[0]))
        elif name == "Mac":
            self.mac = bytes.fromhex(rest[0].removeprefix("0x"))
        elif name == "Seed":
            self.seed = int(rest[0])
        elif name == "StepCore":
            self.stops |= self.api.step(self.chip, int(rest[0]))
            self.align()
        elif name == "UartError":
            self.api.uart_error(self.chip, int(rest[0]), rest[1] == "True")
        elif name == "WriteMemory":
            data = bytes.fromhex(rest[1].strip('"'))
            assert not self.api.mem_write(self.chip, int(rest[0], 0), data, len(data)), "no RAM"
        elif name == "ReadRegister":
            return hex(self.register(rest[0].strip('"'), int(rest[1])))
        elif name == "WriteRegister":
            wanted = rest[0].strip('"').encode(), int(rest[1], 0)
            assert not self.api.reg_write(self.chip, int(rest[2]), *wanted), "no such register"
        elif name == "SaveFlash":
            path.write_bytes(self.read_flash())
        elif name == "PowerCut":
            self.api.power_cut(self.chip, int(rest[0]))
        elif name == "ErrorText":
            return self.error
        elif name == "TakeLog":
            lines, self.log = self.log, []
            return "\n".join(lines)
        elif name == "sysbus.emac":
            self.api.eth_link(self.chip, rest[1] == "True")
        elif name == "die":
            os._exit(3)
        elif name != "version":
            raise KeyError(f"No such command or device: {name}")
        return ""


if __name__ == "__main__":
    if "--version" in sys.argv:
        print("Renode v1.16.1.0\n  build: none")
    else:
        print("a fake Renode begins", flush=True)
        FakeRenode(sys.argv[-1]).serve()
