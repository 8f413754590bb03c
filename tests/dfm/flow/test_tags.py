"""Section 25; what runners read of std.ResourceTag is in test_resources.py."""

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


def test_a_tag_that_derives_from_the_one_of_resources_is_read_by_runners(project: Project) -> None:
    flow = """
types:
- {name: Big, uses: std.ResourceTag, with: {memory: 64G}}
- {name: Bigger, uses: Big, with: {cores: 8}}
tasks:
- {name: t, run: x, tags: [Big: {cores: 2}]}
- {name: u, run: x, tags: [Bigger]}
"""
    graph = project.graph(flow, "t", "u")
    asked = [graph[name].request for name in ("demo.t", "demo.u")]
    assert [(one.cores, one.memory_mib) for one in asked if one] == [(2, 65536), (8, 65536)]


def test_tags_are_not_inherited_by_uses(project: Project) -> None:
    flow = project.load(f"{TEAM}tasks: [{{name: a, tags: [Team]}}, {{name: b, uses: a}}]\n")
    tags = {task.short: task.tags for task in flow.program.root.tasks.values()}
    assert [tag.type for tag in tags["a"]] == ["Team"]
    assert tags["b"] == []
