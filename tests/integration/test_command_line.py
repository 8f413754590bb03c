"""What a user reads at the prompt, and the exit statuses that scripts rely on."""

import json

import pytest

from dfm.version import VERSION
from tests.integration.conftest import Project

FLOW = """
  tasks:
  - {root: build, desc: Compile it, run: 'true'}
  - {root: test, needs: [build], run: 'true'}
  - {name: helper, run: 'echo a word; exit 3'}
"""


def test_help_names_the_commands(project: Project) -> None:
    for words in (("--help",), ("-h",)):
        out = project.ok(*words).out
        for command in ("run", "daemon", "worker"):
            assert f"  {command}" in out
    assert "--keep-going" in project.ok("run", "--help").out
    assert "--pool-size" in project.ok("daemon", "start", "--help").out
    assert "--connect" in project.ok("worker", "--help").out
    assert project.ok("-V").out == f"dfm {VERSION}\n"


def test_wrong_usage_is_status_2(project: Project) -> None:
    assert project.dfm("--log-level", "LOUD", "runners").status == 2
    assert project.ok("--log-level", "DEBUG", "runners")
    for words in ((), ("rum",), ("run", "--nope"), ("run", "-j", "0"), ("daemon", "begin")):
        assert project.dfm(*words).status == 2, words


def test_run_without_a_task_lists_the_root_tasks_and_runs_nothing(project: Project) -> None:
    project.flow(FLOW)
    out = project.ok("run").out
    assert out == "p\np.build - Compile it\np.test  - <no description>\n"
    assert not (project.folder / "rundir").exists()


def test_an_unknown_task_is_named_with_near_ones(project: Project) -> None:
    project.flow(FLOW)
    done = project.dfm("run", "biuld")
    assert done.status == 2
    assert done.err == "dfm: package p has no task `biuld`\n     did you mean `build`?\n"
    assert not (project.folder / "rundir").exists()


def test_all_faults_of_a_flow_are_said_with_their_places_and_nothing_runs(project: Project) -> None:
    project.flow(
        "  tasks:\n"
        "  - {root: a, run: 'true', need: [b]}\n"
        "  - root: b\n"
        "    needs: [c]\n"
        "    run: |\n"
        "      echo ${{ topp }}\n"
    )
    done = project.dfm("run", "a")
    assert done.status == 2
    lines = [line for line in done.err.split("\n") if line.startswith("flow.yaml:")]
    assert [line.split(": ")[0] for line in lines] == [
        "flow.yaml:4:28", "flow.yaml:6:13", "flow.yaml:8:16",
    ]  # fmt: skip
    assert "did you mean `needs`" in done.err
    assert "Traceback" not in done.err
    assert not (project.folder / "rundir").exists()


def test_no_flow_file_is_said(project: Project) -> None:
    for words in (("run", "t"), ("daemon", "start")):
        done = project.dfm(*words)
        assert done.status == 2
        assert "no flow file in" in done.err
        assert "--root" in done.err


def test_the_flow_is_found_from_below_and_rundir_is_where_dfm_runs(project: Project) -> None:
    project.flow(FLOW)
    below = project.folder / "a" / "b"
    below.mkdir(parents=True)
    assert project.dfm("run", "test", cwd=below).status == 0
    assert (below / "rundir/p.test").is_dir()
    assert not (project.folder / "rundir").exists()
    project.ok("run", "test", "--root", "a/b/../..")
    elsewhere = project.folder.parent
    assert project.dfm("run", cwd=elsewhere, DV_FLOW_ROOT=str(project.folder)).status == 0


def test_exit_statuses_of_a_run(project: Project) -> None:
    project.flow(FLOW)
    assert project.dfm("run", "test").status == 0
    failed = project.dfm("run", "helper")
    assert failed.status == 1, "whatever the task's own status is"
    assert "FAILED p.helper: status 3" in failed.out
    assert "log: rundir/p.helper/p.helper.log" in failed.out
    assert "| a word" in failed.out


def test_fail_fast_and_keep_going(project: Project) -> None:
    project.flow(
        "  tasks:\n"
        "  - {name: bad, run: 'exit 1'}\n"
        "  - {name: good, run: 'sleep 0.3'}\n"
        "  - {name: late, needs: [good], run: 'true'}\n"
        "  - {name: follows, needs: [bad], run: 'true'}\n"
        "  - {root: all, needs: [bad, late, follows], run: 'true'}\n"
    )
    fast = project.dfm("run", "all", "-j", "4")
    assert (fast.status, fast.counts()) == (
        1, {"total": 5, "done": 1, "up-to-date": 0, "failed": 1, "skipped": 3},
    )  # fmt: skip
    going = project.dfm("run", "all", "-k")
    assert (going.status, going.counts()) == (
        1, {"total": 5, "done": 1, "up-to-date": 1, "failed": 1, "skipped": 2},
    )  # fmt: skip
    project.write(".dfm/config.yaml", "run: {keep_going: true}\n")
    assert project.dfm("run", "all").counts()["up-to-date"] == 2


def test_options_stand_before_and_after_the_task_and_definitions_anywhere(project: Project) -> None:
    project.flow(
        "  with: {v: {type: int, value: 1}}\n"
        "  tasks:\n"
        "  - {root: t, with: {w: {type: int, value: '${{ v }}'}}, run: 'true'}\n"
    )
    for words, expected in (
        (("-D", "v=2", "run", "t"), 2),
        (("run", "-D", "v=3", "t"), 3),
        (("run", "t", "-D", "v=4"), 4),
        (("-D", "v=5", "run", "t", "-D", "t.w=0x10"), 16),
    ):
        project.ok(*words)
        assert project.record("p.t")["params"]["w"] == expected
    warned = project.ok("run", "t", "-D", "vv=1")
    assert "warning: -D vv: nothing has this name" in warned.err
    assert project.dfm("run", "t", "-D", "v=x").status == 2


def test_clean_and_force_and_verbose(project: Project) -> None:
    project.flow(FLOW)
    project.ok("run", "test")
    assert "-- Task p.build (up-to-date)" in project.ok("run", "test", "-v").out
    assert project.ok("run", "test", "-f").executed() == {"p.build", "p.test"}
    project.write("rundir/p.test/mine", "")
    project.ok("run", "test", "--clean")
    assert not (project.folder / "rundir/p.test/mine").exists()


def test_no_summary_prints_none(project: Project) -> None:
    project.flow(FLOW)
    assert "total" not in project.ok("run", "test", "--no-summary").out


def test_what_is_printed_off_a_terminal_has_no_control_codes(project: Project) -> None:
    project.flow(FLOW)
    for ui in ("", "log", "progress"):
        done = project.dfm("run", "helper", "build", "-k", "-f", *(["-u", ui] if ui else []))
        assert "\x1b" not in done.out + done.err
        assert "\r" not in done.out


@pytest.mark.parametrize("length", [200, 2000])
def test_a_long_chain_works(project: Project, length: int) -> None:
    tasks = "".join(
        f"  - {{name: t{i}, run: 'true'{f', needs: [t{i - 1}]' if i else ''}}}\n"
        for i in range(length)
    )
    project.flow(f"  tasks:\n{tasks}")
    assert project.ok("run", f"t{length - 1}").counts()["done"] == length
    assert not project.ok("run", f"t{length - 1}").executed()


def test_a_record_has_all_the_fields_that_scripts_read(project: Project) -> None:
    project.flow(FLOW)
    project.ok("run", "test")
    record = project.record("p.test")
    assert set(record) >= {
        "name", "srcdir", "rundir", "logfile", "params", "inputs_signature", "input", "needs",
        "commands", "result", "output", "consumes", "passthrough", "produces", "run_hash",
    }  # fmt: skip
    assert record["needs"] == ["p.build"]
    assert record["consumes"] == "ConsumesE.All"
    assert record["passthrough"] == "PassthroughE.Unused"
    assert record["result"] == {"status": 0, "changed": True, "markers": [], "memento": None}
    assert json.dumps(record["commands"]).startswith('[{"cmd": ["')
    before = project.read("rundir/p.test/p.test.exec_data.json")
    project.ok("run", "test")
    assert project.read("rundir/p.test/p.test.exec_data.json") == before, "untouched"
