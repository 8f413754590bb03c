"""`flow.toml` has the same model as YAML (section 4)."""

from pathlib import Path

import pytest

from dfm.errors import FlowError
from dfm.flow.load import Options, load
from dfm.flow.toml_reader import find, read
from dfm.graph.values import Value
from tests.dfm.flow.conftest import RUNDIR, Nodes

FLOW = """\
# a comment
[package]
name = "demo"

[package.with.opt]
type = "str"
value = "O1"

[[package.tasks]]
name = "rtl"
uses = "std.FileSet"
with = { include = ["*.sv"], base = "rtl" }

[[package.tasks]]
root = "build"
needs = ["rtl"]
run = '''
set -e
cc ${{ opt }} ${{ n }}
'''

[package.tasks.with.n]
type = "int"
value = 3

[[package.tasks]]
name = "comp"

[[package.tasks.body]]
name = "a"

[[package.tasks.body]]
name = "b"
needs = ["a"]
"""


def fault(text: str) -> str:
    with pytest.raises(FlowError) as caught:
        read(text, "f")
    return str(caught.value)


def faults(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "flow.toml"
    file.write_text(text)
    with pytest.raises(FlowError) as caught:
        load(Options(str(file)), {})
    return [str(one).replace(f"{file}:", "") for one in caught.value.problems]


def test_a_flow_in_toml_means_what_one_in_yaml_does(tmp_path: Path) -> None:
    (tmp_path / "flow.toml").write_text(FLOW)
    flow = load(Options(str(tmp_path)), {})
    nodes = Nodes(flow.graph(["build", "comp"], RUNDIR))
    assert nodes.needs("demo.build") == ["demo.rtl"]
    assert nodes.script("demo.build") == "set -e\ncc O1 3\n"
    assert nodes["demo.rtl"].params["include"] == ["*.sv"]
    assert nodes.needs("demo.comp.b") == ["demo.comp.a"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", {}),
        ("a = 1\nb = 2.5\nc = true\nd = 'x'", {"a": 1, "b": 2.5, "c": True, "d": "x"}),
        ("a = 0x1F", {"a": 31}),
        ("a.b.c = 1", {"a": {"b": {"c": 1}}}),
        ("a = [1, [2], {b = 3}]", {"a": [1, [2], {"b": 3}]}),
        ("a = 2020-01-01", {"a": "2020-01-01"}),
        ("a = 10:00:00", {"a": "10:00:00"}),
        ("a = 2020-01-01T10:00:00Z", {"a": "2020-01-01 10:00:00+00:00"}),
    ],
)
def test_values_are_plain_data_and_dates_are_text(text: str, value: Value) -> None:
    assert read(text, "f") == value


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("a = = 3", "f:1:5: not valid TOML: "),
        ("a = 1\na = 2", "f: not valid TOML: Cannot overwrite a value"),
        ("[a]\n[a]", "f:2:3: not valid TOML: "),
        ("\n\na = 'x", "f: not valid TOML: "),
        ("a = " + "9" * 5000, "f: not valid TOML: "),
        ("a = 0x" + "F" * 3000, "f: not valid TOML: an integer is too large"),
        ("a = " + "[" * 300 + "]" * 300, "f: nested more than 200 levels deep"),
        ("a = " + "{a = " * 300 + "1" + "}" * 300, "f: nested more than 200 levels deep"),
        ("a." * 300 + "a = 1", "f: nested more than 200 levels deep"),
        ("a = " + "[" * 100_000, "f: nested more than 200 levels deep"),
        ("a = '\x01'", "f:1:6: not valid TOML: "),
    ],
)
def test_what_is_no_toml_is_a_fault(text: str, error: str) -> None:
    assert fault(text).startswith(error)


@pytest.mark.parametrize(
    ("path", "position"),
    [
        (("package",), (2, 1)),
        (("package", "name"), (3, 1)),
        (("package", "with", "opt"), (5, 1)),
        (("package", "with", "opt", "value"), (7, 1)),
        (("package", "tasks", 0), (9, 1)),
        (("package", "tasks", 0, "uses"), (11, 1)),
        (("package", "tasks", 0, "with", "include"), (12, 1)),
        (("package", "tasks", 1, "root"), (15, 1)),
        (("package", "tasks", 1, "needs", 0), (16, 1)),
        (("package", "tasks", 1, "with", "n", "type"), (23, 1)),
        (("package", "tasks", 2, "name"), (27, 1)),
        (("package", "tasks", 2, "body", 1, "needs"), (34, 1)),
        (("package", "tasks", 1, "nowhere"), (14, 1)),
    ],
)
def test_the_place_of_a_key_is_found_or_the_nearest_header(
    path: tuple[str | int, ...], position: tuple[int, int]
) -> None:
    assert find(FLOW, path, False) == position
    assert find(FLOW, path, True) == position


def test_an_empty_text_has_one_place() -> None:
    assert find("", ("package",), False) == (1, 1)


def test_a_script_with_double_brackets_is_no_header() -> None:
    text = "[[package.tasks]]\nrun = '''\n[[ -f x ]]\n[package]\n'''\nnedes = 3\n"
    assert find(text, ("package", "tasks", 0, "nedes"), True) == (6, 1)


def test_a_quoted_key_may_hold_dots() -> None:
    text = '[package.with."a.b"]\ntype = "x"\n'
    assert find(text, ("package", "with", "a.b", "type"), False) == (2, 1)


def test_faults_of_the_flow_have_places_in_the_file(tmp_path: Path) -> None:
    text = FLOW.replace('["rtl"]', '["rlt"]').replace('name = "a"', 'nmae = "a"')
    assert [found.split("\n")[0] for found in faults(tmp_path, text)] == [
        "29:1: a task needs a name: one of `name`, `root`, `export`, `local`",
        "16:1: demo.build needs `rlt`, and there is no such task",
        "34:1: demo.comp.b needs `a`, and there is no such task",
    ]


def test_an_expression_of_a_script_is_pointed_at(tmp_path: Path) -> None:
    (found,) = faults(tmp_path, FLOW.replace("${{ n }}", "${{ m }}"))
    assert found.startswith("19:19: `run` of demo.build: `m` is not defined")
