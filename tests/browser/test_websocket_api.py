"""What the browser's own WebSocket API (WHATWG, "WebSockets") sees of the board."""

import pytest

from lab.browser import SECONDS

pytestmark = pytest.mark.chromium

# opens a WebSocket `ws`; `event(name)` is the next event of that name, as a promise
OPEN = """
    const ws = new WebSocket(args[0]);
    const event = name => new Promise(done => ws.addEventListener(name, done, {once: true}));
    const closed = event('close').then(e => [e.code, e.reason, e.wasClean]);
    await Promise.race([event('open'), closed]);
"""


@pytest.fixture
def script(browser, ws_url, url):
    """A function that runs JavaScript with `ws`, a WebSocket to the board's echo."""
    browser.open_tab(url + "status")  # the page's origin, without its own WebSocket

    def run(body, *arguments):
        return browser.run_async(OPEN + body, ws_url, *arguments)

    return run


def test_close_is_clean(script):
    assert script("ws.close(); return closed;") == [1005, "", True]


@pytest.mark.parametrize("code", [1000, 3000, 4999])
def test_close_code_comes_back(script, wait_for_line, code):
    assert script("ws.close(args[1], 'grüße'); return closed;", code) == [code, "", True]
    wait_for_line(f"lab: closed {code}")


@pytest.mark.parametrize("code", [0, 999, 1001, 1005, 1006, 1015, 2999, 5000])
def test_browser_refuses_close_codes(script, code):
    body = "try { ws.close(args[1]); } catch (error) { return error.name; }"
    assert script(body, code) == "InvalidAccessError"


def test_browser_refuses_a_long_reason(script):
    body = "try { ws.close(1000, 'ü'.repeat(62)); } catch (error) { return error.name; }"
    assert script(body) == "SyntaxError"


def test_message_over_the_limit(script):
    assert script("ws.send('x'.repeat(16385)); return closed;") == [1009, "message too big", True]


def test_message_at_the_limit(script):
    body = "ws.send('x'.repeat(16384)); return (await event('message')).data.length;"
    assert script(body) == 16384


def test_stopped_server(script, browser, board):
    script("window.gone = closed; ws.send('x'); await event('message');")
    board.console.interrupt(SECONDS)
    assert browser.run_async("return window.gone") == [1001, "the board stops", True]


def test_power_cut_is_1006(script, browser, board):
    script("window.ws = ws; window.gone = closed; ws.send('x'); await event('message');")
    board.power_cycle()
    board.console.wait_for("lab: http on", SECONDS)
    assert browser.run_async("window.ws.send('x'); return window.gone") == [1006, "", False]


def test_arraybuffer(script):
    body = """
        ws.binaryType = 'arraybuffer';
        ws.send(new Uint8Array([0, 1, 254, 255]));
        const data = (await event('message')).data;
        return [data.constructor.name, Array.from(new Uint8Array(data))];
    """
    assert script(body) == ["ArrayBuffer", [0, 1, 254, 255]]


def test_blob(script):
    body = """
        ws.send(new Blob(['grüße']));
        const data = (await event('message')).data;
        return [data.constructor.name, data.size, await data.text()];
    """
    assert script(body) == ["Blob", 7, "grüße"]


@pytest.mark.parametrize("text", ["", "grüße, 世界 🚀"], ids=["empty", "utf-8"])
def test_text(script, text):
    assert script("ws.send(args[1]); return (await event('message')).data", text) == text


def test_lone_surrogate_becomes_the_replacement_character(script):
    body = "ws.send('a\\ud800b'); return (await event('message')).data"
    assert script(body) == "a\ufffdb"


def test_many_messages_keep_their_order(script):
    body = """
        const got = [];
        const all = new Promise(done => ws.onmessage = e => {
          got.push(+e.data);
          if (got.length === 50) done(got);
        });
        for (let i = 0; i < 50; i++) ws.send(i);
        return all;
    """
    assert script(body) == list(range(50))


def test_no_such_endpoint(browser, ws_url, url):
    browser.open_tab(url + "status")
    body = OPEN + "return [await closed, ws.readyState]"
    assert browser.run_async(body, ws_url + "/nothing") == [[1006, "", False], 3]


def test_plain_page_is_no_endpoint(browser, ws_url, url):
    browser.open_tab(url + "status")
    body = OPEN + "return await closed"
    assert browser.run_async(body, ws_url.replace("echo", "status")) == [1006, "", False]
