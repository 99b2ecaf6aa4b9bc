"""Under renode-test: boards live in the Renode that it has started, through its robot server."""

import threading
from xmlrpc.server import SimpleXMLRPCServer

import pytest
from fake_renode import FakeRenode

from lab.keywords import bench
from lab.renode import RenodeError
from lab.targets import emulated_board, renode_link
from lab.targets import renode as target
from lab.targets.renode import RenodeBoard


class RobotServer:
    """`run_keyword` of Renode's robot server, as far as the lab uses it."""

    def __init__(self):
        self.calls, self.refuses = [], False
        self._server = SimpleXMLRPCServer(("127.0.0.1", 0), logRequests=False)
        self._server.register_function(self.run_keyword)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def run_keyword(self, name, arguments):
        self.calls.append(name)
        if self.refuses:
            return {"status": "FAIL", "error": "KeywordException: no such file"}
        if name == "ExecuteScript":
            threading.Thread(target=FakeRenode(arguments[0]).serve, daemon=True).start()
        return {"status": "PASS"}

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server(monkeypatch):
    one = RobotServer()
    monkeypatch.setattr(target, "_idle", [])
    monkeypatch.setattr(renode_link, "running_port", one.port)
    monkeypatch.setenv("RENODE", "/nonexistent/renode")  # none is started
    yield one
    while target._idle:
        target._idle.pop().close()
    one.close()


def test_a_board_lives_in_the_running_renode(server, booted_repl):
    assert emulated_board("renode") is RenodeBoard
    with RenodeBoard(booted_repl.image, snapshot=booted_repl.snapshot) as board:
        link = board.link
        assert link.process is None
        assert board.console.eval("6 * 7") == "42"
    with RenodeBoard(booted_repl.image, snapshot=booted_repl.snapshot) as board:
        assert board.link is link
    link.close()
    assert server.calls == ["ExecuteScript", "ResetEmulation"]


def test_a_script_that_is_refused_is_told(server, repl_image):
    server.refuses = True
    with pytest.raises(RenodeError, match="Renode refuses: KeywordException: no such file"):
        RenodeBoard(repl_image)


def test_a_server_that_is_gone_is_told(server, monkeypatch, repl_image):
    monkeypatch.setattr(renode_link, "running_port", 1)
    with pytest.raises(RenodeError, match="Renode's robot server does not do ExecuteScript"):
        RenodeBoard(repl_image)


@pytest.mark.parametrize(
    "variables, port",
    [
        ({"${SKIP_RUNNING_SERVER}": "True", "${PORT_NUMBER}": "49152"}, 49152),
        ({"${SKIP_RUNNING_SERVER}": None, "${PORT_NUMBER}": None}, None),
        ({"${SKIP_RUNNING_SERVER}": "False", "${PORT_NUMBER}": "9999"}, None),
    ],
)
def test_renode_tests_variables_choose_the_target(monkeypatch, variables, port):
    class Variables:
        def get_variable_value(self, name):
            return variables[name]

    monkeypatch.setattr(bench, "BuiltIn", Variables)
    monkeypatch.setattr(renode_link, "running_port", None)
    assert bench._target() == (port and "renode")
    assert renode_link.running_port == port
