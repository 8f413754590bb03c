"""Sections 22.2 and 22.3: what a configuration adds, and what is built in place of what."""

import pytest

from tests.dfm.flow.conftest import Project

FLOW = """
tasks:
- {root: all, needs: [slow, heavy]}
- {name: slow, run: slow, needs: [dep]}
- {name: heavy, run: heavy}
- {name: dep, run: dep}
- {name: stub, run: stub, with: {n: {type: int, value: 3}}}
- {name: like, needs: [slow.needs]}
"""


def test_a_package_builds_another_task_wherever_one_is_needed(project: Project) -> None:
    nodes = project.graph(f"{FLOW}overrides: {{demo.slow: demo.stub}}", "all")
    assert nodes.needs("demo.all") == ["demo.stub", "demo.heavy"]
    assert "demo.slow" not in nodes
    assert "demo.dep" not in nodes
    assert nodes["demo.stub"].params == {"n": 3}
    assert nodes.rundirs["demo.stub"] == "demo.stub"


def test_a_task_that_is_asked_for_is_replaced_too(project: Project) -> None:
    nodes = project.graph(f"{FLOW}overrides: {{slow: stub}}", "slow", "like")
    assert nodes.goals == ["demo.stub", "demo.like"]
    assert nodes.needs("demo.like") == []


def test_an_inline_task_has_a_name_of_the_package(project: Project) -> None:
    fields = f"{FLOW}overrides: {{slow: {{run: fast, needs: [dep]}}, heavy: {{run: 'echo stub'}}}}"
    nodes = project.graph(fields, "all")
    assert nodes.needs("demo.all") == ["demo._override_0", "demo._override_1"]
    assert nodes.script("demo._override_0") == "fast"
    assert nodes.needs("demo._override_0") == ["demo.dep"]


def test_configurations_replace_by_name_in_the_older_spelling_and_inline(project: Project) -> None:
    fields = f"""{FLOW}
configs:
- name: c
  overrides:
  - {{task: demo.slow, with: demo.stub}}
  - {{override: heavy, with: {{run: 'echo skipped'}}}}
"""
    nodes = project.graph(fields, "all", c="c")
    assert nodes.needs("demo.all") == ["demo.stub", "demo._cfg_override_0"]
    assert nodes.script("demo._cfg_override_0") == "echo skipped"
    assert project.graph(fields, "all").needs("demo.all") == ["demo.slow", "demo.heavy"]


def test_a_configuration_wins_over_the_package_and_the_command_line_over_both(
    project: Project,
) -> None:
    fields = f"""{FLOW}
overrides: {{slow: heavy}}
configs: [{{name: c, overrides: [{{task: slow, with: dep}}]}}]
"""
    assert project.graph(fields, "slow").goals == ["demo.heavy"]
    assert project.graph(fields, "slow", c="c").goals == ["demo.dep"]
    project.overrides = ["demo.slow=demo.stub"]
    assert project.graph(fields, "slow", c="c").goals == ["demo.stub"]


def test_what_replaces_may_be_replaced_itself(project: Project) -> None:
    fields = f"{FLOW}overrides: {{slow: heavy, heavy: stub}}"
    assert project.graph(fields, "slow").goals == ["demo.stub"]
    project.overrides = ["demo.stub=demo.dep"]
    assert project.graph(fields, "slow").goals == ["demo.dep"]


def test_tasks_that_replace_each_other_are_a_fault(project: Project) -> None:
    (fault,) = project.faults(f"{FLOW}overrides: {{slow: heavy, heavy: slow}}")
    assert fault.endswith("in a circle: demo.slow -> demo.heavy -> demo.slow")
    project.overrides = ["demo.slow=demo.heavy", "demo.heavy=demo.slow"]
    assert "in a circle" in project.usage(FLOW)


def test_an_abstract_task_may_replace_and_be_replaced_like_any(project: Project) -> None:
    fields = "tasks: [{name: a, abstract: true}, {name: b}]\noverrides: {a: b}"
    assert project.graph(fields, "a").goals == ["demo.b"]


@pytest.mark.parametrize(
    ("override", "fault"),
    [
        ("{sloe: stub}", "9:19: no task `sloe` to replace (did you mean `slow`?)"),
        ("{slow: stup}", "9:19: no task `stup` to replace `slow` (did you mean `stub`?)"),
        ("{slow: 3}", "9:19: a task is replaced by the name of another, or by a map, not the number 3"),
        ("{slow: {runn: x}}", "9:20: a task has no field `runn` (did you mean `run` or `rundir`?)"),
    ],
)  # fmt: skip
def test_what_does_not_exist_or_fit_is_a_fault(project: Project, override: str, fault: str) -> None:
    assert project.faults(f"{FLOW}\noverrides: {override}") == [fault]


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("demo.slow", "--override demo.slow: not of the form TARGET=REPLACEMENT"),
        ("demo.sloe=demo.stub", "--override demo.sloe=demo.stub: no task `demo.sloe` (did you mean `demo.slow`"),
        ("demo.slow=x.y", "--override demo.slow=x.y: no task `x.y`"),
    ],
)  # fmt: skip
def test_an_override_of_the_command_line_that_means_nothing_is_an_error(
    project: Project, words: str, what: str
) -> None:
    project.overrides = [words]
    assert project.usage(FLOW).startswith(what)


def test_a_package_stands_for_another_in_references(project: Project) -> None:
    project.add(
        "real/flow.yaml", "package: {name: vip, tasks: [{export: t, run: real}, {export: u}]}"
    )
    project.add("fake/flow.yaml", "package: {name: fake, tasks: [{export: t, run: fake}]}")
    fields = """
    imports: [real, {from: fake, as: f}]
    tasks: [{name: a, uses: vip.t, needs: [vip.t]}]
    configs:
    - {name: c, overrides: [{package: vip, with: f}]}
    - {name: d, overrides: [{package: vop, with: fake}]}
    """
    nodes = project.graph(fields, "a", c="c")
    assert nodes.needs("demo.a") == ["fake.t"]
    assert nodes.script("demo.a") == "fake"
    assert project.graph(fields, "a").needs("demo.a") == ["vip.t"]
    assert project.faults(fields, c="d") == ["5:35: no package `vop` (did you mean `vip`?)"]


# What a configuration adds

MORE = """
with: {mode: {type: str, value: plain}}
tasks:
- {root: sim, run: "sim ${{ mode }}"}
- name: build
  desc: Builds
  scope: root
  needs: [dep]
  with: {flags: {type: list, value: [a]}, o: {type: str, value: x}}
  run: "build ${{ flags }} ${{ o }}"
- {name: dep}
configs:
- name: c
  tasks:
  - {name: setup, run: "setup ${{ mode }}"}
  - {name: waves, feeds: [demo.sim], uses: Opts}
  - {root: extra}
  - {override: build, with: {flags: {append: [b]}, o: z}}
  types:
  - {name: Opts, uses: std.DataItem, with: {level: {type: int, value: 4}}}
  extensions:
  - {task: sim, needs: [setup]}
- {name: run, tasks: [{override: demo.build, run: "new ${{ o }}"}]}
- {name: needs, tasks: [{override: build, needs: [sim], desc: Other}]}
- {name: body, tasks: [{override: build, body: [{name: x, run: "x ${{ o }}"}]}]}
"""


def test_tasks_and_types_of_a_configuration_are_added(project: Project) -> None:
    nodes = project.graph(MORE, "sim", c="c")
    assert nodes.needs("demo.sim") == ["demo.setup", "demo.waves"]
    assert nodes["demo.waves"].params == {"level": 4}
    flow = project.load(MORE, c="c")
    roots = [task.name for task in flow.program.root.tasks.values() if "root" in task.scopes]
    assert roots == ["demo.sim", "demo.build", "demo.extra"]


def test_tasks_of_a_configuration_that_is_not_chosen_do_not_exist(project: Project) -> None:
    assert project.graph(MORE, "sim").needs("demo.sim") == []
    assert "no task `setup`" in project.usage(MORE, "setup")


def test_an_overriding_task_replaces_what_it_says_and_keeps_the_rest(project: Project) -> None:
    nodes = project.graph(MORE, "build", c="c")
    assert nodes.script("demo.build") == 'build ["a", "b"] z'
    assert nodes.needs("demo.build") == ["demo.dep"]
    nodes = project.graph(MORE, "build", c="run")
    assert nodes.script("demo.build") == "new x"
    assert nodes.needs("demo.build") == ["demo.dep"]
    flow = project.load(MORE, c="needs")
    nodes = project.graph(MORE, "build", c="needs")
    assert nodes.needs("demo.build") == ["demo.sim"]
    assert nodes.script("demo.build") == 'build ["a"] x'
    build = flow.program.root.tasks["demo.build"]
    assert flow.description(build) == "Other"
    assert "root" in build.scopes
    nodes = project.graph(MORE, "build", c="body")
    assert nodes.script("demo.build.x") == "x x"


def test_faults_of_an_overriding_task_are_where_it_says_so(project: Project) -> None:
    fields = """
    tasks:
    - {name: build, needs: [nope], run: "${{ x }}"}
    configs:
    - name: c
      tasks:
      - {override: build, run: "${{ y }}", with: {z: 1}}
      - {override: biuld}
      - {name: build}
      - {name: a, override: build}
    """
    found = project.faults(fields, c="c")
    assert [fault.split(" (")[0] for fault in found] == [
        "9:5: a task has one name, this one has `name` and `override`",
        "8:12: task `demo.build` is declared twice",
        "7:16: no task `biuld` to override",
        "6:47: task demo.build has no parameter `z`",
        "2:25: demo.build needs `nope`, and there is no such task",
        "6:33: `run` of demo.build: `y` is not defined",
    ]


def test_fragments_and_imports_of_a_configuration_are_loaded_when_it_is_chosen(
    project: Project,
) -> None:
    project.add("debug.yaml", "fragment: {tasks: [{name: dbg, run: x}], imports: [wavelib]}")
    project.add("wavelib/flow.yaml", "package: {name: wavelib, tasks: [{export: w}]}")
    project.add("other/flow.yaml", "package: {name: other, tasks: [{export: o}]}")
    fields = """
    tasks: [{name: t}]
    configs:
    - name: c
      fragments: [debug.yaml]
      imports: [other]
      extensions: [{task: t, needs: [dbg, wavelib.w, other.o]}]
    - {name: bad, fragments: [nowhere.yaml], imports: [nothing]}
    """
    assert project.graph(fields, "t", c="c").needs("demo.t") == ["demo.dbg", "wavelib.w", "other.o"]
    assert list(project.load(fields).program.packages) == ["std", "demo"]
    found = project.faults(fields, c="bad")
    assert [fault.split(": ")[0] for fault in found] == ["7:27", "7:52"]


def test_a_configuration_extends_tasks_of_other_packages(project: Project) -> None:
    project.add(
        "u/flow.yaml",
        "package: {name: u, tasks: [{export: b, run: '${{ f }}', with: {f: {type: list}}}]}",
    )
    fields = """
    with: {mine: {type: str, value: m}}
    imports: [u]
    tasks: [{name: setup}]
    configs:
    - {name: c, extensions: [{task: u.b, needs: [setup], with: {f: {append: ["${{ mine }}"]}}}]}
    """
    nodes = project.graph(fields, "u.b", c="c")
    assert nodes.script("u.b") == '["m"]'
    assert nodes.needs("u.b") == ["demo.setup"]


def test_override_stands_in_no_body_and_in_no_plain_package(project: Project) -> None:
    fields = "tasks: [{name: a, body: [{override: x}]}, {override: a}]"
    assert project.faults(fields) == [
        "1:27: `override` stands in no body of a task",
        "1:54: no task `a` to override (it stands in a configuration, or in a package that `uses`"
        " another)",
    ]
