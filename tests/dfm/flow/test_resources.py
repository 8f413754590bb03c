"""What a use of std.ResourceTag says, and what it cannot say (section 3 of the runners' contract)."""

from typing import Any

import pytest

from dfm.graph.resources import Request
from tests.dfm.flow.conftest import Project


def request_of(project: Project, fields: str, name: str = "t") -> Request | None:
    return project.graph(f"tasks:\n- name: t\n{fields}", name)[f"demo.{name}"].request


def tag(values: str) -> str:
    return f"  with: {{n: {{type: int, value: 3}}}}\n  tags: [std.ResourceTag: {{{values}}}]"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ("", {}),
        ("cores: 4", {"cores": 4}),
        ("cores: '4'", {"cores": 4}),
        ("memory: 8G", {"memory_mib": 8192}),
        ("memory: 1.5G", {"memory_mib": 1536}),
        ("memory: 512", {"memory_mib": 512}),
        ("walltime: '2:30'", {"walltime_s": 9000}),
        ("walltime: 2:30", {"walltime_s": 9000}),
        ("walltime: 90", {"walltime_s": 5400}),
        ("queue: regr", {"queue": "regr"}),
        ("queue: 7", {"queue": "7"}),
        ("resource_class: large", {"resource_class": "large"}),
        ("priority: 5", {"priority": 5}),
        ("priority: -5", {"priority": -5}),
        ("priority: '-5'", {"priority": -5}),
        ("limits: {vcs: 2, db: 1}", {"limits": (("db", 1), ("vcs", 2))}),
        ("limits: {vcs: '2'}", {"limits": (("vcs", 2),)}),
        ("limits: [vcs, db]", {"limits": (("db", 1), ("vcs", 1))}),
        ("limits: [vcs, vcs]", {"limits": (("vcs", 2),)}),
        ("limits: {vcs: 0}", {}),
        ("limits: []", {}),
        ("cores: '${{ n * 2 }}', walltime: '0:${{ n }}0'", {"cores": 6, "walltime_s": 1800}),
        ("limits: {vcs: '${{ n }}'}, priority: '${{ n }}'",
         {"limits": (("vcs", 3),), "priority": 3}),
        ("cores: , memory: , queue: , walltime: , resource_class: , limits: , priority: ", {}),
        ("queue: '', resource_class: '${{ \"\" }}', walltime: ''", {}),
    ],
)  # fmt: skip
def test_a_task_asks_for_what_the_use_of_its_tag_says(
    project: Project, values: str, said: dict[str, Any]
) -> None:
    assert request_of(project, tag(values)) == Request(**said)


def test_the_defaults_of_the_tags_type_count_as_not_said(project: Project) -> None:
    assert request_of(project, "  tags: [std.ResourceTag]") == Request()


def test_a_task_without_a_tag_is_told_apart_from_one_whose_tag_says_nothing(
    project: Project,
) -> None:
    assert request_of(project, "  tags: [std.Stable]") is None


@pytest.mark.parametrize(
    ("value", "within", "fault"),
    [
        ("cores: 0", "0", "`cores` of demo.t must be a number of cores, 1 or more, not the number 0"),
        ("cores: many", "many", "`cores` of demo.t must be a number of cores, 1 or more, not the text"),
        ("cores: 1.5", "1.5", "`cores` of demo.t must be a number of cores, 1 or more, not the number"),
        ("cores: true", "true", "`cores` of demo.t must be a number of cores, 1 or more, not the bool"),
        ("cores: 9999999999", "9", "`cores` of demo.t must be at most 2147483647, not the number"),
        ("memory: much", "much", "`memory` of demo.t must be a number with K, M, G or T"),
        ("memory: 0", "0", "`memory` of demo.t must be more than 0, not the number 0"),
        ("memory: [1G]", "memory", "`memory` of demo.t must be a number with K, M, G or T"),
        ("walltime: soon", "soon", '`walltime` of demo.t must be "HH:MM" or a number of minutes, not'),
        ("walltime: '1:60'", "'1", '`walltime` of demo.t must be "HH:MM" or a number of minutes, not'),
        ("walltime: '0:00'", "'0", "`walltime` of demo.t must be more than 0, not the text '0:00'"),
        ("queue: [regr]", "queue", "`queue` of demo.t must be text, not a list"),
        ("queue: true", "true", "`queue` of demo.t must be text, not the boolean true"),
        ('queue: "a\\tb"', '"a', "`queue` of demo.t must be one line of text without control"),
        ("resource_class: {large: 1}", "resource", "`resource_class` of demo.t must be text, not a map"),
        ("priority: high", "high", "`priority` of demo.t must be a whole number, not the text 'high'"),
        ("priority: 1.5", "1.5", "`priority` of demo.t must be a whole number, not the number 1.5"),
        ("limits: vcs", "vcs", "`limits` of demo.t must be a map of limits to counts, or a list of"),
        ("limits: 3", "3", "`limits` of demo.t must be a map of limits to counts, or a list of limits"),
        ("limits: {vcs: x}", "x}", "`limits` of demo.t must be counts of 0 or more, not the text 'x'"),
        ("limits: {vcs: -1}", "-1", "`limits` of demo.t must be counts of 0 or more, not the number -1"),
        ("limits: {a: 1, b: }", "}", "`limits` of demo.t must be counts of 0 or more, not nothing"),
        ("limits: [a, 3]", "3", "`limits` of demo.t must be a list of names of limits, not the number 3"),
        ("limits: [{a: 1}]", "{a", "`limits` of demo.t must be a list of names of limits, not a map"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_for_is_a_fault_at_its_place(
    project: Project, value: str, within: str, fault: str
) -> None:
    line = f"  tags: [std.ResourceTag: {{{value}}}]"
    (found,) = project.faults(f"tasks:\n- name: t\n{line}", "t")
    column = line.index(within, line.index("{")) + 1
    assert found.startswith(f"3:{column}: {fault}")


def test_all_faults_of_a_tag_are_said_at_once(project: Project) -> None:
    values = "cores: 0, memory: much, walltime: soon, priority: high, limits: vcs"
    assert len(project.faults(f"tasks:\n- name: t\n{tag(values)}", "t")) == 5


def test_the_nearest_resource_tag_along_the_chain_counts(project: Project) -> None:
    fields = """\
  tags: [std.ResourceTag: {cores: 4, walltime: 90}]
- {name: near, uses: t}
- {name: own, uses: near, tags: [std.Stable, std.ResourceTag: {cores: 2}]}
- {name: other, uses: t, tags: [std.Stable]}
"""
    inherited = Request(cores=4, walltime_s=5400)
    assert request_of(project, fields, "near") == inherited
    assert request_of(project, fields, "own") == Request(cores=2)
    assert request_of(project, fields, "other") == inherited


def test_resources_may_differ_by_cell(project: Project) -> None:
    nodes = project.graph(
        """
        tasks:
        - name: m
          strategy: {matrix: {n: [1, 8]}}
          body: [{name: c, tags: [std.ResourceTag: {cores: "${{ matrix.n }}"}]}]
        """,
        "m",
    )
    assert [nodes[f"demo.m.c_{n}"].request for n in (0, 1)] == [Request(cores=1), Request(cores=8)]


def test_the_place_of_a_request_is_that_of_the_field_in_the_nearest_tag(project: Project) -> None:
    flow = project.load("""
    tasks:
    - name: t
      tags: [std.ResourceTag: {cores: 4, queue: q}]
    - {name: u, uses: t}
    - {name: none}
    """)
    graph = flow.graph(["u", "none"], "/r")
    numbers = {node.name: node.number for node in graph.nodes}

    def place(name: str, field: str) -> tuple[int, int]:
        found = flow.place_of_request(numbers[name], field)
        assert found is not None
        return found.line, found.column

    assert place("demo.u", "queue") == (5, 40)
    assert place("demo.u", "memory") == (5, 12)
    assert place("demo.none", "queue") == (7, 12)
