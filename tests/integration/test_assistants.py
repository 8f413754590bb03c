"""`std.Agent`: an assistant program does a task (section 31.8). The programs are scripts of the tests."""

import json

import pytest

from tests.integration.conftest import Project

# Keeps what it was told, fails as often as `failures` says, and writes what is in `answer` as the result.
PROGRAM = """#!/bin/bash
here={folder}
printf '%s\\0' "$@" >> $here/told
echo call >> $here/calls
echo thinking
if [ -e $here/failures ] && [ $(wc -l < $here/calls) -le $(cat $here/failures) ]; then exit 5; fi
if [ -e $here/answer ]; then cp $here/answer p.t.result.json; fi
echo text > made.txt
"""
ANSWER = {
    "status": 0,
    "output": [{"type": "std.FileSet", "filetype": "text", "basedir": ".", "files": ["made.txt"]}],
    "markers": [{"msg": "as asked", "severity": "warning"}],
}


def program(project: Project, name: str = "helper") -> None:
    path = project.write(f"bin/{name}", PROGRAM.format(folder=project.folder))
    path.chmod(0o755)


def flow(project: Project, fields: str) -> None:
    project.flow(
        "  tasks:\n"
        "  - {name: src, run: 'dfm-out item --type std.DataItem k=7'}\n"
        f"  - {{name: t, uses: std.Agent, needs: [src], with: {{{fields}}}}}\n"
        "  - {root: after, needs: [t], run: 'cp $DFM_INPUTS seen'}\n"
    )


def told(project: Project) -> list[str]:
    return project.read("told").split("\0")[:-1]


def test_a_program_gets_the_prompt_and_its_result_is_that_of_the_task(anywhere: Project) -> None:
    program(anywhere)
    anywhere.write("answer", json.dumps(ANSWER))
    flow(
        anywhere,
        'assistant: ./bin/helper, user_prompt: "Make it", '
        'system_prompt: "${{ name }} has ${{ inputs }}, writes ${{ result_file }}"',
    )
    done = anywhere.ok("run", "after")
    assert "W p.t: as asked" in done.out
    (prompt,) = told(anywhere)
    item = '{"type": "std.DataItem", "k": "7", "src": "p.src", "seq": 0}'
    assert prompt == f"p.t has [{item}], writes p.t.result.json\n\nMake it"
    (seen,) = json.loads(anywhere.read("rundir/p.after/seen"))
    assert (seen["basedir"], seen["files"]) == (str(anywhere.folder / "rundir/p.t"), ["made.txt"])
    assert anywhere.read("rundir/p.t/assistant_1.log") == "thinking\n"
    assert "nothing to do" in anywhere.ok("run", "after").out


def test_without_a_system_prompt_it_is_told_what_a_result_is(project: Project) -> None:
    program(project)
    project.write("answer", json.dumps(ANSWER))
    flow(project, "assistant: ./bin/helper, user_prompt: Make it")
    project.ok("run", "t")
    (prompt,) = told(project)
    assert prompt.endswith("Make it")
    assert all(word in prompt for word in ("p.t.result.json", "dfm.inputs.json", '"status"'))


def test_it_is_called_again_until_there_is_a_result(project: Project) -> None:
    program(project)
    project.write("answer", json.dumps(ANSWER))
    project.write("failures", "2")
    flow(project, "assistant: ./bin/helper, max_retries: 2")
    done = project.ok("run", "t")
    assert project.read("calls").count("call") == 3
    assert "E p.t" not in done.out
    assert (project.folder / "rundir/p.t/assistant_3.log").exists()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (None, "it has not written p.t.result.json"),
        ("{", "p.t.result.json cannot be read"),
        ("[]", "p.t.result.json is no JSON object"),
        ("{}", "`status` of the result must be a number"),
        ('{"status": 0, "output": {}}', "`output` of the result must be a list of objects"),
        ('{"status": 0, "markers": ["x"]}', "`markers` of the result must be a list of objects"),
    ],
)
def test_without_a_result_the_task_fails(project: Project, answer: str | None, why: str) -> None:
    program(project)
    if answer is not None:
        project.write("answer", answer)
    flow(project, "assistant: ./bin/helper, max_retries: 1")
    done = project.dfm("run", "t")
    assert done.status == 1
    assert f"no result after 2 attempts: {why}" in done.out
    assert project.read("calls").count("call") == 2


def test_a_result_may_say_that_the_task_has_failed(project: Project) -> None:
    program(project)
    project.write("answer", json.dumps({**ANSWER, "status": 3}))
    flow(project, "assistant: ./bin/helper")
    assert project.dfm("run", "t").status == 1
    assert project.record("p.t")["result"]["status"] == 3
    assert project.read("calls").count("call") == 1


@pytest.mark.parametrize(
    ("name", "fields", "words"),
    [
        ("claude", "", ["-p", "go", "--permission-mode", "acceptEdits", "--add-dir", "ROOT"]),
        ("claude", "model: m, assistant_config: {permission_mode: plan}",
         ["-p", "go", "--permission-mode", "plan", "--model", "m", "--add-dir", "ROOT"]),
        ("copilot", "model: m",
         ["-p", "go", "--allow-all-tools", "--model", "m", "--add-dir", "ROOT"]),
        ("codex", "model: m",
         ["exec", "--dangerously-bypass-approvals-and-sandbox", "-C", "ROOT/p.t", "-m", "m", "go"]),
        ("codex", "sandbox_mode: read-only",
         ["exec", "--full-auto", "-s", "read-only", "-C", "ROOT/p.t", "go"]),
    ],
)  # fmt: skip
def test_programs_that_are_known_are_called_as_they_want(
    project: Project, name: str, fields: str, words: list[str]
) -> None:
    program(project, name)
    project.write("answer", json.dumps(ANSWER))
    more = f"{fields}, " if fields else ""
    flow(project, f"{more}assistant: {name}, system_prompt: go")
    path = f"{project.folder}/bin:{project.environment['PATH']}"
    project.ok("run", "t", PATH=path)
    root = str(project.folder / "rundir")
    assert told(project) == [word.replace("ROOT", root) for word in words]


def test_the_first_that_is_there_is_taken_if_none_is_named(project: Project) -> None:
    program(project, "copilot")
    program(project, "codex")
    project.write("answer", json.dumps(ANSWER))
    flow(project, "system_prompt: go")
    project.ok("run", "t", PATH=f"{project.folder}/bin:/usr/bin:/bin")
    assert told(project)[0] == "-p"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ("assistant: no-such-program", "there is no program `no-such-program`"),
        ("assistant: ''", "none of claude, copilot, codex is on the PATH"),
        ("assistant: ./bin/helper, model: m", "`model` is for claude, copilot, codex"),
        ("assistant: ./bin/helper, assistant_config: {a: 1}", "`a` is not known"),
        ("assistant: ./bin/codex, sandbox_mode: full", "is not supported"),
        ("assistant: ./bin/helper, max_retries: -1", "`max_retries` must be 0 or more"),
    ],
)
def test_what_it_cannot_do_is_refused_before_anything_is_called(
    project: Project, fields: str, why: str
) -> None:
    program(project)
    program(project, "codex")
    flow(project, fields)
    done = project.dfm("run", "t", PATH="/usr/bin:/bin")
    assert done.status == 1
    assert why in done.out
    assert not (project.folder / "calls").exists()


def test_result_file_is_known_in_its_prompts_only(project: Project) -> None:
    project.flow("  tasks:\n  - {root: t, run: 'echo ${{ result_file }}'}\n")
    done = project.dfm("run", "t")
    assert done.status == 2
    assert "`result_file`" in done.err
    assert "std.Agent" in done.err
