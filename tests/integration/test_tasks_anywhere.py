"""What a task finds and hands back is the same in process and on a worker."""

import json
import os

import pytest

from tests.integration.conftest import Project, until


def test_the_environment_of_dfm_run_reaches_tasks(anywhere: Project) -> None:
    anywhere.flow("  tasks:\n  - {root: t, run: 'echo \"$SITE_LICENSE $ODD\" > seen'}\n")
    odd = os.fsdecode(b"caf\xe9 \xff")
    anywhere.ok("run", "t", SITE_LICENSE="1717@lic", ODD=odd)
    assert (anywhere.folder / "rundir/p.t/seen").read_bytes() == b"1717@lic caf\xe9 \xff\n"
    anywhere.ok("run", "t", "-f", SITE_LICENSE="other")
    assert anywhere.read("rundir/p.t/seen") == "other \n", "of this run, not of the one before"


def test_parameters_inputs_and_places_are_in_the_environment(anywhere: Project) -> None:
    anywhere.flow(
        "  tasks:\n"
        "  - {name: src, uses: std.CreateFile, with: {filename: a.txt, content: x, type: text}}\n"
        "  - root: t\n"
        "    needs: [src]\n"
        "    with:\n"
        "      top: {type: str, value: tb}\n"
        "      n: {type: int, value: 3}\n"
        "      on_: {type: bool, value: true}\n"
        "      flags: {type: list, value: [-g, 'a b']}\n"
        "      opts: {type: map, value: {k: [1, 2]}}\n"
        "    run: env -0 > env\n"
    )
    anywhere.ok("run", "t")
    lines = anywhere.read("rundir/p.t/env").rstrip("\0").split("\0")
    seen = dict(line.split("=", 1) for line in lines)
    rundir = str(anywhere.folder / "rundir/p.t")
    assert seen["DFM_TASK_NAME"] == "p.t"
    assert seen["DFM_RUNDIR"] == seen["TASK_RUNDIR"] == seen["PWD"] == rundir
    assert seen["DFM_SRCDIR"] == seen["TASK_SRCDIR"] == str(anywhere.folder)
    assert seen["DFM_PARAM_TOP"] == "tb"
    assert seen["DFM_PARAM_N"] == "3"
    assert seen["DFM_PARAM_ON_"] == "true"
    assert seen["DFM_PARAM_FLAGS"] == '["-g","a b"]'
    assert seen["DFM_PARAM_OPTS"] == '{"k":[1,2]}'
    assert seen["PATH"].startswith(f"{anywhere.folder}/rundir/bin:")
    assert seen["DFM_RUN_ID"] == "0001"
    assert seen["DFM_OUT_DIR"] == f"{anywhere.folder}/rundir/out/0001"
    assert "--jobserver-auth=" in seen["MAKEFLAGS"]
    assert "DFM_MEMENTO" not in seen
    inputs = json.loads(anywhere.read("rundir/p.t/dfm.inputs.json"))
    assert [(item["type"], item["src"], item["files"]) for item in inputs] == [
        ("std.FileSet", "p.src", ["a.txt"])
    ]
    assert json.loads(anywhere.read("rundir/p.t/dfm.params.json"))["opts"] == {"k": [1, 2]}


def test_what_a_script_hands_back_flows_on(anywhere: Project) -> None:
    anywhere.flow(
        "  types:\n"
        "  - {name: Note, uses: std.DataItem, with: {text: {type: str}, n: {type: int, value: 7}}}\n"
        "  tasks:\n"
        "  - name: make\n"
        "    run: |\n"
        "      touch out.bin\n"
        "      dfm-out fileset --filetype image --incdir inc out.bin\n"
        "      dfm-out item --type p.Note text=hello\n"
        '      echo \'{"type": "p.Note", "text": "two", "n": 2}\' >> $DFM_OUTPUT\n'
        "      echo 'not json' >> $DFM_OUTPUT\n"
        "      dfm-out env TOOL=/opt/tool\n"
        "      dfm-out path /opt/tool/bin\n"
        "      dfm-out warning careful --file a.v --line 3 --pos 4\n"
        "  - root: use\n"
        "    needs: [make]\n"
        "    run: 'echo \"$TOOL ${PATH#*:}\" > seen'\n"
        "  - {root: later, needs: [use], run: 'echo \"${TOOL:-unset}\" > seen'}\n"
    )
    done = anywhere.ok("run", "later")
    assert "W p.make: careful" in done.out
    assert "a.v:3:4" in done.out
    output = anywhere.record("p.make")["output"]["output"]
    assert [(item["type"], item["src"], item["seq"]) for item in output] == [
        ("std.FileSet", "p.make", 0), ("p.Note", "p.make", 1), ("p.Note", "p.make", 2),
        ("std.Env", "p.make", 3),
    ]  # fmt: skip
    assert output[0]["basedir"] == str(anywhere.folder / "rundir/p.make")
    assert (output[1]["text"], output[1]["n"], output[2]["n"]) == ("hello", 7, 2)
    markers = anywhere.record("p.make")["result"]["markers"]
    assert ("warning", "careful") in [(m["severity"], m["msg"]) for m in markers]
    assert any("not json" in marker["msg"] for marker in markers)
    assert anywhere.read("rundir/p.use/seen").startswith("/opt/tool /opt/tool/bin:")
    assert anywhere.read("rundir/p.later/seen") == "unset\n", "to direct dependents only"
    assert not anywhere.ok("run", "later").executed(), "and all that is up to date"


def test_mementos_come_back_from_the_last_execution(anywhere: Project) -> None:
    anywhere.flow(
        "  tasks:\n"
        "  - root: t\n"
        "    uptodate: false\n"
        "    run: |\n"
        '      [ -n "$DFM_MEMENTO" ] && cat $DFM_MEMENTO >> ../../seen\n'
        "      n=$(cat ../../seen 2>/dev/null | wc -l)\n"
        '      echo "{\\"n\\": $n}" > $DFM_MEMENTO_OUT\n'
    )
    for _ in range(3):
        anywhere.ok("run", "t")
    assert anywhere.record("p.t")["result"]["memento"] is not None
    assert json.loads(anywhere.read("rundir/cache/mementos.json"))["p.t"] is not None
    assert anywhere.read("seen").count('{"n": 0}') >= 1


PYTHON = """
  tasks:
  - {name: src, uses: std.CreateFile, with: {filename: a.txt, content: x, type: text}}
  - root: inline
    needs: [src]
    with: {k: {type: int, value: 5}}
    shell: pytask
    run: |
      from dv_flow.mgr import TaskDataResult, FileSet
      import sys
      status = await ctxt.exec([sys.executable, "-c", "print('from a command')"])
      print("printed by", input.name, input.params.k, input.inputs[0].files, status)
      ctxt.create("made.txt", "content")
      ctxt.info("all is well")
      old = input.memento or {"runs": 0}
      return TaskDataResult(
          output=[FileSet(filetype="made", basedir=input.rundir, files=["made.txt"])],
          memento={"runs": old["runs"] + 1},
      )
  - {root: module, shell: pytask, run: tasks.flow_task, needs: [inline]}
  - {root: file, shell: pytask, run: 'lib/more.py::plain', needs: [inline]}
  - {root: raises, shell: pytask, run: tasks.raises}
"""


def test_python_tasks_of_all_forms(anywhere: Project) -> None:
    anywhere.flow(PYTHON)
    anywhere.write(
        "tasks.py",
        "async def flow_task(ctxt, input):\n"
        "    ctxt.create('seen', ' '.join(f for i in input.inputs for f in i.files))\n\n"
        "def raises(ctxt, input):\n"
        "    raise ValueError('no such luck')\n",
    )
    anywhere.write("lib/more.py", "def plain(ctxt, input):\n    ctxt.warning('from a file')\n")
    done = anywhere.ok("run", "module", "file")
    assert "printed by p.inline 5 ['a.txt'] 0" in done.out
    assert "I p.inline: all is well" in done.out
    assert "W p.file: from a file" in done.out
    assert anywhere.read("rundir/p.inline/cmd_1.log") == "from a command\n"
    assert anywhere.read("rundir/p.module/seen") == "made.txt"
    assert anywhere.record("p.inline")["result"]["memento"] == {"runs": 1}
    assert not anywhere.ok("run", "module", "file").executed()

    anywhere.write("lib/more.py", "def plain(ctxt, input):\n    ctxt.warning('edited')\n")
    assert anywhere.ok("run", "module", "file").executed() == {"p.file"}
    anywhere.ok("run", "inline", "-f")
    anywhere.ok("run", "inline", "-D", "inline.k=6")
    assert anywhere.record("p.inline")["result"]["memento"] == {"runs": 2}, "-f has no memory"


def test_a_python_task_that_raises_fails_once(anywhere: Project) -> None:
    anywhere.flow(PYTHON)
    anywhere.write("tasks.py", "def raises(ctxt, input):\n    raise ValueError('no such luck')\n")
    done = anywhere.dfm("run", "raises")
    assert done.status == 1
    assert "ValueError: no such luck" in done.out
    log = anywhere.read("rundir/p.raises/p.raises.log")
    assert log.count("Traceback") == 1
    assert 'tasks.py", line 2, in raises' in log
    assert "dfm_worker" not in log, "the user's frames only"


@pytest.mark.parametrize("size", [70_000, 9_000_000])
def test_messages_of_any_size_arrive(anywhere: Project, size: int) -> None:
    anywhere.flow(
        "  types:\n  - {name: Big, uses: std.DataItem, with: {text: {type: str}}}\n"
        "  tasks:\n"
        "  - name: make\n"
        f"    run: python3 -c \"import json, os; open(os.environ['DFM_OUTPUT'], 'a').write(json.dumps(dict(type='p.Big', text='x' * {size})) + chr(10))\"\n"
        "  - root: use\n"
        "    needs: [make]\n"
        "    with: {long: {type: str}}\n"
        '    run: wc -c < $DFM_INPUTS > seen; wc -c < $DFM_PARAMS >> seen; echo "${DFM_PARAM_LONG:-none}" | wc -c >> seen\n'
    )
    anywhere.write("params.json", json.dumps({"tasks": {"use": {"long": "y" * size}}}))
    done = anywhere.ok("run", "use", "-P", "params.json")
    inputs, params, variable = map(int, anywhere.read("rundir/p.use/seen").split())
    assert inputs > size
    assert params > size
    too_long = size > 128 * 1024
    assert variable == (5 if too_long else size + 1)
    assert ("too long for an environment variable" in done.out) == too_long
    assert not anywhere.ok("run", "use", "-P", "params.json").executed()


def test_own_check_of_a_task_decides_when_all_else_is_up_to_date(anywhere: Project) -> None:
    anywhere.flow(
        "  tasks:\n  - {root: t, run: 'echo ran >> ../../runs', uptodate: checks.fresh}\n"
    )
    anywhere.write(
        "checks.py",
        "import os\n\nasync def fresh(ctxt):\n"
        "    assert ctxt.exec_data['name'] == 'p.t'\n"
        "    return not os.path.exists(ctxt.srcdir + '/stale')\n",
    )
    anywhere.ok("run", "t")
    assert ">> " not in anywhere.ok("run", "t").out, "a question is no start"
    anywhere.write("stale", "")
    again = anywhere.ok("run", "t")
    assert again.executed() == {"p.t"}
    assert again.out.count(">> ") <= 1, "a daemon does not say starts of what is over at once"
    assert anywhere.read("runs") == "ran\nran\n"
    anywhere.write("checks.py", "async def fresh(ctxt):\n    raise RuntimeError\n")
    assert anywhere.ok("run", "t").executed() == {"p.t"}, "an exception means no"


def test_on_error_judges_a_compound_and_chooses_its_output(anywhere: Project) -> None:
    anywhere.flow(
        "  types:\n  - {name: R, uses: std.DataItem, with: {n: {type: int}}}\n"
        "  with: {fails: {type: list, value: [1, 3]}}\n"
        "  tasks:\n"
        "  - name: mx\n"
        "    strategy: {matrix: {n: [0, 1, 2, 3]}}\n"
        "    on_error: 'judge:keep'\n"
        "    body:\n"
        "    - {name: c, run: 'dfm-out item --type p.R n:=${{ matrix.n }}; exit ${{ matrix.n }}'}\n"
        "  - {root: all, needs: [mx], run: 'cp $DFM_INPUTS seen'}\n"
    )
    anywhere.write(
        "judge.py",
        "from dv_flow.mgr import TaskDataResult\n\n"
        "async def keep(ctxt, input):\n"
        "    assert sorted(s.status for s in input.subtasks) == [0, 1, 2, 3]\n"
        "    ctxt.warning('%d failed' % sum(1 for s in input.subtasks if s.status))\n"
        "    bad = {i.task_name for i in input.inputs if i.type == 'std.TaskFailure'}\n"
        "    return TaskDataResult(output=[i for i in input.inputs if i.src not in bad])\n",
    )
    done = anywhere.dfm("run", "all")
    assert done.status == 1, "a task failed, whatever its compound makes of it"
    assert done.counts()["failed"] == 3
    assert "W p.mx: 3 failed" in done.out
    seen = json.loads(anywhere.read("rundir/p.all/seen"))
    assert [(item["type"], item["src"], item["n"]) for item in seen] == [("p.R", "p.mx.c_0", 0)]
    again = anywhere.dfm("run", "all")
    assert again.executed() == {"p.mx.c_1", "p.mx.c_2", "p.mx.c_3", "p.mx", "p.all"}


def test_a_task_whose_rundir_cannot_be_written_fails_with_the_path(anywhere: Project) -> None:
    anywhere.flow("  tasks:\n  - {name: bad, run: 'true'}\n  - {root: good, run: 'true'}\n"
                  "  - {root: all, needs: [bad, good], run: 'true'}\n")  # fmt: skip
    anywhere.write("rundir/p.bad", "a file in its place")
    done = anywhere.dfm("run", "all", "-k")
    assert done.status == 1
    assert "cannot start in" in done.out
    assert "rundir/p.bad" in done.out
    assert "p.good" in done.executed()


def test_two_runs_in_one_folder_do_each_task_once(anywhere: Project) -> None:
    anywhere.flow(
        "  tasks:\n"
        "  - root: t\n"
        "    run: |\n"
        "      echo ran >> ../../runs\n"
        "      touch ../../on\n"
        "      while [ ! -e ../../go ]; do sleep 0.02; done\n"
    )
    first = anywhere.start("run", "t")
    until((anywhere.folder / "on").exists)
    second = anywhere.start("run", "t", PYTHONUNBUFFERED="1")
    assert second.stdout is not None
    line = until(second.stdout.readline)
    while "waits for another run" not in line:
        line = until(second.stdout.readline)
    assert f"p.t waits for another run in this folder, pid {first.pid}" in line
    anywhere.write("go", "")
    assert anywhere.end(first).status == 0
    done = anywhere.end(second)
    assert done.status == 0
    assert "nothing to do: 1 task up to date" in done.out
    assert anywhere.read("runs") == "ran\n"


def test_files_of_a_task_have_the_modes_that_whoever_runs_it_gives_files(anywhere: Project) -> None:
    """Not those of whoever started the daemon."""
    anywhere.flow(
        "  tasks:\n"
        "  - {name: script, run: 'touch made'}\n"
        "  - name: python\n"
        "    shell: pytask\n"
        "    run: |\n"
        "      open(ctxt.rundir + '/made', 'w').close()\n"
        "      return None\n"
        "  - {root: all, needs: [script, python], run: 'true'}\n"
    )
    before = os.umask(0o027)
    try:
        anywhere.ok("run", "all")
    finally:
        os.umask(before)
    for task in ("script", "python"):
        for name in ("made", f"p.{task}.log"):
            mode = (anywhere.folder / f"rundir/p.{task}/{name}").stat().st_mode & 0o777
            assert mode == 0o640, (task, name)
