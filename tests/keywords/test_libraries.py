"""The keyword libraries as a tester meets them: their reference, and what a failure shows."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from robot.api import ExecutionResult
from robot.libdocpkg import LibraryDocumentation

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = sorted(p.stem for p in (ROOT / "lab" / "keywords").glob("*Keywords.py"))

# name and arguments as in Renode's tests/renode-keywords.robot and RobotFrameworkEngine/*.cs
RENODE = {
    "Create Terminal Tester": ["uart", "timeout", "machine"],
    "Execute Command": ["command", "machine"],
    "Provides": ["state"],
    "Requires": ["state"],
    "Reset Emulation": [],
    "Send Key To Uart": ["c", "testerId"],
    "Set Default Uart Timeout": ["timeout"],
    "Should Not Be On Uart": [
        "content", "timeout", "testerId", "treatAsRegex", "includeUnfinishedLine",
    ],
    "Start Emulation": [],
    "Test If Uart Is Idle": ["timeout", "testerId", "pauseEmulation"],
    "Wait For Line On Uart": [
        "content", "timeout", "testerId", "treatAsRegex", "includeUnfinishedLine",
        "pauseEmulation", "matchNextLine",
    ],
    "Wait For Next Line On Uart": ["timeout", "testerId", "pauseEmulation"],
    "Wait For Prompt On Uart": ["prompt", "testerId", "timeout", "treatAsRegex", "pauseEmulation"],
    "Write Char On Uart": ["c", "testerId"],
    "Write Line To Uart": ["content", "testerId", "waitForEcho", "pauseEmulation"],
    "Write To Uart": ["content", "testerId"],
}  # fmt: skip


@pytest.fixture(scope="module")
def documentation():
    return {name: LibraryDocumentation(f"lab.keywords.{name}") for name in LIBRARIES}


@pytest.mark.parametrize("name", LIBRARIES)
def test_library_and_every_keyword_are_documented(documentation, name):
    library = documentation[name]
    assert library.doc.strip()
    assert library.keywords
    assert [k.name for k in library.keywords if not k.doc.strip()] == []


@pytest.mark.parametrize("name", LIBRARIES)
def test_references_to_keywords_lead_somewhere(documentation, name):
    known = {k.name for library in documentation.values() for k in library.keywords}
    known |= {a.name for library in documentation.values() for k in library.keywords
              for a in k.args}  # fmt: skip
    library = documentation[name]
    texts = [library.doc, *(k.doc for k in library.keywords)]
    named = {n for text in texts for n in re.findall(r"(?<!`)`([A-Z][^`]+)`(?!`)", text)}
    assert named - known == set()


def test_no_keyword_stands_in_two_libraries(documentation):
    names = [k.name for library in documentation.values() for k in library.keywords]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("name", RENODE)
def test_renodes_names_and_arguments(documentation, name):
    (found,) = [k for library in documentation.values() for k in library.keywords
                if k.name == name]  # fmt: skip
    assert [a.name for a in found.args][: len(RENODE[name])] == RENODE[name]


@pytest.mark.parametrize("name", LIBRARIES)
def test_html_reference_is_made(documentation, name, tmp_path):
    path = tmp_path / f"{name}.html"
    command = [sys.executable, "-m", "robot.libdoc", "--quiet", f"lab.keywords.{name}", str(path)]
    subprocess.run(command, check=True, cwd=ROOT, timeout=60)
    html = path.read_text()
    assert documentation[name].keywords[0].name in html


SUITE = """
*** Settings ***
Resource            {resource}
Test Teardown       Reset Emulation

*** Test Cases ***
Fails On Purpose
    A Board That Serves
    Open WebSocket    /echo
    Send Text    good morning
    Expect Message    good night

Passes
    A Board That Serves
    Open WebSocket    /echo
"""


def run_suite(tmp_path, text, *options):
    suite = tmp_path / "on_purpose.robot"
    suite.write_text(text.format(resource=ROOT / "robot" / "board.resource"))
    command = [sys.executable, "-m", "robot", "--outputdir", str(tmp_path / "out"),
               "--pythonpath", str(ROOT), *options, str(suite)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    return done, ExecutionResult(str(tmp_path / "out" / "output.xml"))


def test_a_failure_shows_uart_frames_and_capture(tmp_path):
    done, result = run_suite(tmp_path, SUITE)
    assert done.returncode == 1, done.stdout + done.stderr
    failed, passed = result.suite.tests
    shown = "\n".join(m.message for m in failed.body.filter(messages=True))
    assert "rst:0x1 (POWERON_RESET)" in shown and "lab: http on 10.0.2.15:80" in shown
    assert "default: -&gt; text 12 bytes b&#x27;good morning&#x27;" in shown
    assert "default: &lt;- text 12 bytes b&#x27;good morning&#x27;" in shown
    assert "ARP who has 10.0.2.15 says 10.0.2.100" in shown
    link = re.search(r'href="(failures/[^"]+\.pcapng)"', shown)
    assert link
    capture = tmp_path / "out" / link[1]
    assert capture.read_bytes().startswith(b"\x0a\x0d\x0d\x0a")
    assert b"good morning" in capture.read_bytes()  # the board's frame has no mask
    assert not list(passed.body.filter(messages=True))
    assert [p.name for p in capture.parent.iterdir()] == [capture.name]


def test_under_pabot_the_link_leads_from_the_merged_log(tmp_path):
    suite = tmp_path / "on_purpose.robot"
    suite.write_text(SUITE.format(resource=ROOT / "robot" / "board.resource"))
    command = [
        sys.executable, "-m", "pabot.pabot", "--command", sys.executable, "-m", "robot",
        "--end-command", "--no-pabotlib", "--outputdir", str(tmp_path / "out"),
        "--pythonpath", str(ROOT), str(suite),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, cwd=tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    output = (tmp_path / "out" / "output.xml").read_text()
    link = re.search(r'href="([^"]+\.pcapng)"', output.replace("&quot;", '"'))
    assert link and (tmp_path / "out" / link[1]).is_file()


WRONG = """
*** Settings ***
Resource            {resource}

*** Test Cases ***
{name}
    [Teardown]    Reset Emulation
    {steps}
"""


@pytest.mark.parametrize(
    "steps, message",
    [
        ("Power Cycle", "no board is on the desk"),
        ("Requires    nothing like that", "nothing provides 'nothing like that'"),
        ("Create Machine    app=unheard-of", "no app 'unheard-of'"),
        ("A Board At Its Prompt\n    Open WebSocket", "the board has no network"),
        ("A Board At Its Prompt\n    Execute Command    dance", "no Monitor command 'dance'"),
        ("A Board At Its Prompt\n    Create Terminal Tester    sysbus.uart1", "only uart0"),
        ("A Board That Serves\n    Impair Network    loss=2", "loss is a chance"),
        ("A Board That Serves\n    Send Text    x", "no WebSocket 'default' is open"),
        ("A Board That Serves\n    Wait For Line On Uart    never    timeout=1",
         "'never' did not come in time"),
    ],
)  # fmt: skip
def test_a_wrong_step_says_what_is_wrong(tmp_path, steps, message):
    text = WRONG.replace("{name}", "Wrong").replace("{steps}", steps)
    _, result = run_suite(tmp_path, text)
    (test,) = result.suite.tests
    assert test.failed and message in test.message
