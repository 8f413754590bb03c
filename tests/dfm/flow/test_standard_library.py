"""Section 31: the package `std` as flows see it."""

import pytest

from dfm.errors import FlowError
from dfm.graph.node import Library, Selection
from dfm.graph.values import Value
from tests.dfm.flow.conftest import RUNDIR, Nodes, Project

FILE_SET: dict[str, Value] = {
    "filetype": "", "basedir": "", "files": [], "incdirs": [], "defines": [], "attributes": [],
}  # fmt: skip
TASKS: dict[str, dict[str, Value]] = {
    "Message": {"msg": ""},
    "FileSet": {
        "type": "", "base": "", "include": [], "exclude": [], "incdirs": [], "defines": [],
        "attributes": [],
    },
    "CreateFile": {"filename": "", "content": "", "type": "", "incdir": False},
    "SetEnv": {"setenv": {}, "append_path": {}, "prepend_path": {}},
    "SetFileType": {"filetype": ""},
    "IncDirs": {},
    "Null": {},
    "PubSet": {"dest": "", "strip": 0, "flatten": False},
    "TestRunner": {
        "tests": [], "views": [], "exclude": [], "build_only": [], "detail": "normal",
        "test_key": "name", "view_axis": "view",
    },
}  # fmt: skip
ITEMS: dict[str, dict[str, Value]] = {
    "DataItem": {},
    "FileSet": FILE_SET,
    "PubSet": {**FILE_SET, "dest": "", "strip": 0, "flatten": False},
    "Env": {"vals": {}, "append_path": {}, "prepend_path": {}},
    "TaskRunSpec": {"task_type": "", "task_name": "", "params": {}, "needs": []},
    "TaskFailure": {"task_name": "", "status": 0, "markers": []},
}
AGENT: dict[str, Value] = {"name": "", "desc": "", "files": [], "content": "", "urls": []}
ITEMS |= {
    "AgentResource": AGENT,
    "AgentSkill": AGENT,
    "AgentTool": {**AGENT, "command": "", "args": [], "url": ""},
    "AgentPersona": {**AGENT, "persona": ""},
    "AgentReference": AGENT,
    "EvalSample": {
        "id": "",
        "epoch": 1,
        "passed": False,
        "status": "",
        "input": "",
        "target": "",
        "output": "",
        "scores": {},
        "error": "",
        "events": "",
        "model_usage": {},
        "started_at": "",
        "completed_at": "",
        "metadata": {},
    },
}
TAGS = {
    "Tag": [],
    "Stable": ["since"],
    "Experimental": ["reason"],
    "Deprecated": ["reason", "replacement", "since"],
    "Test": ["name", "desc", "case", "view", "group"],
    "TestSuite": ["name", "desc"],
    "Eval": ["name", "desc", "case", "view", "group", "benchmark", "sample_id"],
    "AgentSkillTag": [],
    "AgentToolTag": [],
    "AgentPersonaTag": [],
    "AgentReferenceTag": [],
    "ResourceTag": [
        "cores",
        "memory",
        "queue",
        "walltime",
        "resource_class",
        "limits",
        "priority",
    ],
}


@pytest.mark.parametrize("name", TASKS)
def test_a_task_has_these_parameters_and_is_done_by_dfm(project: Project, name: str) -> None:
    node = project.graph(f"tasks: [{{name: t, uses: std.{name}}}]", "t")["demo.t"]
    assert node.work == Library(name)
    assert node.params == TASKS[name]


@pytest.mark.parametrize("name", TASKS)
def test_a_task_of_the_library_can_be_run_itself(project: Project, name: str) -> None:
    nodes = Nodes(project.load("desc: x").graph([f"std.{name}"], RUNDIR))
    assert nodes[f"std.{name}"].work == Library(name)
    assert nodes[f"std.{name}"].rundir == f"std.{name}"


@pytest.mark.parametrize("name", ITEMS)
def test_an_item_type_has_these_fields(project: Project, name: str) -> None:
    graph = project.graph("tasks: [{name: t}]", "t").graph
    assert graph.types[f"std.{name}"] == ITEMS[name]


def test_there_are_no_other_item_types(project: Project) -> None:
    graph = project.graph("tasks: [{name: t}]", "t").graph
    assert set(graph.types) == {f"std.{name}" for name in ITEMS}


@pytest.mark.parametrize("name", TAGS)
def test_a_tag_type_has_these_fields(project: Project, name: str) -> None:
    fields = ", ".join(f"{field}: x" for field in ["category", "value", *TAGS[name]])
    assert project.load(f"tags: [std.{name}: {{{fields}}}]").warnings() == []


@pytest.mark.parametrize(
    ("name", "consumes", "passthrough"),
    [
        ("Message", "all", "unused"),
        ("FileSet", "none", "all"),
        ("CreateFile", "none", "all"),
        ("SetEnv", "all", "unused"),
        ("SetFileType", [{"type": "std.FileSet"}], "unused"),
        ("IncDirs", "all", "unused"),
        ("PubSet", [{"type": "std.FileSet"}], "unused"),
        ("RunTasks", [{"type": "std.TaskRunSpec"}], "all"),
        ("Publish", [{"type": "std.FileSet"}, {"type": "std.PubSet"}], "all"),
        ("Null", "none", "all"),
    ],
)
def test_what_a_task_consumes_and_passes_on(
    project: Project, name: str, consumes: Selection, passthrough: Selection
) -> None:
    node = project.graph(f"tasks: [{{name: t, uses: std.{name}}}]", "t")["demo.t"]
    assert (node.consumes, node.passthrough) == (consumes, passthrough)


def test_patterns_may_be_one_or_many(project: Project) -> None:
    fields = "tasks: [{name: t, uses: std.FileSet, with: {include: '*.sv', incdirs: a b}}]"
    params = project.graph(fields, "t")["demo.t"].params
    assert (params["include"], params["incdirs"]) == ("*.sv", "a b")


def test_a_file_set_is_found_from_the_folder_of_its_flow(project: Project) -> None:
    fields = "tasks: [{name: t, uses: std.FileSet, with: {include: '*.sv'}}]"
    assert project.graph(fields, "t")["demo.t"].srcdir == str(project.folder)


def test_a_run_of_its_own_replaces_what_the_library_does(project: Project) -> None:
    nodes = project.graph("tasks: [{name: t, uses: std.FileSet, run: ls}]", "t")
    assert nodes.script("demo.t") == "ls"
    assert nodes["demo.t"].consumes == "none"


def test_the_command_line_does_not_name_the_library_in_its_warnings(project: Project) -> None:
    fields = "with: {type: {type: str}}\ntasks: [{name: t, run: '${{ type }}'}]"
    assert project.graph(fields, "t", D=["type=x"]).script("demo.t") == "x"


def test_the_package_of_a_flow_may_not_be_called_like_the_library(project: Project) -> None:
    project.file.write_text("package: {name: std, tasks: [{name: t, uses: std.FileSet}]}")
    with pytest.raises(FlowError) as caught:
        project.load_file(project.file)
    assert str(caught.value) == f"{project.file}:1:17: `std` is the name of the standard library"
