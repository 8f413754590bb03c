"""A folder with flow files, and what loading them and building their graphs comes to."""

import os
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from dfm.errors import FlowError, Problem, UsageError
from dfm.flow.load import Flow, Options, load
from dfm.graph.node import Compound, Entry, Graph, Node, Script, cycle

RUNDIR = "/work/rundir"
# What stands before the fields of a package in the files that `Project` writes.
NEWLINE = "\n"
HEAD = "package:\n  name: demo\n"


class Nodes:
    """A graph by the names of its nodes. Making one checks what holds for every graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.goals = [graph.nodes[number].name for number in graph.goals]
        check(graph)

    def __getitem__(self, name: str) -> Node:
        found = [node for node in self.graph.nodes if node.name == name]
        assert len(found) == 1, f"{len(found)} nodes {name} in {sorted(self.names)}"
        return found[0]

    def __contains__(self, name: str) -> bool:
        return name in self.names

    @property
    def names(self) -> list[str]:
        return [node.name for node in self.graph.nodes]

    @property
    def rundirs(self) -> dict[str, str]:
        return {node.name: node.rundir for node in self.graph.nodes}

    def needs(self, name: str) -> list[str]:
        return [self.graph.nodes[number].name for number in self[name].needs]

    def script(self, name: str) -> str:
        work = self[name].work
        assert isinstance(work, Script), work
        return work.text

    def members(self, name: str) -> list[str]:
        work = self[name].work
        assert isinstance(work, Compound), work
        return [self.graph.nodes[number].name for number in work.members]


def check(graph: Graph) -> None:
    """Numbers are places, needs and scopes exist, no two nodes write into one folder unasked."""
    assert [node.number for node in graph.nodes] == list(range(len(graph.nodes)))
    assert cycle(graph) is None
    folders: dict[str, int] = {}
    for node in graph.nodes:
        assert len(set(node.needs)) == len(node.needs), f"{node.name} needs one node twice"
        assert all(0 <= number < len(graph.nodes) for number in node.needs)
        if node.scope is not None:
            around = graph.nodes[node.scope].work
            assert isinstance(around, Compound)
            assert node.number in around.members or isinstance(node.work, Entry)
        if not node.inherits_rundir:
            other = folders.setdefault(node.rundir, node.number)
            assert other == node.number, f"two nodes are in {node.rundir}"


class Project:
    """A folder with a flow file. A text is the fields of its package `demo`, at any indentation."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "flow.yaml"
        self.overrides: list[str] = []  # --override
        self.package_maps: list[str] = []  # --package-map

    def write(self, fields: str) -> Path:
        self.file.write_text(HEAD + indented(fields))
        return self.file

    def add(self, name: str, text: str) -> Path:
        """One more file of the folder, with this text at any indentation."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text))
        return file

    def load(
        self, fields: str, *, c: str = "", D: Sequence[str] = (), P: Sequence[str] = (),
        environ: Mapping[str, str] | None = None,
    ) -> Flow:  # fmt: skip
        """The flow, with options as on a command line."""
        return self.load_file(self.write(fields), c=c, D=D, P=P, environ=environ)

    def load_file(
        self, file: Path, *, c: str = "", D: Sequence[str] = (), P: Sequence[str] = (),
        environ: Mapping[str, str] | None = None,
    ) -> Flow:  # fmt: skip
        options = Options(str(file), c, D, P, self.overrides, self.package_maps)
        return load(options, environ or {})

    def graph(
        self, fields: str, *goals: str, c: str = "", D: Sequence[str] = (), P: Sequence[str] = (),
        environ: Mapping[str, str] | None = None,
    ) -> Nodes:  # fmt: skip
        """The graph of these tasks, and it has nothing to warn of."""
        flow = self.load(fields, c=c, D=D, P=P, environ=environ)
        graph = flow.graph(goals, RUNDIR)
        assert flow.warnings() == []
        return Nodes(graph)

    def warnings(self, fields: str, *goals: str, c: str = "", D: Sequence[str] = (),
                 P: Sequence[str] = ()) -> list[str]:  # fmt: skip
        """What loading and building warns of, with the places by line and column."""
        flow = self.load(fields, c=c, D=D, P=P)
        flow.graph(goals, RUNDIR)
        return [self.shown(warning) for warning in flow.warnings()]

    def faults(
        self, fields: str, *goals: str, c: str = "", environ: Mapping[str, str] | None = None
    ) -> list[str]:
        """What is wrong, each as "LINE:COLUMN: what (hint)"; lines count from the first of `fields`."""
        with pytest.raises(FlowError) as caught:
            self.load(fields, c=c, environ=environ).graph(goals, RUNDIR)
        return [self.shown(problem) for problem in caught.value.problems]

    def usage(self, fields: str, *goals: str, c: str = "", D: Sequence[str] = (),
              P: Sequence[str] = ()) -> str:  # fmt: skip
        """What is wrong with the command line."""
        with pytest.raises(UsageError) as caught:
            self.load(fields, c=c, D=D, P=P).graph(goals, RUNDIR)
        (problem,) = caught.value.problems
        return f"{problem.what} ({problem.hint})" if problem.hint else problem.what

    def shown(self, problem: Problem) -> str:
        text = problem.what
        if problem.place is not None:
            file, line, column = problem.place
            if file == str(self.file):
                text = f"{line - HEAD.count(NEWLINE)}:{column - 2}: {text}"
            else:
                text = f"{os.path.relpath(file, self.folder)}:{line}:{column}: {text}"
        return f"{text} ({problem.hint})" if problem.hint else text


def indented(fields: str) -> str:
    """The text two columns to the right of where its first line began."""
    lines = fields.strip("\n").split("\n")
    margin = len(lines[0]) - len(lines[0].lstrip())
    return "".join(f"  {line[margin:]}\n" if line.strip() else "\n" for line in lines)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)
