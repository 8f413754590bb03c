"""Section 13.3 and 15.2: what expressions in parameters see, and in which order."""

import pytest

from dfm.graph.values import Value
from tests.dfm.flow.conftest import RUNDIR, Project

FORWARD = """
tasks:
- name: Compile
  with:
    out: {type: str, value: "img-${{ opt }}"}
    opt: {type: str, value: O1}
  run: mycc -o ${{ out }}
- {name: Debug, uses: Compile, with: {opt: O0}}
"""


def test_a_parameter_may_refer_to_a_later_one(project: Project) -> None:
    assert project.graph(FORWARD, "Compile").script("demo.Compile") == "mycc -o img-O1"


def test_a_default_follows_what_a_derived_task_sets(project: Project) -> None:
    assert project.graph(FORWARD, "Debug").script("demo.Debug") == "mycc -o img-O0"


def test_a_default_follows_the_command_line(project: Project) -> None:
    nodes = project.graph(FORWARD, "Debug", D=["Debug.opt=O3"])
    assert nodes["demo.Debug"].params == {"out": "img-O3", "opt": "O3"}


def test_parameters_keep_the_order_of_their_declaration(project: Project) -> None:
    assert list(project.graph(FORWARD, "Debug")["demo.Debug"].params) == ["out", "opt"]


def test_parameters_in_a_circle_are_a_fault_that_names_them(project: Project) -> None:
    fields = """
    tasks:
    - name: t
      with:
        a: {type: str, value: "${{ b }}"}
        b: {type: str, value: "${{ a }}"}
    """
    assert any("a -> b -> a" in fault for fault in project.faults(fields, "t"))


def test_package_variables_see_each_other_in_any_order(project: Project) -> None:
    nodes = project.graph(
        """
        with:
          b: {type: str, value: "${{ a }}-${{ demo.c }}"}
          a: {type: str, value: A}
          c: {type: str, value: C}
        tasks:
        - {name: t, run: "${{ b }}"}
        """,
        "t",
    )
    assert nodes.script("demo.t") == "A-C"


def test_package_variables_in_a_circle_are_a_fault(project: Project) -> None:
    fields = """
    with:
      a: {type: str, value: "${{ b }}"}
      b: {type: str, value: "${{ a }}"}
    tasks:
    - {name: t, run: "${{ a }}"}
    """
    assert any("a -> b -> a" in fault for fault in project.faults(fields, "t"))


def test_the_nearest_name_wins(project: Project) -> None:
    nodes = project.graph(
        """
        with:
          x: {type: str, value: package}
          y: {type: str, value: package}
          z: {type: str, value: package}
        tasks:
        - name: outer
          with: {x: {type: str, value: outer}, y: {type: str, value: outer}}
          body:
          - name: t
            with: {x: {type: str, value: own}}
            run: ${{ x }} ${{ y }} ${{ z }} ${{ this.x }} ${{ this.y }} ${{ demo.x }}
        """,
        "outer",
    )
    assert nodes.script("demo.outer.t") == "own outer package outer outer package"


def test_a_parameter_does_not_see_itself(project: Project) -> None:
    nodes = project.graph(
        """
        with: {top: {type: str, value: tb}}
        tasks:
        - {name: t, run: "${{ top }}", with: {top: {type: str, value: "${{ top }}_1"}}}
        """,
        "t",
    )
    assert nodes.script("demo.t") == "tb_1"


def test_this_in_a_leaf_task_means_the_task_itself(project: Project) -> None:
    fields = "tasks:\n- {name: t, run: '${{ this.a }}', with: {a: {type: int, value: 4}}}"
    assert project.graph(fields, "t").script("demo.t") == "4"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${{ env.HOME_OF }}", "/h"),
        ("${{ env.NONE:-else where }}", "else where"),
        ("${{ srcdir }}", "{folder}"),
        ("${{ rootdir }}", "{folder}"),
        ("${{ root }}", "{folder}/flow.yaml"),
        ("${{ rundir }}", f"{RUNDIR}/demo.t"),
        ("${{ name }}", "demo.t"),
        ("${{ m.k.n }}", "5"),
        ("${{ $v }}", "[1, 2]"),
        ("${{ m.nope:-a | b }}", "a | b"),
        ("${{ empty:-other }}", ""),
        ("plain", "plain"),
    ],
)
def test_names_of_the_world(project: Project, text: str, value: str) -> None:
    fields = f"""
    with:
      v: {{type: list, value: [1, 2]}}
      m: {{type: map, value: {{k: {{n: 5}}}}}}
      empty: {{type: str}}
    tasks:
    - name: t
      run: {text!r}
    """
    nodes = project.graph(fields, "t", environ={"HOME_OF": "/h"})
    assert nodes.script("demo.t") == value.replace("{folder}", str(project.folder))


def test_an_environment_variable_that_is_not_there_is_a_fault_of_the_graph(
    project: Project,
) -> None:
    (fault,) = project.faults("tasks:\n- {name: t, run: 'a ${{ env.NONE }}'}", "t")
    assert fault.startswith("2:25: `run` of demo.t: `env.NONE` is not defined")


def test_a_package_called_env_hides_the_environment(project: Project) -> None:
    project.file.write_text(
        "package:\n  name: env\n  with: {A: {type: str, value: mine}}\n  tasks:\n"
        "  - {name: t, run: '${{ env.A }} ${{ env.B:-none }}'}\n"
    )
    graph = project.load_file(project.file, environ={"A": "a", "B": "b"}).graph(["t"], RUNDIR)
    assert getattr(graph.nodes[0].work, "text") == "mine none"  # noqa: B009


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${{ l }}", [1, 2]),
        ("${{ m }}", {"k": True}),
        ("${{ f }}", 2.0),
        ("${{ m.k }}", True),
        ("x${{ l }}", "x[1, 2]"),
        ("x${{ m }}", 'x{"k": true}'),
        ("x${{ f }}", "x2.0"),
        ("${{ l }} ", "[1, 2] "),
    ],
)
def test_one_expression_alone_gives_the_object_itself(
    project: Project, text: str, value: Value
) -> None:
    nodes = project.graph(
        f"""
        with:
          l: {{type: list, value: [1, 2]}}
          m: {{type: map, value: {{k: true}}}}
          f: {{type: float, value: 2.0}}
        tasks:
        - name: t
          run: x
          with: {{p: {{type: map, value: {{inside: {text!r}}}}}}}
        """,
        "t",
    )
    found = nodes["demo.t"].params["p"]
    assert found == {"inside": value}


@pytest.mark.parametrize("field", ["run: '${{ x'", "with: {p: {type: str, value: '${{ x'}}"])
def test_an_expression_that_is_not_closed_is_a_fault_of_loading(
    project: Project, field: str
) -> None:
    fields = f"tasks:\n- name: t\n  {field}\n- name: other"
    (fault,) = project.faults(fields)
    assert fault.startswith("3:")


@pytest.mark.parametrize(
    ("field", "subject"),
    [
        ("run: 'a ${{ tpo }}'", "3:14: `run` of demo.t"),
        ("pytask: '${{ tpo }}'", "3:16: `pytask` of demo.t"),
        ("needs: ['${{ tpo }}']", "3:17: `needs` of demo.t"),
        ("uses: '${{ tpo }}'", "3:14: `uses` of demo.t"),
        ("iff: '${{ tpo }}'", "3:13: `iff` of demo.t"),
        ("with: {p: {type: str, value: '${{ tpo }}'}}", "3:37: parameter `p` of demo.t"),
        ("with: {p: {type: list, append: ['${{ tpo }}']}}", "3:40: parameter `p` of demo.t"),
        ("produces: [{kind: '${{ tpo }}'}]", "3:26: `produces` of demo.t"),
        ("strategy: {matrix: {a: '${{ tpo }}'}}", "3:31: axis `a` of demo.t"),
    ],
)
def test_an_undefined_name_is_a_fault_of_loading_wherever_it_stands(
    project: Project, field: str, subject: str
) -> None:
    fields = f"with: {{top: {{type: str}}}}\ntasks:\n- {field}\n  name: t"
    (fault,) = project.faults(fields)
    assert "`tpo` is not defined" in fault
    assert "did you mean `top`" in fault
    assert fault.split(": ", 1)[1].startswith(subject.split(": ", 1)[1]), fault


def test_the_file_of_an_agents_result_is_known_to_agents_only(project: Project) -> None:
    (fault,) = project.faults("tasks:\n- {name: t, run: '${{ result_file }}'}")
    assert "`result_file` is known in the texts of tasks that use std.Agent" in fault


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("${{ rundir }}", "`rundir` is not defined (it is known in the parameters and the script"),
        ("${{ name }}", "`name` is not defined (it is known in the parameters and the script"),
        ("${{ matrix }}", "`matrix` is not defined (`matrix` is followed by a dot and a name)"),
        ("${{ this }}", "`this` is not defined (`this` is followed by a dot and a name)"),
        ("${{ env.NO }}", "`env.NO` is not defined (it is not in the environment of dfm; ${{ env"),
        ("${{ demo.nope }}", "`demo.nope` is not defined (did you mean `demo.node` or `demo.x`?)"),
        ("${{ demo.nope.deep }}", "`demo.nope` is not defined ("),
        ("${{ node.deep }}", "there is no `deep` in `node`: it is no map but str"),
    ],
)
def test_what_a_package_variable_cannot_see_is_said_with_a_hint(
    project: Project, text: str, fault: str
) -> None:
    fields = f"""
    with: {{node: {{type: str}}, x: {{type: str, value: {text!r}}}}}
    tasks: [{{name: t, run: "${{{{ x }}}}"}}]
    """
    (found,) = project.faults(fields, "t")
    assert f": {fault}" in found
