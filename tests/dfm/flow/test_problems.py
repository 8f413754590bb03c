"""Diagnostics: file, line and column of every fault, all of them at once, each of them once."""

import pytest

from dfm.errors import FlowError, Place, Problem
from dfm.flow.problems import did_you_mean
from tests.dfm.flow.conftest import Project


def test_faults_of_all_kinds_are_said_at_once(
    project: Project,
) -> None:
    fields = """
    desc: [x]
    with:
      v: {type: strr}
      w: {type: int, value: "${{ nope }}"}
    types:
    - {name: T, uses: Nowhere}
    tasks:
    - {name: a, nedes: []}
    - {name: a}
    - {name: b, needs: [c], feeds: [d], uses: e, tags: [f]}
    - name: g
      run: |
        echo ok
        echo ${{ h }} ${{ 1 + }}
    """
    assert [fault.split(" (")[0] for fault in project.faults(fields)] == [
        "1:1: `desc` must be text, not a list",
        "3:13: `strr` is no type of a parameter",
        "8:13: a task has no field `nedes`",
        "9:10: task `demo.a` is declared twice",
        "4:30: package variable `w`: `nope` is not defined",
        "6:19: no type `Nowhere`",
        "10:43: no task or type `e`",
        "10:21: demo.b needs `c`, and there is no such task",
        "10:33: demo.b feeds `d`, and there is no such task",
        "10:53: no type `f`",
        "14:16: `run` of demo.g: expected a value, found the end",
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("run: ${{ x }}", "3:12"),
        ("run: 'a ${{ x }}'", "3:15"),
        ("run: |\n    a\n    b ${{ x }}", "5:11"),
        ("run: >\n    a\n    b ${{ x }}", "5:11"),
        ('run: "a ${{ 1 + }}"', "3:19"),
        ("with:\n    p: {type: str, value: 'a ${{ x }}'}", "4:34"),
        ("with:\n    p:\n      type: list\n      value:\n      - a\n      - ${{ x }}", "8:13"),
        ("needs:\n  - a\n  - ${{ x }}", "5:9"),
    ],
)
def test_an_expression_is_pointed_at_where_it_stands(
    project: Project, text: str, place: str
) -> None:
    (fault,) = project.faults(f"tasks:\n- name: a\n- {text}\n  name: t")
    assert fault.startswith(f"{place}: ")


def test_a_fault_that_many_nodes_meet_is_said_once(project: Project) -> None:
    fields = """
    tasks:
    - name: m
      strategy: {matrix: {x: [1, 2, 3], y: [1, 2]}}
      body: [{name: c, run: "${{ env.NOPE }}"}]
    """
    assert len(project.faults(fields, "m")) == 1


def test_a_fault_of_a_base_is_said_once_however_many_derive_from_it(project: Project) -> None:
    fields = """
    tasks:
    - {name: base, uses: nope, needs: [nada], run: "${{ nix }}", with: {x: 3, y: {type: int, value: z}}}
    - {name: a, uses: base}
    - {name: b, uses: base}
    - {name: c, uses: a}
    """
    faults = project.faults(fields)
    assert len(faults) == len(set(faults)) == 4


def test_a_warning_is_said_once(project: Project) -> None:
    fields = """
    tasks:
    - {name: t, with: {v: {type: str, value: x, values: {of: [y], open: true}}}}
    - {name: a, uses: t}
    - {name: b, uses: t}
    """
    assert len(project.warnings(fields, "t", "a", "b")) == 1


def test_fifty_faults_are_enough(project: Project) -> None:
    fields = "tasks:\n" + "".join(f"- {{name: t{n}, needs: [x{n}]}}\n" for n in range(200))
    assert len(project.faults(fields)) == 50


def test_fifty_warnings_are_enough(project: Project) -> None:
    fields = "tasks:\n" + "".join(f"- {{name: t{n}, iff: 'x'}}\n" for n in range(200))
    assert len(project.warnings(fields)) == 50


def test_an_error_prints_its_places_and_hints(project: Project) -> None:
    project.write("tasks:\n- {name: build}\n- {name: t, needs: [biuld]}")
    with pytest.raises(FlowError) as caught:
        project.load_file(project.file)
    assert str(caught.value) == (
        f"{project.file}:5:23: demo.t needs `biuld`, and there is no such task\n"
        "     did you mean `build`?"
    )
    assert caught.value.exit_code == 2


def test_faults_of_yaml_come_alone(project: Project) -> None:
    (fault,) = project.faults("tasks: [\nwith: {")
    assert "not valid YAML" in fault


def test_keys_that_are_there_twice_are_all_said(project: Project) -> None:
    assert project.faults("tasks: []\ndesc: x\ntasks: []\ndesc: y") == [
        "3:1: `tasks` is there twice", "4:1: `desc` is there twice",
    ]  # fmt: skip


def test_faults_and_the_command_line_come_after_those_of_the_files(project: Project) -> None:
    with pytest.raises(FlowError) as caught:
        project.load("tasks: [{name: t, nope: 1}]", D=["x=1"])
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize(
    ("name", "known", "hint"),
    [
        ("biuld", ["build", "sim"], "did you mean `build`?"),
        ("build", ["chip.build", "chip.x", "y.build"], "did you mean `y.build` or `chip.build`?"),
        ("zzz", ["b", "a"], "known are `a`, `b`"),
        ("zzz", [], ""),
        ("zzz", [f"n{n}" for n in range(25)], ""),
        ("sim", ["sim1", "sim2", "sim3", "sim4"], "did you mean `sim4` or `sim3` or `sim2`?"),
    ],
)
def test_a_hint_names_what_may_have_been_meant(name: str, known: list[str], hint: str) -> None:
    assert did_you_mean(name, known) == hint


def test_a_place_prints_what_is_known_of_it() -> None:
    assert str(Problem("what", Place("f", 3, 4), "a\nb")) == "f:3:4: what\n     a\n     b"
    assert str(Problem("what", Place("f", 3))) == "f:3: what"
    assert str(Problem("what", Place("f"))) == "f: what"
    assert str(Problem("what")) == "what"


def test_the_nearest_of_many_names_is_found() -> None:
    known = [f"unit_{n}" for n in range(5000)] + ["regression"]
    assert did_you_mean("regresion", known) == "did you mean `regression`?"
    assert did_you_mean("xx", known) == ""


def test_a_fault_does_not_cost_a_comparison_with_every_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared: list[int] = []

    def count(word: str, choices: list[str], n: int) -> list[str]:
        compared.append(len(choices))
        return choices[:n]

    monkeypatch.setattr("difflib.get_close_matches", count)
    did_you_mean("a", [f"b{n}" for n in range(20_000)])
    assert compared == [200]
