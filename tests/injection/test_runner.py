"""`lab inject` itself: what it runs, says and leaves behind."""

import json
import subprocess
import sys

import pytest
from broken import app

from lab import LabError
from lab.inject import catalog, run, workers
from lab.inject.board_rig import BoardRig
from lab.inject.boards import FOLDER, serving
from lab.inject.case import CaseFailed
from lab.inject.outcome import Outcome
from lab.inject.script import from_json, to_json
from lab.inject.stream import play
from lab.inject.tables import lines

LAB = [sys.executable, "-m", "lab", "inject"]


def lab(*arguments):
    return subprocess.run([*LAB, *arguments], capture_output=True, text=True, timeout=100)


class Mute:
    """A server that takes everything, says nothing, and ends nothing."""

    tardiness = 0.0
    now = 0.0
    ended = False

    class Stream:
        reset = False

        def __init__(self, ended):
            self.received, self.finished = bytearray(), ended

        def send(self, data):
            pass

        fin = rst = lambda self: None

    def open(self, upgraded):
        return self.Stream(self.ended)

    def wait(self, predicate, seconds):
        self.now += 0 if predicate() else seconds
        return predicate()

    def pause(self, seconds):
        self.now += seconds

    def note(self, text):
        pass


class Closed(Mute):
    """A server that hangs up at once."""

    ended = True


def judged_by_probes(case):
    """Reset by the client, or silence: there is nothing to be seen but what the board is after."""
    ends = {case.expect.end, *(other.end for other in case.others)}
    return ends <= {"gone"}


@pytest.mark.parametrize("case", catalog.stream_cases(), ids=lambda case: case.case().id)
def test_no_case_is_content_with_any_server(case):
    """A server that does nothing, or hangs up, passes none whose verdict is in the conversation."""
    verdicts = []
    for rig in (Mute(), Closed()):
        try:
            play(case, rig)
            verdicts.append("passes")
        except CaseFailed:
            verdicts.append("fails")
    assert judged_by_probes(case) or "fails" in verdicts


def test_all_cases_survive_json():
    for case in catalog.stream_cases():
        assert from_json(json.loads(json.dumps(to_json(case)))) == case


def test_the_tables_know_the_limits_of_the_app():
    source = (FOLDER / "app.py").read_text()
    assert f"LIMIT = {lines.LIMIT}\n" in source
    assert f"READ_SECONDS = {lines.READ_SECONDS}\n" in source


def test_there_are_as_many_cases_as_promised():
    cases = [case.case() for case in catalog.stream_cases()]
    assert len(cases) >= 400
    assert all(case.source.startswith(("RFC ", "websocket-spec")) for case in cases)


def test_a_pattern_chooses_by_name_and_group():
    cases = catalog.all_cases()
    assert {case.group for case in catalog.choose(cases, "mask, UTF8")} == {"mask", "utf8"}
    assert [c.name for c in catalog.choose(cases, "flood/100 *fragments")] == ["100 fragments"]


# --- the command ---------------------------------------------------------------------------------


def test_the_last_line_counts(tmp_path):
    done = lab("--cases", "mask/key cut*", "--report", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "4 cases, 4 passed, 0 failed, 0 skipped"
    rows = json.loads((tmp_path / "matrix.json").read_text())
    assert {(row["target"], row["outcome"]) for row in rows} == {("embedded", "passed")}
    assert "key cut after 3 bytes, FIN" in (tmp_path / "matrix.html").read_text()


def test_a_bad_pattern_names_itself():
    done = lab("--cases", "nonsense/*")
    assert done.returncode == 1
    assert done.stderr.startswith(
        "lab: no case matches 'nonsense/*'; the groups are arp, bit flip in bss"
    )
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments, wanted",
    [
        (["--target", "nowhere"], "lab: no target 'nowhere': "),
        (["--target", "host:99999"], "lab: no target 'host:99999': "),
        (["replay"], "lab: `lab inject replay FILE`"),
        (["replay", "/nowhere"], "lab: /nowhere"),
        (["run", "file"], "lab: `lab inject run` takes no file"),
    ],
)
def test_mistakes_are_one_line(arguments, wanted):
    done = lab(*arguments)
    assert done.returncode == 1
    assert done.stderr.startswith(wanted) and done.stderr.count("\n") == 1


def test_a_budget_skips_what_is_left(tmp_path):
    cases = catalog.choose(catalog.all_cases(), "mask")
    results = run.inject(cases, ["embedded"], budget=1e-9, jobs=1, folder=tmp_path)
    assert {(r.outcome, r.why) for r in results} == {("skipped", workers.OUT_OF_TIME)}


def test_a_server_that_is_not_there_skips_its_cases(tmp_path):
    cases = catalog.choose(catalog.all_cases(), "mask")
    results = run.inject(cases, ["127.0.0.1:1"], jobs=1, folder=tmp_path)
    assert {r.outcome for r in results} == {"skipped"}
    assert "127.0.0.1:1 can't be opened: no connection" in results[0].why


def test_failures_are_kept_and_linked(tmp_path, monkeypatch, capsys):
    """Two processes, a board that a text harms: exit status, counts and links say so."""
    broken = serving(app=app("ok", "1 / 0"))
    monkeypatch.setitem(run.TARGETS, "embedded", lambda seed: BoardRig(broken, seed))
    cases = catalog.choose(catalog.all_cases(), "mask/key cut*,mask/none: pong")
    results = run.inject(cases, ["embedded"], jobs=2, folder=tmp_path)
    run.say_results(results, 1.0)
    assert capsys.readouterr().out.endswith("5 cases, 4 passed, 1 failed, 0 skipped\n")
    (bad,) = [r for r in results if r.outcome == "failed"]
    assert "a traceback: " in bad.why
    page = (tmp_path / "matrix.html").read_text()
    for name, link in bad.links:
        assert (tmp_path / link).stat().st_size
        assert f'<a href="{link}">{name}</a>' in page


def test_a_rig_that_breaks_takes_no_other_case_with_it(tmp_path):
    class Breaks:
        def run(self, case):
            if case.name.endswith("1 bytes, FIN"):
                raise RuntimeError("broken")
            return Outcome()

        def close(self):
            pass

    worker = workers.Worker({"x": lambda seed: Breaks()}, 1, tmp_path, None)
    tasks = [workers.Task(c, "x") for c in catalog.choose(catalog.all_cases(), "mask/key cut*")]
    whys = [done.outcome.why for done in workers.run(worker, tasks, 1)]
    assert sorted(whys) == ["", "", "", "the rig broke: RuntimeError: broken"]


def test_two_cases_of_one_name_are_refused():
    case = catalog.all_cases()[0]
    with pytest.raises(LabError, match="two cases are called"):
        catalog.check_names([case, case])
