"""Section 6: more files of a package."""

from pathlib import Path

from tests.dfm.flow.conftest import Project


def test_an_unnamed_fragment_declares_tasks_and_types_of_the_package(project: Project) -> None:
    project.add(
        "sub/more.yaml",
        """
        fragment:
          types:
          - {name: Opts, uses: std.DataItem, with: {level: {type: int, value: 2}}}
          tasks:
          - {name: b, uses: Opts}
        """,
    )
    nodes = project.graph(
        "fragments: [sub/more.yaml]\ntasks:\n- {name: a, run: x, needs: [b]}", "a"
    )
    assert nodes.names == ["demo.a", "demo.b"]
    assert nodes["demo.b"].params == {"level": 2}


def test_a_named_fragment_puts_its_name_before_those_of_its_tasks(project: Project) -> None:
    project.add("f.yaml", "fragment: {name: sim, tasks: [{name: run, run: x}]}")
    fields = "fragments: [f.yaml]\ntasks: [{name: a, needs: [sim.run]}]"
    nodes = project.graph(fields, "a")
    assert nodes.names == ["demo.a", "demo.sim.run"]
    assert nodes.rundirs["demo.sim.run"] == "demo.sim.run"
    assert project.graph(fields, "run").goals == ["demo.sim.run"]


def test_references_in_a_named_fragment_try_its_own_names_first(project: Project) -> None:
    project.add(
        "f.yaml",
        """
        fragment:
          name: f
          types:
          - {name: T, uses: std.DataItem, with: {x: {type: int, value: 2}}}
          - {name: Mark, uses: std.Tag}
          tasks:
          - {name: base, run: in the fragment}
          - {name: use, uses: base, needs: [other, here], tags: [Mark]}
          - {name: here, uses: T}
          - {name: fed}
          - {name: feeder, feeds: [fed]}
        """,
    )
    fields = """
    fragments: [f.yaml]
    types:
    - {name: T, uses: std.DataItem, with: {x: {type: int, value: 1}}}
    tasks:
    - {name: base, run: in the package}
    - {name: here, uses: T}
    - {name: other, run: x}
    - {name: fed}
    """
    nodes = project.graph(fields, "use", "f.fed", "demo.here")
    assert nodes.script("demo.f.use") == "in the fragment"
    assert nodes.needs("demo.f.use") == ["demo.other", "demo.f.here"]
    assert nodes["demo.f.here"].params == {"x": 2}
    assert nodes["demo.here"].params == {"x": 1}
    assert nodes.needs("demo.f.fed") == ["demo.f.feeder"]


def test_expressions_see_the_variables_of_the_package_and_srcdir_is_its_own(
    project: Project,
) -> None:
    project.add(
        "sub/f.yaml",
        "fragment: {tasks: [{name: t, run: '${{ top }} ${{ demo.top }} ${{ srcdir }}'}]}",
    )
    fields = "with: {top: {type: str, value: tb}}\nfragments: [sub/f.yaml]"
    nodes = project.graph(fields, "t")
    assert nodes.script("demo.t") == f"tb tb {project.folder}/sub"
    assert nodes["demo.t"].srcdir == f"{project.folder}/sub"


def test_a_fragment_lists_more_fragments_relative_to_itself(project: Project) -> None:
    project.add("a/f.yaml", "fragment: {fragments: [b/g.yaml]}")
    project.add("a/b/g.yaml", "fragment: {fragments: [../f.yaml], tasks: [{name: deep}]}")
    assert project.graph("fragments: [a/f.yaml]", "deep").names == ["demo.deep"]


def test_of_a_folder_all_fragments_below_it_are_taken_in_order(project: Project) -> None:
    project.add("lib/b/flow.yaml", "fragment: {tasks: [{name: b}]}")
    project.add("lib/a/flow.toml", '[fragment]\n[[fragment.tasks]]\nname = "a"\n')
    project.add("lib/flow.dv", "fragment: {tasks: [{name: top}], fragments: [b]}")
    project.add("lib/other.yaml", "fragment: {tasks: [{name: other}]}")
    flow = project.load("fragments: [lib]")
    assert list(flow.program.root.tasks) == ["demo.top", "demo.a", "demo.b"]


def test_what_is_no_fragment_in_a_folder_is_passed_over_with_a_warning(project: Project) -> None:
    file = project.add("lib/flow.yaml", "package: {name: other}")
    project.add("lib/sub/flow.yaml", "fragment: {tasks: [{name: t}]}")
    assert project.warnings("fragments: [lib]", "t") == [
        f"1:13: {file} is no fragment, and is passed over"
    ]


def test_a_path_that_does_not_exist_or_is_no_fragment_is_a_fault(project: Project) -> None:
    project.add("p.yaml", "package: {name: other}")
    assert project.faults("fragments: [no.yaml, p.yaml]") == [
        f"1:13: no fragment `no.yaml`: there is no {project.folder}/no.yaml",
        "1:22: `p.yaml` is no fragment: there is no `fragment:` in it",
    ]


def test_faults_of_several_files_are_said_at_once(project: Project) -> None:
    project.add("a.yaml", "fragment:\n  task: []\n  with: {}\n")
    project.add("b.yaml", "fragment: [")
    project.add("c.yaml", "fragment: 3")
    found = project.faults("fragments: [a.yaml, b.yaml, c.yaml]\ntasks: [{nmae: x}]")
    assert [fault.split(": ")[0] for fault in found] == [
        "2:9", "a.yaml:2:3", "a.yaml:3:3", "b.yaml:2:1", "c.yaml:1:11",
    ]  # fmt: skip


def test_two_fragments_of_one_name_are_a_fault(project: Project) -> None:
    first = project.add("a.yaml", "fragment: {name: f}")
    project.add("b.yaml", "fragment: {name: f}")
    assert project.faults("fragments: [a.yaml, b.yaml]") == [
        f"b.yaml:1:18: fragment `f` of package demo is there twice (first at {first}:1:18)"
    ]


def test_a_name_that_a_fragment_declares_again_is_a_fault(project: Project) -> None:
    project.add("a.yaml", "fragment: {tasks: [{name: t}], types: [{name: T}]}")
    assert project.faults("fragments: [a.yaml]\ntypes: [{name: T}]\ntasks: [{name: t}]") == [
        f"a.yaml:1:47: type `demo.T` is declared twice (first at {project.file}:4:18)",
        f"a.yaml:1:27: task `demo.t` is declared twice (first at {project.file}:5:18)",
    ]


def test_configurations_of_fragments(project: Project) -> None:
    project.add("a.yaml", "fragment: {configs: [{name: fast, with: {opt: O3}}]}")
    project.add("b.yaml", "fragment: {name: b, configs: [{name: slow, with: {opt: O0}}]}")
    fields = """
    with: {opt: {type: str, value: O1}}
    fragments: [a.yaml, b.yaml]
    tasks: [{name: t, run: "${{ opt }}"}]
    """
    assert project.graph(fields, "t", c="fast").script("demo.t") == "O3"
    assert project.graph(fields, "t", c="b.slow").script("demo.t") == "O0"
    assert "did you mean `b.slow`?" in project.usage(fields, "t", c="slow")


def test_a_parameter_in_a_fragment_is_set_by_the_short_name_of_its_task(project: Project) -> None:
    project.add("b.yaml", "fragment: {name: b, tasks: [{name: t, with: {n: {type: int}}}]}")
    fields = "fragments: [b.yaml]"
    for name in ("t.n", "b.t.n", "demo.b.t.n"):
        assert project.graph(fields, "t", D=[f"{name}=3"])["demo.b.t"].params == {"n": 3}


def test_a_fragment_is_no_flow_to_start_from(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.add("above/sub/flow.yaml", "fragment: {}")
    project.add("above/flow.yaml", "package: {name: above}")
    assert project.load_file(tmp_path / "above/sub").program.root.name == "above"
