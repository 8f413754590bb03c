"""`std.EvalRunner` and `std.EvalInfo`: graded cases, each done several times (section 31.8)."""

import json
from typing import Any

import pytest

from tests.integration.conftest import Project

# Trial N of `graded` scores N quarters and has passed from the third on.
FLOW = r"""
  tasks:
  - {name: image, run: 'true'}
  - name: graded
    tags: [{std.Eval: {benchmark: b, sample_id: s1}}]
    needs: [image]
    run: |
      n=${DFM_TASK_NAME##*_}; [ $n -gt 0 ] 2> /dev/null || n=1
      echo ran >> ../../runs
      dfm-out item --type std.EvalSample passed:=$([ $n -gt 2 ] && echo true || echo false) \
        output=answer$n "scores:={\"acc\": {\"value\": 0.$((n * 25))}, \"cost\": $n}"
  - {name: plain, tags: [std.Test], run: 'true'}
  - {name: broken, tags: [std.Test], run: 'case $DFM_TASK_NAME in *_2) exit 1;; esac'}
  - name: suite
    tags: [std.TestSuite]
    strategy: {matrix: {name: [x], view: [fast, slow]}}
    body: [{name: c, run: 'true'}]
  - {root: evals, uses: std.EvalRunner, needs: [graded, plain, broken, suite]}
  - {root: einfo, uses: std.EvalInfo}
"""


def log(project: Project, view: str = "", folder: str = "logs") -> Any:
    return json.loads(project.read(f"rundir/{folder}/p.evals{'.' if view else ''}{view}.json"))


def case(data: Any, path: str) -> Any:
    (found,) = [one for one in data["cases"] if one["path"] == path]
    return found


def test_each_case_is_done_so_many_times_and_its_scores_are_written(anywhere: Project) -> None:
    anywhere.flow(FLOW)
    done = anywhere.dfm("run", "evals", "-k", "--epochs", "3", "--run-id", "first")
    assert done.status == 1, "a trial has failed"
    assert anywhere.read("runs").count("ran") == 3
    assert {"p.graded", "p.graded_epoch_2", "p.graded_epoch_3"} <= done.executed()
    data = log(anywhere)
    assert (data["eval_set_id"], data["epochs"], data["reducer"]) == ("first", 3, "mean")
    graded = case(data, "graded")
    assert graded["scores"] == {"passed": pytest.approx(1 / 3), "acc": 0.5, "cost": 2.0}
    assert [one["epoch"] for one in graded["trials"]] == [1, 2, 3]
    assert [one["passed"] for one in graded["trials"]] == [False, False, True]
    assert graded["trials"][2]["sample"]["output"] == "answer3"
    assert graded["trials"][1]["rundirs"] == [str(anywhere.folder / "rundir/p.graded_epoch_2")]
    assert case(data, "plain")["scores"] == {"passed": 1.0}
    assert case(data, "broken")["scores"] == {"passed": pytest.approx(2 / 3)}
    assert [one["path"] for one in log(anywhere, "slow")["cases"]] == ["suite.x"]
    assert "FAILED   broken" in done.out
    assert "passed 0.667  (1 of 3)" in done.out
    assert "tests: 3 passed, 1 failed, 0 not run" in done.out
    again = anywhere.dfm("run", "evals", "-k", "--epochs", "3")
    assert again.executed() == {"p.broken_epoch_2"}, "trials are up to date one by one"
    assert case(log(anywhere), "graded")["scores"] == graded["scores"]


@pytest.mark.parametrize(
    ("reducer", "passed", "acc"),
    [("mean", 0.5, 0.625), ("median", 0.5, 0.625), ("max", 1.0, 1.0), ("min", 0.0, 0.25),
     ("pass_at_k", 1.0, 1.0), ("all", 0.0, 0.0)],
)  # fmt: skip
def test_the_reducer_says_what_scores_come_to(
    project: Project, reducer: str, passed: float, acc: float
) -> None:
    project.flow(FLOW.replace("0.$((n * 25))", "$(echo 0.25 0.5 0.75 1.0 | cut -d ' ' -f $n)"))
    project.ok(
        "run", "evals", "--tests", "graded", "--epochs", "4", "--epochs-reducer", reducer,
        "-D", "evals.log_dir=kept/here", "-D", "evals.eval_set_id=mine",
    )  # fmt: skip
    data = log(project, folder="kept/here")
    assert data["eval_set_id"] == "mine"
    found = case(data, "graded")["scores"]
    assert (found["passed"], found["acc"]) == (passed, acc)


def test_one_epoch_is_a_run_of_tests_with_a_log(project: Project) -> None:
    project.flow(FLOW)
    done = project.ok("run", "evals")
    assert not any("epoch" in name for name in done.executed())
    assert len(case(log(project), "graded")["trials"]) == 1


def test_the_cases_are_listed(project: Project) -> None:
    project.flow(FLOW)
    assert project.ok("run", "einfo", "--format", "list").out.split() == [
        ".graded", ".plain", ".broken", ".suite.x",
    ]  # fmt: skip
    assert not (project.folder / "rundir/p.graded").exists()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--epochs", "0"], "`epochs` must be a number from 1"),
        (["--epochs-reducer", "sum"], "sum"),
        (["-D", "evals.log_format=eval"], "eval"),
    ],
)
def test_what_it_cannot_do_is_refused(project: Project, words: list[str], why: str) -> None:
    project.flow(FLOW)
    done = project.dfm("run", "evals", *words)
    assert done.status == 2
    assert why in done.err
    assert not (project.folder / "rundir").exists()
