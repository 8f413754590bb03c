"""Section 5 and the shapes of section 4: what a flow file as a whole must be."""

import pytest

from dfm.errors import FlowError
from tests.dfm.flow.conftest import RUNDIR, Nodes, Project

ALL_FIELDS = """
desc: A demo
doc: |
  Long
  prose
type: [anything]
tags: [std.Stable]
with: {v: {type: int, value: 3}}
types: [{name: T, uses: std.DataItem, desc: x, doc: y}]
configs: [{name: c, desc: x, doc: y}]
tasks:
- name: t
  desc: x
  doc: y
  examples: [{title: a, code: b, caption: c, lang: d}]
  needs: []
  feeds: []
  with: {}
  iff: true
  run: x
  shell: bash
  consumes: all
  passthrough: unused
  produces: []
  rundir: unique
  uptodate: true
  cache: {enabled: true, hash: ["${{ v }}"], compression: no}
  tags: []
  abstract: false
  max_failures: -1
  scope: [root]
"""


def errors(project: Project, text: str) -> list[str]:
    project.file.write_text(text)
    with pytest.raises(FlowError) as caught:
        project.load_file(project.file)
    return str(caught.value).replace(f"{project.file}:", "").split("\n")


def test_every_field_of_the_core_is_accepted(project: Project) -> None:
    assert project.graph(ALL_FIELDS, "t").names == ["demo.t"]


def test_what_is_shown_of_a_package_is_kept(project: Project) -> None:
    package = project.load(ALL_FIELDS).program.root
    assert (package.name, package.desc, package.doc) == ("demo", "A demo", "Long\nprose\n")
    task = package.tasks["demo.t"]
    assert (task.desc, task.doc) == ("x", "y")


def test_a_package_may_be_empty(project: Project) -> None:
    project.file.write_text("package: {name: demo}")
    assert project.load_file(project.file).graph([], RUNDIR).nodes == []


@pytest.mark.parametrize("field", ["with", "tasks", "types", "configs", "tags"])
def test_a_field_without_a_value_is_as_if_it_were_not_there(project: Project, field: str) -> None:
    assert project.graph(f"{field}:").names == []


def test_other_keys_beside_the_package_are_ignored(project: Project) -> None:
    project.file.write_text("x-mine: {a: [}]}".replace("}]", "]") + "\npackage: {name: demo}\n")
    assert project.load_file(project.file).warnings() == []


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "1:1: not a flow file: it is nothing"),
        ("- a", "1:1: not a flow file: it is a list"),
        ("tasks: []", "1:1: not a flow file: there is no `package:` in it"),
        ("fragment: {}", "1:1: a fragment is no flow to start from: there is no `package:` in it"),
        ("package: x", "1:10: `package` must be a map, not the text 'x'"),
        ("package:", "1:9: `package` must be a map, not nothing"),
        ("package: {desc: x}", "1:1: a package needs a `name`"),
        ("package: {name: 3}", "1:17: `name` must be text, not the number 3"),
        ("package: {name: ''}", "1:17: `name` must not be empty"),
    ],
)
def test_what_is_no_package_is_said(project: Project, text: str, error: str) -> None:
    assert errors(project, text)[0] == error


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ("tasks: x", "1:8: `tasks` must be a list of maps, not the text 'x'"),
        ("tasks: {a: 1}", "1:1: `tasks` must be a list of maps, not a map"),
        ("tasks: [a]", "1:9: element 1 of `tasks` must be a map, not the text 'a'"),
        ("with: [a]", "1:1: `with` must be a map, not a list"),
        ("desc: 3", "1:7: `desc` must be text, not the number 3 (put it in quotes)"),
        ("types: 3", "1:8: `types` must be a list of maps, not the number 3"),
        ("configs: x", "1:10: `configs` must be a list of maps, not the text 'x'"),
        ("configs: [{name: a, extensions: {}}]",
         "1:21: `extensions` must be a list of maps, not a map"),
        ("tasks: [{name: t, needs: x}]", "1:26: `needs` must be a list, not the text 'x' (write [x])"),
        ("tasks: [{name: t, needs: [3]}]",
         "1:27: element 1 of `needs` must be text, not the number 3 (put it in quotes)"),
        ("tasks: [{name: t, needs: [[a]]}]",
         "1:27: element 1 of `needs` must be text, not a list"),
        ("tasks: [{name: t, needs: ['']}]", "1:27: a name in `needs` must not be empty"),
        ("tasks: [{name: t, needs: [off]}]",
         "1:27: element 1 of `needs` must be text, not the boolean false (put it in quotes)"),
        ("tasks: [{name: t, feeds: x}]", "1:26: `feeds` must be a list, not the text 'x' (write [x])"),
        ("tasks: [{name: t, feeds: [on]}]",
         "1:27: element 1 of `feeds` must be text, not the boolean true (put it in quotes)"),
        ("tasks: [{name: t, with: [a]}]", "1:19: `with` must be a map, not a list"),
        ("tasks: [{name: t, run: [a]}]", "1:19: `run` must be text, not a list"),
        ("tasks: [{name: t, uses: [a]}]", "1:19: `uses` must be text, not a list"),
        ("tasks: [{name: t, shell: 3}]",
         "1:26: `shell` must be text, not the number 3 (put it in quotes)"),
        ("tasks: [{name: t, scope: 3}]", "1:26: `scope` must be a list, not the number 3"),
        ("tasks: [{name: t, abstract: 'yes'}]",
         "1:29: `abstract` must be true or false, not the text 'yes'"),
        ("tasks: [{name: t, max_failures: many}]",
         "1:33: `max_failures` must be an integer, not the text 'many'"),
        ("tasks: [{name: t, strategy: matrix}]",
         "1:29: `strategy` must be a map, not the text 'matrix'"),
        ("tasks: [{name: t, strategy: {matrix: [a]}}]", "1:30: `matrix` must be a map, not a list"),
        ("tasks: [{name: t, examples: [{title: x}]}]", "1:30: an example needs `code`"),
        ("tasks: [{name: t, cache: {enabled: x}}]",
         "1:36: `enabled` must be true or false, not the text 'x'"),
        ("tasks: [{name: t, cache: {compression: zip}}]",
         "1:40: `zip` is not one of no, gzip, bzip2, yes (did you mean `gzip` or `bzip2`?)"),
        ("tasks: [{run: x}]",
         "1:9: a task needs a name: one of `name`, `root`, `export`, `local`"),
    ],
)  # fmt: skip
def test_wrong_shapes_are_faults_and_each_is_said_once(
    project: Project, fields: str, fault: str
) -> None:
    assert project.faults(fields) == [fault]


@pytest.mark.parametrize("pair", [("name", "root"), ("root", "export"), ("local", "override")])
def test_a_task_has_one_name(project: Project, pair: tuple[str, str]) -> None:
    first, second = pair
    assert project.faults(f"tasks: [{{{first}: a, {second}: b}}]") == [
        f"1:9: a task has one name, this one has `{first}` and `{second}`"
    ]


def test_a_task_that_is_declared_twice_is_a_fault_with_both_places(project: Project) -> None:
    fields = "tasks:\n- {name: a}\n- {name: b}\n- {root: a}"
    assert project.faults(fields) == [
        f"4:10: task `demo.a` is declared twice (first at {project.file}:4:12)"
    ]


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ("tsaks: []", "1:1: a package has no field `tsaks` (did you mean `tasks` or `tags`?)"),
        ("tasks: [{name: t, nedes: []}]", "1:19: a task has no field `nedes` (did you mean `needs`"),
        ("tasks: [{name: t, template: true}]", "1:19: a task has no field `template`"),
        ("tasks: [{name: t, body: [{name: b, rnu: x}]}]",
         "1:36: a task has no field `rnu` (did you mean `run`"),
        ("tasks: [{name: t, cache: {hsah: []}}]", "1:27: `cache` has no field `hsah` (did you mean"),
        ("tasks: [{name: t, examples: [{code: x, tilte: y}]}]",
         "1:40: an example has no field `tilte` (did you mean `title`"),
    ],
)  # fmt: skip
def test_an_unknown_field_is_a_fault_with_the_nearest(
    project: Project, fields: str, fault: str
) -> None:
    (found,) = project.faults(fields)
    assert found.startswith(fault)


def test_an_unknown_field_of_a_strategy_is_a_warning(project: Project) -> None:
    fields = "tasks: [{name: t, strategy: {matrix: {x: [1]}, martix: {}}, body: []}]"
    (warning,) = project.warnings(fields, "t")
    assert warning.startswith("1:48: `strategy` has no field `martix`; it is ignored")


def test_a_loaded_flow_makes_as_many_graphs_as_are_wanted(project: Project) -> None:
    flow = project.load("tasks: [{name: a}, {name: b, needs: [a]}]")
    assert Nodes(flow.graph(["b"], RUNDIR)).names == ["demo.b", "demo.a"]
    assert Nodes(flow.graph(["a"], RUNDIR)).names == ["demo.a"]
