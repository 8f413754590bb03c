"""Filters of packages and of the library (section 15.6)."""

import pytest

from tests.dfm.flow.conftest import Project

FLOW = """
    with: {files: {type: list, value: [a.sv, lib/b.v, c.sv]}, suffix: {type: str, value: .sv}}
    filters:
    - name: of_type
      desc: Items of one type
      with: {t: {type: str}}
      expr: "input[] | select(input.type == $arg0)"
    - {name: count, expr: "input | length"}
    - {name: ours, expr: "input | select(input | contains(suffix)) | count"}
    - {name: named, with: {n: {type: int, value: 7}}, expr: "[input, n]"}
    - name: stems
      shell: python
      run: |
        def filter(data, **args): return [d.rsplit(".", 1)[0] + args.get("arg0", "") for d in data]
    - {name: lines, run: 'cat; echo >&2 noise'}
    - {name: args, run: 'cat >/dev/null; echo "[\\"$ARG0\\", \\"$ARG1\\"]"'}
    - {name: broken, run: 'echo no such licence >&2; exit 3'}
    - {name: mute, run: 'cat > /dev/null'}
    - {name: raising, shell: python, run: "def filter(data): return data.nope"}
"""


def value(project: Project, expression: str) -> object:
    tasks = f"    tasks: [{{name: t, with: {{x: {{type: str, value: '{expression}'}}}}}}]\n"
    return project.graph(FLOW + tasks.replace("'{", "'${{ ").replace("}'", " }}'"), "t")[
        "demo.t"
    ].params["x"]


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("{files | count}", "3"),
        ("{files | ours}", "2"),
        ("{files | count + 1}", "4"),
        ("{files | demo.count}", "3"),
        ("{1 | named}", "[1, 7]"),
        ("{1 | named(2)}", "[1, 2]"),
        ("{files | stems}", '["a", "lib/b", "c"]'),
        ('{files | stems("_x") | first}', "a_x"),
        ("{files | lines | length}", "3"),
        ('{1 | args("a", [2])}', '["a", "[2]"]'),
        ("{files | basenames}", '["a.sv", "b.v", "c.sv"]'),
        ("{files | std.extensions}", '[".sv", ".v", ".sv"]'),
        ('{[] | of_type("x")}', "[]"),
    ],
)
def test_a_value_is_piped_into_filters(project: Project, expression: str, result: str) -> None:
    assert value(project, expression) == result


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("files | conut", "there is no filter `conut` (did you mean `count`"),
        ("files | lenght", "there is no filter `lenght` (did you mean `length`"),
        ("files | broken", "filter `demo.broken` ended with status 3: no such licence"),
        ("files | mute", "filter `demo.mute` did not print JSON"),
        ("files | raising", "AttributeError: 'list' object has no attribute 'nope'"),
        ("files | paths(1)", "filter `paths` takes other arguments"),
    ],
)
def test_what_a_filter_cannot_do_is_said_at_its_place(
    project: Project, expression: str, fault: str
) -> None:
    tasks = f"    tasks: [{{name: t, run: '${{{{ {expression} }}}}'}}]\n"
    (said,) = project.faults(FLOW + tasks, "t")
    assert fault in said
    assert not said.startswith("0:")


def test_items_of_the_library_filters(project: Project) -> None:
    items = (
        "[{type: std.FileSet, filetype: v, basedir: /r, files: [a.v, s/b.v]}, "
        '{type: std.FileSet, filetype: c, basedir: "", files: [x.c]}, {type: p.Note, n: 1}]'
    )
    fields = f"with: {{i: {{type: list, value: {items}}}}}\n"
    made = project.graph(
        fields
        + """tasks:
- name: t
  with:
    filetype: {type: list, value: "${{ i | by_filetype('v') | pluck('files') }}"}
    kind: {type: list, value: "${{ i | by_type('p.Note') | pluck('n') }}"}
    first: {type: str, value: "${{ i | first_of_type('std.FileSet') | paths }}"}
    none: {type: str, value: "${{ i | first_of_type('x') }}"}
    paths: {type: list, value: "${{ i | paths }}"}
    names: {type: list, value: "${{ i | basenames }}"}
    ends: {type: list, value: "${{ i | extensions | unique }}"}
    counts: {type: map, value: "${{ i | count_by_type }}"}
""",
        "t",
    )["demo.t"].params
    assert made == {
        "filetype": [["a.v", "s/b.v"]], "kind": [1], "first": '["/r/a.v", "/r/s/b.v"]', "none": None,
        "paths": ["/r/a.v", "/r/s/b.v", "x.c"], "names": ["a.v", "b.v", "x.c"],
        "ends": [".v", ".c"], "counts": {"std.FileSet": 2, "p.Note": 1},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("declared", "fault"),
    [
        ("{name: f}", "filter `f` needs one of `expr` and `run`"),
        ("{name: f, expr: x, run: y}", "filter `f` needs one of `expr` and `run`"),
        ("{expr: x}", "a filter has one name"),
        ("{name: f, expr: 'input ++'}", "filter demo.f: "),
        ("{name: f, expr: x, exrp: y}", "a filter has no field `exrp`"),
        ("{name: f, run: x, shell: zsh}", "`zsh` is not one of"),
        ("{name: f, expr: x}, {export: f, expr: y}", "filter `demo.f` is declared twice"),
    ],
)
def test_wrong_declarations_are_faults(project: Project, declared: str, fault: str) -> None:
    (said,) = project.faults(f"filters: [{declared}]")
    assert fault in said


def test_a_filter_that_leads_to_itself_is_a_fault(project: Project) -> None:
    flow = "filters: [{name: f, expr: 'input | f'}]\ntasks: [{name: t, run: '${{ 1 | f }}'}]"
    (said,) = project.faults(flow, "t")
    assert "nested too deeply" in said


def test_a_filter_of_a_named_fragment_has_its_name_before_its_own(project: Project) -> None:
    project.add(
        "f.yaml",
        """
        fragment:
          name: frag
          filters: [{name: twice, expr: "input * 2"}]
          tasks: [{name: inner, with: {x: {type: str, value: "${{ 2 | twice }}"}}}]
        """,
    )
    fields = """
        fragments: [f.yaml]
        tasks: [{name: a, needs: [frag.inner], with: {x: {type: str, value: "${{ 3 | frag.twice }}"}}}]
    """
    nodes = project.graph(fields, "a")
    assert nodes["demo.a"].params["x"] == "6"
    assert nodes["demo.frag.inner"].params["x"] == "4"


def test_a_filter_of_an_import_is_found_by_its_alias(project: Project) -> None:
    project.add("lib.yaml", 'package: {name: lib, filters: [{export: twice, expr: "input * 2"}]}')
    fields = """
        imports: [{from: lib.yaml, as: l}]
        tasks: [{name: a, with: {x: {type: str, value: "${{ 3 | l.twice }}"}}}]
    """
    assert project.graph(fields, "a")["demo.a"].params["x"] == "6"
