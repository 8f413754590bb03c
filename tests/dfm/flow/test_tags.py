"""Section 25, and what runners read of it."""

import pytest

from tests.dfm.flow.conftest import Project

TEAM = """
types:
- {name: Team, uses: std.Tag, with: {mail: {type: str}}}
- {name: Inner, uses: Team}
- {name: Opts, uses: std.DataItem}
"""


@pytest.mark.parametrize(
    "tags", ["[Team]", "[demo.Team]", "[Team: {mail: x}]", "[Inner: {mail: x, value: v}]",
             "[std.Stable, std.Test: {name: n}]", "[Team: ]", "[]", ""],
)  # fmt: skip
def test_a_tag_is_a_type_or_a_map_of_one_to_its_fields(project: Project, tags: str) -> None:
    fields = f"""{TEAM}- {{name: Tagged, tags: {tags}}}
tags: {tags}
tasks: [{{name: t, tags: {tags}}}]
"""
    assert project.graph(fields, "t").names == ["demo.t"]


@pytest.mark.parametrize(
    ("tag", "fault"),
    [
        ("Taem", "no type `Taem` (did you mean `Team`?)"),
        ("Opts", "`Opts` is no tag: it does not derive from std.Tag"),
        ("std.FileSet", "`std.FileSet` is no tag: it does not derive from std.Tag"),
        ("Team: {mial: x}", "tag Team has no field `mial` (did you mean `mail`?)"),
        ("{Team: {}, Inner: {}}", "a tag is a type, or a map of one type to its fields"),
        ("3", "a tag is a type, or a map of one type to its fields"),
        ("Team: x", "`Team` must be a map, not the text 'x'"),
        ("Team: {mail: '${{ nope }}'}", "tag Team: `nope` is not defined"),
    ],
)
@pytest.mark.parametrize("owner", ["package", "type", "task", "body"])
def test_what_is_wrong_with_a_tag_is_a_fault_of_loading(
    project: Project, tag: str, fault: str, owner: str
) -> None:
    fields = (
        TEAM
        + {
            "package": f"tags: [{tag}]\n",
            "type": f"- {{name: X, tags: [{tag}]}}\n",
            "task": f"tasks: [{{name: t, tags: [{tag}]}}]\n",
            "body": f"tasks: [{{name: t, body: [{{name: b, tags: [{tag}]}}]}}]\n",
        }[owner]
    )
    (found,) = project.faults(fields)
    assert found.split(": ", 1)[1].startswith(fault)


@pytest.mark.parametrize("tags", ["std.Stable", "{std.Stable: {}}", "3"])
def test_tags_are_a_list(project: Project, tags: str) -> None:
    (fault,) = project.faults(f"tasks: [{{name: t, tags: {tags}}}]")
    assert "`tags` must be a list" in fault


def resources(project: Project, fields: str, name: str = "t") -> tuple[int, int]:
    node = project.graph(f"tasks:\n- name: t\n{fields}", name)[f"demo.{name}"]
    return node.cores, node.walltime_s


@pytest.mark.parametrize(
    ("values", "cores", "walltime"),
    [
        ("", 0, 0),
        ("cores: 4", 4, 0),
        ("cores: '4'", 4, 0),
        ("walltime: '2:30'", 0, 9000),
        ("walltime: 2:30", 0, 9000),
        ("walltime: 90", 0, 5400),
        ("cores: 2, walltime: '0:01', memory: 8G, queue: q, resource_class: c", 2, 60),
        ("cores: '${{ n * 2 }}', walltime: '0:${{ n }}0'", 6, 1800),
        ("cores: , walltime: ", 0, 0),
    ],
)
def test_a_task_asks_for_cores_and_walltime_by_its_resource_tag(
    project: Project, values: str, cores: int, walltime: int
) -> None:
    fields = f"  with: {{n: {{type: int, value: 3}}}}\n  tags: [std.ResourceTag: {{{values}}}]"
    assert resources(project, fields) == (cores, walltime)


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("cores: 0", "`cores` of demo.t must be a number of cores, 1 or more, not the number 0"),
        ("cores: many", "`cores` of demo.t must be a number of cores, 1 or more, not the text"),
        ("cores: 1.5", "`cores` of demo.t must be a number of cores, 1 or more, not the number"),
        ("cores: true", "`cores` of demo.t must be a number of cores, 1 or more, not the boolean"),
        ("walltime: soon", '`walltime` of demo.t must be "HH:MM" or a number of minutes, not'),
        ("walltime: '1:60'", '`walltime` of demo.t must be "HH:MM" or a number of minutes, not'),
    ],
)
def test_what_cannot_be_asked_for_is_a_fault(project: Project, value: str, fault: str) -> None:
    (found,) = project.faults(f"tasks:\n- name: t\n  tags: [std.ResourceTag: {{{value}}}]", "t")
    assert found.startswith(f"3:{28 + value.index(':') + 2}: {fault}")


def test_the_nearest_resource_tag_along_the_chain_counts(project: Project) -> None:
    fields = """\
  tags: [std.ResourceTag: {cores: 4, walltime: 90}]
- {name: near, uses: t}
- {name: own, uses: near, tags: [std.Stable, std.ResourceTag: {cores: 2}]}
- {name: other, uses: t, tags: [std.Stable]}
"""
    assert resources(project, fields, "near") == (4, 5400)
    assert resources(project, fields, "own") == (2, 0)
    assert resources(project, fields, "other") == (4, 5400)


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
    assert [nodes[f"demo.m.c_{n}"].cores for n in (0, 1)] == [1, 8]
