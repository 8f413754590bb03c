"""Section 14.1: `-D` in all its spellings."""

import pytest

from dfm.graph.values import Value
from tests.dfm.flow.conftest import Project

FLOW = """
with:
  level: {type: int, value: 1}
  names: {type: list, value: [a]}
  opts: {type: map}
tasks:
- name: build
  run: "${{ level }} ${{ seed }}"
  with: {seed: {type: int, value: 1}, mode: {type: str, value: fast, values: [fast, slow]}}
- name: sim
  needs: [build]
  run: sim ${{ seed }}
  with: {seed: {type: int, value: 2}}
- name: comp
  with: {seed: {type: int, value: 3}}
  body:
  - {name: a, run: "${{ this.seed }} ${{ seed }}", with: {seed: {type: int, value: 9}}}
"""


def param(project: Project, name: str, *D: str) -> Value:
    task, _, last = name.rpartition(".")
    return project.graph(FLOW, task, D=D)[f"demo.{task}"].params[last]


@pytest.mark.parametrize("name", ["build.seed", "demo.build.seed"])
def test_a_parameter_of_a_task_is_set_by_its_short_or_full_name(
    project: Project, name: str
) -> None:
    nodes = project.graph(FLOW, "sim", D=[f"{name}=7"])
    assert nodes.script("demo.build") == "1 7"
    assert nodes.script("demo.sim") == "sim 2"


@pytest.mark.parametrize("name", ["level", "demo.level"])
def test_a_variable_is_set_bare_or_with_its_package(project: Project, name: str) -> None:
    assert project.graph(FLOW, "build", D=[f"{name}=5"]).script("demo.build") == "5 1"


def test_a_bare_name_sets_the_parameter_of_every_task_but_not_in_bodies(
    project: Project,
) -> None:
    nodes = project.graph(FLOW, "sim", "comp", D=["seed=7"])
    assert nodes.script("demo.build") == "1 7"
    assert nodes.script("demo.sim") == "sim 7"
    assert nodes.script("demo.comp.a") == "7 9"


def test_a_parameter_of_a_compound_reaches_what_its_body_reads(project: Project) -> None:
    assert project.graph(FLOW, "comp", D=["comp.seed=4"]).script("demo.comp.a") == "4 9"


def test_more_than_one_kind_of_match_is_a_warning_that_lists_them(project: Project) -> None:
    fields = """
    with: {seed: {type: int}}
    tasks: [{name: t, run: "${{ demo.seed }} ${{ seed }}", with: {seed: {type: int}}}]
    """
    flow = project.load(fields, D=["seed=3"])
    assert [warning.what for warning in flow.warnings()] == [
        "-D seed=3 sets more than one thing: package demo, task demo.t"
    ]
    work = flow.graph(["t"], "/r").nodes[0].work
    assert getattr(work, "text") == "3 3"  # noqa: B009


@pytest.mark.parametrize("order", [0, 1, 2])
def test_the_more_qualified_form_wins_in_any_order(project: Project, order: int) -> None:
    definitions = ["seed=4", "build.seed=5", "demo.build.seed=6"]
    rotated = definitions[order:] + definitions[:order]
    assert param(project, "build.seed", *rotated) == 6
    assert param(project, "build.seed", *[d for d in rotated if "demo" not in d]) == 5


def test_among_equal_forms_the_last_wins(project: Project) -> None:
    assert param(project, "build.seed", "build.seed=4", "build.seed=5") == 5
    assert param(project, "build.seed", "seed=4", "seed=5") == 5


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("int", "0x20", 32),
        ("int", "0b11", 3),
        ("int", "0o17", 15),
        ("int", "010", 10),
        ("int", "-3", -3),
        ("float", "2", 2.0),
        ("float", "1e3", 1000.0),
        *[("bool", word, True) for word in ("1", "true", "TRUE", "yes", "Y", "on")],
        *[("bool", word, False) for word in ("0", "false", "no", "off", "maybe", "")],
        ("list", "a", ["a"]),
        ("list", "a,b", ["a", "b"]),
        ("list", "[a, 1]", ["a", 1]),
        ("list", '["a,b"]', ["a,b"]),
        ("map", '{"k": [1]}', {"k": [1]}),
        ("map", "{k: v}", {"k": "v"}),
        ("map", "k: v", {"k": "v"}),
        ("str", "", ""),
        ("str", "3", "3"),
        ("str", "a=b,c", "a=b,c"),
        ("str", "${{ no }}", "${{ no }}"),
    ],
)
@pytest.mark.parametrize("name", ["v", "demo.v", "t.p", "p"])
def test_a_text_becomes_a_value_of_the_declared_type(
    project: Project, kind: str, text: str, value: Value, name: str
) -> None:
    fields = f"""
    with: {{v: {{type: {kind}}}}}
    tasks: [{{name: t, with: {{p: {{type: {kind}}}, q: {{type: {kind}, value: "${{{{ v }}}}"}}}}}}]
    """
    params = project.graph(fields, "t", D=[f"{name}={text}"])["demo.t"].params
    found = params["q" if "v" in name else "p"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("kind", "text", "what"),
    [
        ("int", "x", "must be an integer, not the text 'x'"),
        ("int", "1.5", "must be an integer, not the text '1.5'"),
        ("int", "", "must be an integer, not the text ''"),
        ("float", "x", "must be a number, not the text 'x'"),
        ("map", "[1]", "must be a map, not a list"),
        ("list", "[1", "not valid YAML: "),
        ("map", "{", "not valid YAML: "),
        ("map", "word", "must be a map, not the text 'word'"),
        ("map", "", "must be a map, not nothing"),
    ],
)
@pytest.mark.parametrize("name", ["v", "demo.v", "t.p", "p"])
def test_a_text_that_does_not_fit_is_an_error(
    project: Project, kind: str, text: str, what: str, name: str
) -> None:
    fields = f"""
    with: {{v: {{type: {kind}}}}}
    tasks: [{{name: t, with: {{p: {{type: {kind}}}}}}}]
    """
    assert project.usage(fields, "t", D=[f"{name}={text}"]).startswith(f"-D {name}={text}: {what}")


@pytest.mark.parametrize("name", ["build.mode", "mode", "demo.build.mode"])
def test_a_value_outside_a_closed_set_is_an_error(project: Project, name: str) -> None:
    assert project.usage(FLOW, "build", D=[f"{name}=sloww"]).startswith(
        f"-D {name}=sloww: accepted are fast, slow"
    )
    assert param(project, "build.mode", f"{name}=slow") == "slow"


def test_a_set_written_in_another_type_is_compared_by_its_text(project: Project) -> None:
    fields = "tasks: [{name: t, with: {p: {type: str, value: 1, values: [1, 2]}}}]"
    assert project.graph(fields, "t", D=["p=2"])["demo.t"].params == {"p": "2"}


def test_a_value_outside_an_open_set_is_accepted(project: Project) -> None:
    fields = "tasks: [{name: t, with: {p: {type: str, value: a, values: {of: [a], open: true}}}}]"
    assert project.load(fields, D=["p=b"]).graph(["t"], "/r").nodes[0].params == {"p": "b"}


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("levle", "did you mean `level`?"),
        ("build.sed", "did you mean `build.seed`"),
        ("demo.levle", "did you mean `demo.level`"),
        ("comp.a.seed", ""),
        ("nowhere.at.all", ""),
    ],
)
def test_an_unknown_name_is_a_warning_with_suggestions(
    project: Project, name: str, hint: str
) -> None:
    (warning,) = project.warnings(FLOW, "build", D=[f"{name}=1"])
    assert warning.startswith(f"-D {name}: nothing has this name")
    assert hint in warning


@pytest.mark.parametrize("text", ["level", "=3", "="])
def test_what_is_no_definition_is_an_error(project: Project, text: str) -> None:
    assert project.usage(FLOW, D=[text]) == f"-D {text}: not of the form NAME=VALUE"


def test_a_variable_follows_one_that_is_set(project: Project) -> None:
    fields = """
    with: {a: {type: str, value: x}, b: {type: str, value: "${{ a }}!"}}
    tasks: [{name: t, run: "${{ b }}"}]
    """
    assert project.graph(fields, "t", D=["a=y"]).script("demo.t") == "y!"


def test_a_task_that_computes_its_base_gets_the_parameters_too(project: Project) -> None:
    fields = """
    with: {kind: {type: str, value: a}}
    tasks:
    - {name: a, run: "${{ seed }}", with: {seed: {type: int}}}
    - {name: t, uses: "${{ kind }}"}
    """
    assert project.graph(fields, "t", D=["seed=3"]).script("demo.t") == "3"
    assert project.usage(fields, "t", D=["seed=x"]).startswith("-D seed=x: must be an integer")


COMPUTED = """
with: {kind: {type: str, value: a}}
tasks:
- {name: a, run: "${{ seed }}", with: {seed: {type: int, values: [0, 3]}}}
- {name: t, uses: "${{ kind }}"}
"""


@pytest.mark.parametrize("name", ["t.seed", "demo.t.seed"])
def test_a_parameter_that_only_a_computed_base_has_is_set_too(project: Project, name: str) -> None:
    assert project.graph(COMPUTED, "t", D=[f"{name}=3", "seed=0"]).script("demo.t") == "3"
    source = '{"tasks": {"t": {"seed": 0}}}'
    assert project.graph(COMPUTED, "t", D=[f"{name}=3"], P=[source]).script("demo.t") == "3"
    assert project.graph(COMPUTED, "t", P=['{"tasks": {"t": {"seed": 3}}}']).script("demo.t") == "3"


def test_a_parameter_of_a_computed_base_is_checked_when_the_graph_is_built(
    project: Project,
) -> None:
    assert project.usage(COMPUTED, "t", D=["t.seed=1"]) == "-D t.seed=1: accepted are 0, 3"
    assert project.warnings(COMPUTED, "t", D=["t.sede=1"]) == [
        "-D t.sede: nothing has this name (did you mean `seed`?)"
    ]
