"""`dfm run | head`: somebody has read enough."""

import subprocess

import pytest

from tests.integration.conftest import Project, until

MANY = 300  # lines, more than a pipe and its buffers keep back
FLOW = f"""
  tasks:
  - {{name: long, run: 'touch ../../on; sleep 1000'}}
  - name: more
    strategy: {{matrix: {{n: {list(range(MANY))}}}}}
    body: [{{name: s, run: 'until [ -e ../../go ]; do sleep 0.02; done'}}]
  - {{root: all, needs: [long, more], run: 'true'}}
"""


def cut_off(project: Project, *words: str) -> tuple[int, str]:
    """Its status and what it said on standard error, after its output was closed."""
    run = project.start("run", "all", "-u", "log", "-j", "2", *words)
    until((project.folder / "on").exists)
    assert run.stdout is not None
    run.stdout.close()
    project.write("go", "")
    assert run.stderr is not None
    said = run.stderr.read()
    return run.wait(), said


@pytest.mark.parametrize("words", [[], ["-v"]], ids=["short", "verbose"])
def test_a_run_whose_output_nobody_reads_any_more_ends_as_make_does(
    anywhere: Project, words: list[str]
) -> None:
    anywhere.flow(FLOW)
    assert cut_off(anywhere, *words) == (141, ""), "the daemon is not to blame"
    until(lambda: not [line for line in anywhere.leftovers() if "sleep 1000" in line])
    again = anywhere.ok("run", "more")
    assert again.counts()["up-to-date"] > 0, "what had finished is on record"


def test_a_run_with_nothing_to_do_is_cut_off_without_a_word(project: Project) -> None:
    project.flow("  tasks: [{root: t, run: 'true'}]")
    project.ok("run", "t")
    run = project.start("run", "t")
    assert run.stdout is not None
    run.stdout.close()
    assert run.stderr is not None
    assert (run.stderr.read(), run.wait()) == ("", 141)


def test_the_first_line_is_what_head_gets(project: Project) -> None:
    project.flow("  tasks: [{root: t, run: 'true'}]")
    run = project.start("run", "t", "-u", "log")
    assert run.stdout is not None
    done = subprocess.run(
        ["head", "-n1"], stdin=run.stdout, capture_output=True, text=True, check=True
    )
    run.stdout.close()
    assert "Task p.t" in done.stdout
    assert run.stderr is not None
    assert run.stderr.read() == ""
    run.wait()
