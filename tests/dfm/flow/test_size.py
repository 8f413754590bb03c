"""Large and deep flows load without recursion, and what would never end is refused."""

import sys
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from dfm.flow.load import Options, load
from dfm.graph.node import Graph
from tests.dfm.flow.conftest import RUNDIR, Project


@pytest.fixture
def shallow() -> Iterator[None]:
    """A stack that 5,000 levels of anything do not fit into."""
    old = sys.getrecursionlimit()
    sys.setrecursionlimit(1000)
    yield
    sys.setrecursionlimit(old)


def graph(project: Project, goal: str, **package: Any) -> Graph:
    data = {"package": {"name": "demo", **package}}
    project.file.write_text(yaml.dump(data, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper)))
    return load(Options(str(project.file)), {}).graph([goal], RUNDIR)


pytestmark = pytest.mark.usefixtures("shallow")


def test_twenty_thousand_tasks_make_a_graph(project: Project) -> None:
    lines = [f"- {{name: t{n}, uses: base, with: {{n: {n}}}}}" for n in range(20_000)]
    names = ", ".join(f"t{n}" for n in range(20_000))
    base = '- {name: base, run: "x ${{ n }}", with: {n: {type: int}}}'
    fields = "\n".join(["tasks:", base, *lines, f"- name: all\n  needs: [{names}]"])
    made = project.load(fields).graph(["all"], RUNDIR)
    assert len(made.nodes) == 20_001
    assert made.nodes[-1].params == {"n": 19_999}


def test_a_chain_of_five_thousand_needs_is_followed(project: Project) -> None:
    tasks = [{"name": f"t{n}", "needs": [f"t{n + 1}"] if n < 4999 else []} for n in range(5000)]
    made = graph(project, "t0", tasks=tasks)
    assert len(made.nodes) == 5000
    assert made.nodes[4999].name == "demo.t4999"


def test_a_chain_of_five_thousand_needs_of_needs_is_followed(project: Project) -> None:
    tasks = [
        {"name": f"t{n}", "needs": [f"t{n + 1}.needs"] if n < 4999 else ["end"]}
        for n in range(5000)
    ]
    made = graph(project, "t0", tasks=[*tasks, {"name": "end"}])
    assert [node.name for node in made.nodes] == ["demo.t0", "demo.end"]


def test_a_chain_of_uses_is_followed(project: Project) -> None:
    tasks: list[dict[str, Any]] = [
        {"name": f"t{n}", "uses": f"t{n + 1}", "needs": ["x"]} for n in range(300)
    ]
    last = {"name": "t300", "run": "end", "with": {"p": {"type": "int", "value": 3}}}
    made = graph(project, "t0", tasks=[*tasks, last, {"name": "x"}])
    assert made.nodes[0].params == {"p": 3}
    assert len(made.nodes) == 2


def test_a_matrix_of_thousands_of_cells_makes_a_graph(project: Project) -> None:
    task = {
        "name": "m",
        "strategy": {"matrix": {"x": list(range(100)), "y": list(range(50))}},
        "body": [{"name": "c", "run": "${{ matrix.x }} ${{ matrix.y }}"}],
    }
    assert len(graph(project, "m", tasks=[task]).nodes) == 5002


def test_a_long_body_in_a_row_makes_a_graph(project: Project) -> None:
    body = [{"name": f"b{n}", "needs": [f"b{n - 1}"] if n else []} for n in range(3000)]
    assert len(graph(project, "m", tasks=[{"name": "m", "body": body}]).nodes) == 3002


@pytest.mark.parametrize("depth", [10, 60])
def test_bodies_in_bodies_make_a_graph(project: Project, depth: int) -> None:
    task: dict[str, Any] = {"name": "end", "run": "${{ this.p }}"}
    for n in range(depth):
        task = {"name": f"b{n}", "body": [task]}
    task["with"] = {"p": {"type": "int", "value": 5}}
    made = graph(project, f"b{depth - 1}", tasks=[task])
    assert getattr(made.nodes[-1].work, "text") == "5"  # noqa: B009


def test_bodies_nested_deeper_than_a_file_may_be_are_a_fault(project: Project) -> None:
    text = "{name: end}"
    for n in range(300):
        text = f"{{name: b{n}, body: [{text}]}}"
    (fault,) = project.faults(f"tasks: [{text}]")
    assert "nested more than 200 levels deep" in fault


def test_parameters_that_refer_to_each_other_very_deeply_are_a_fault(project: Project) -> None:
    lines = [f"  p{n}: {{type: str, value: '${{{{ p{n + 1} }}}}'}}" for n in range(500)]
    fields = "\n".join(
        ["with:", *lines, "  p500: {type: str}", "tasks: [{name: t, run: '${{ p0 }}'}]"]
    )
    (fault,) = project.faults(fields, "t")
    assert "refer to each other more than 75 deep" in fault


def test_fifty_parameters_may_refer_to_each_other(project: Project) -> None:
    lines = [f"  p{n}: {{type: str, value: '${{{{ p{n + 1} }}}}'}}" for n in range(50)]
    fields = "\n".join(
        ["with:", *lines, "  p50: {type: str, value: end}", "tasks: [{name: t, run: '${{ p0 }}'}]"]
    )
    assert project.graph(fields, "t").script("demo.t") == "end"


def test_a_few_lines_that_stand_for_millions_of_nodes_are_a_fault(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dfm.flow.build.MOST_NODES", 1000)
    tasks = ["- {name: t0, body: [{name: a}, {name: b}]}"]
    tasks += [
        f"- {{name: t{n}, body: [{{name: a, uses: t{n - 1}}}, {{name: b, uses: t{n - 1}}}]}}"
        for n in range(1, 20)
    ]
    (fault,) = project.faults("\n".join(["tasks:", *tasks]), "t19")
    assert "the graph has more than 1,000 nodes" in fault
