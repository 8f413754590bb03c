"""Which nodes a run executes, and with what."""

import json

import pytest

from dfm.engine.outcome import Ending
from dfm.graph.node import Compound, Disabled, Emit, Entry, Graph, Library, Nothing, Script
from dfm.graph.resources import Request
from dfm.wire.task import TaskResult, TaskSpec
from tests.dfm.engine.conftest import World, graph, lines, node, result, script


def test_a_second_run_executes_nothing_and_needs_no_dispatcher(world: World) -> None:
    made = graph(node("a"), node("b", needs=[0]))
    assert world.run(made).of(Ending.DONE) == ["p.a", "p.b"]
    again = world.make(made)
    while again.advance(10):
        pass
    assert again.is_over()
    assert not again.wants_dispatcher
    assert again.succeeded()
    assert world.watcher.of(Ending.UP_TO_DATE) == ["p.a", "p.b"]
    again.close()


def test_force_executes_all(world: World) -> None:
    made = graph(node("a"))
    world.run(made)
    assert world.run(made, force=True).of(Ending.DONE) == ["p.a"]


@pytest.mark.parametrize(
    "change",
    [{"params": {"x": 2}}, {"work": script("false")}, {"uptodate": False}],
    ids=["parameter", "script", "never up to date"],
)
def test_a_change_runs_a_task_and_what_needs_it(world: World, change: dict[str, object]) -> None:
    first = graph(node("a", params={"x": 1}), node("b", needs=[0]), node("c"))
    world.run(first)
    changed = graph(node("a", **({"params": {"x": 1}} | change)), node("b", needs=[0]), node("c"))  # type: ignore[arg-type]
    assert world.run(changed).of(Ending.DONE) == ["p.a", "p.b"]


def test_a_record_without_a_script_hash_is_accepted(world: World) -> None:
    made = graph(node("a"))
    world.run(made)
    path = world.rundir / "p.a/p.a.exec_data.json"
    path.write_text(
        path.read_text().replace("hash of true", "").replace('"run_hash": ""', '"x": 1')
    )
    assert world.run(graph(node("a", script("other")))).of(Ending.UP_TO_DATE) == ["p.a"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"result": {"status": 0}}', '{"result": 3}'])
def test_a_record_that_cannot_be_read_counts_as_absent(world: World, text: str) -> None:
    made = graph(node("a"))
    world.run(made)
    (world.rundir / "p.a/p.a.exec_data.json").write_text(text)
    assert world.run(made).of(Ending.DONE) == ["p.a"]


def test_a_record_of_another_task_in_that_place_does_not_count(world: World) -> None:
    """Short names of directories may have been those of others."""
    world.run(_short("a"))
    assert world.run(_short("a")).of(Ending.UP_TO_DATE) == ["p.a"]
    assert world.run(_short("b")).of(Ending.DONE) == ["p.b"]
    assert world.run(_short("a")).of(Ending.DONE) == ["p.a"]


def _short(name: str) -> Graph:
    made = node(name, stem="")
    made.rundir = "x"
    return graph(made)


def test_a_failed_task_runs_again(world: World) -> None:
    made = graph(node("a"), node("b", needs=[0]))
    told = world.run(made, lambda spec: result(3))
    assert told.of(Ending.FAILED) == ["p.a"]
    assert told.of(Ending.SKIPPED) == ["p.b"]
    assert told.outcomes[-1].why == "p.a failed"
    assert world.run(made).of(Ending.DONE) == ["p.a", "p.b"]


def test_a_need_that_executed_without_a_change_leaves_its_dependents_alone(world: World) -> None:
    made = graph(node("a", uptodate=False), node("b", needs=[0]))
    world.run(made)
    told = world.run(made, lambda spec: result(changed=False))
    assert told.of(Ending.DONE) == ["p.a"]
    assert told.of(Ending.UP_TO_DATE) == ["p.b"]


def test_a_run_that_stopped_between_a_task_and_its_dependent_is_continued(world: World) -> None:
    """The need has changed, is up to date by now, and emits nothing by which one could tell."""
    first = graph(node("a", params={"x": 1}), node("b", needs=[0]))
    world.run(first)
    second = graph(node("a", params={"x": 2}), node("b", needs=[0]))
    interrupted = world.make(second)
    world.step(interrupted, lambda spec: result())
    interrupted.close()
    told = world.run(second)
    assert told.of(Ending.UP_TO_DATE) == ["p.a"]
    assert told.of(Ending.DONE) == ["p.b"]


def test_a_product_that_is_gone_is_made_again(world: World) -> None:
    def make(spec: TaskSpec) -> TaskResult:
        (world.rundir / "p.a").mkdir(exist_ok=True)
        (world.rundir / "p.a/out").write_text("x")
        item = {"type": "std.FileSet", "basedir": ".", "files": ["out"]}
        return result(output=lines(item))  # type: ignore[arg-type]

    made = graph(node("a"))
    world.run(made, make)
    assert world.run(made, make).of(Ending.UP_TO_DATE) == ["p.a"]
    (world.rundir / "p.a/out").unlink()
    assert world.run(made, make).of(Ending.DONE) == ["p.a"]


def test_items_reach_consumers_and_pass_through_the_others(world: World) -> None:
    def answer(spec: TaskSpec) -> TaskResult:
        if spec.name == "p.a":
            return result(output=lines({"type": "p.Note", "text": "x"}, {"type": "p.Note", "n": 1}))
        return result()

    made = graph(
        node("a"),
        node("b", needs=[0], consumes=[{"type": "p.Note", "n": 1}]),
        node("c", needs=[1]),
    )
    world.run(made, answer)
    assert world.record("p.b")["input"]["inputs"] == [
        {"type": "p.Note", "text": "", "n": 1, "src": "p.a", "seq": 1}
    ]
    assert [(i["src"], i["seq"]) for i in world.record("p.c")["input"]["inputs"]] == [("p.a", 0)]


def test_what_a_task_gets_is_in_its_spec(world: World) -> None:
    made = graph(
        node(
            "a",
            params={"n": 3, "flag": True, "nothing": None, "l": ["x"]},
            request=Request(cores=2),
        )
    )
    run = world.make(made)
    while run.advance(10):
        pass
    world.attach(run)
    run.advance(10)
    spec = world.hands.specs[0]
    run.finished(0, result())
    run.close()
    assert spec.environment == {
        "DFM_PARAM_N": "3", "DFM_PARAM_FLAG": "true", "DFM_PARAM_NOTHING": "",
        "DFM_PARAM_L": '["x"]',
    }  # fmt: skip
    assert spec.rundir == str(world.rundir / "p.a")
    assert spec.cores == 2
    assert spec.memento is None


def test_a_memento_comes_back_at_the_next_execution(world: World) -> None:
    seen = []

    def answer(spec: TaskSpec) -> TaskResult:
        seen.append(spec.memento)
        return result(memento=b'{"n": 1}')

    made = graph(node("a", uptodate=False))
    world.run(made, answer)
    world.run(made, answer)
    assert seen == [None, b'{"n": 1}']


def test_an_item_with_an_empty_type_fails_its_task(world: World) -> None:
    told = world.run(graph(node("a")), lambda spec: result(output=b'{"type": ""}\n'))
    assert told.of(Ending.FAILED) == ["p.a"]
    assert "empty type" in told.outcomes[0].markers[0].message


def test_a_failure_is_an_item_for_those_who_are_told_of_it(world: World) -> None:
    world.run(graph(node("a")), lambda spec: result(-9))
    (item,) = world.record("p.a")["output"]["output"]
    assert (item["type"], item["task_name"], item["status"]) == ("std.TaskFailure", "p.a", -9)


def compound(*, on_error: Script | None = None, max_failures: int = -1) -> Compound:
    return Compound((1, 2), on_error, max_failures)


def test_a_compound_emits_what_its_terminals_emit_and_is_done_with_them(world: World) -> None:
    made = graph(
        node("c.in", Entry()),
        node("c.x", needs=[0]),
        node("c.y", needs=[1]),
        node("c", Compound(()), needs=[2]),
        node("d", needs=[3]),
    )

    def answer(spec: TaskSpec) -> TaskResult:
        return result(output=lines({"type": "p.Note", "text": spec.name}))

    world.run(made, answer)
    assert [i["text"] for i in world.record("p.c")["output"]["output"]] == ["p.c.y"]
    assert [i["text"] for i in world.record("p.d")["input"]["inputs"]] == ["p.c.y"]
    assert world.record("p.c")["passthrough"] == "False"
    assert world.run(made, answer).of(Ending.UP_TO_DATE) == ["p.c.x", "p.c.y", "p.d"]


def test_max_failures_lets_siblings_run_and_fails_the_compound(world: World) -> None:
    made = graph(
        node("c.in", Entry()),
        node("c.x", needs=[0]),
        node("c.y", needs=[0]),
        node("c", compound(max_failures=2), needs=[1, 2]),
        node("d", needs=[3]),
    )
    for inner in made.nodes[1:3]:
        inner.scope = 3
    told = world.run(made, lambda spec: result(int(spec.name == "p.c.x")))
    assert told.of(Ending.FAILED) == ["p.c.x"]
    assert told.of(Ending.DONE) == ["p.c.y"]
    assert told.of(Ending.SKIPPED) == ["p.d"]
    assert world.record("p.c")["result"]["status"] == 1


def test_on_error_gets_failures_and_subtasks_and_decides(world: World) -> None:
    judge = Script("python", "judge:keep", "", "/src")
    made = graph(
        node("c.in", Entry()),
        node("c.x", needs=[0]),
        node("c.y", needs=[0]),
        node("c", compound(on_error=judge), needs=[1, 2]),
        node("d", needs=[3]),
    )
    for inner in made.nodes[1:3]:
        inner.scope = 3
    asked: list[TaskSpec] = []

    def answer(spec: TaskSpec) -> TaskResult:
        if spec.name == "p.c":
            asked.append(spec)
            (kept,) = [i for i in world.hands.inputs[3] if i["src"] == "p.c.y"]
            return result(output=lines(kept, {"type": "p.Note", "text": "verdict"}))
        return result(
            int(spec.name == "p.c.x"), output=lines({"type": "p.Note", "text": spec.name})
        )

    told = world.run(made, answer)
    assert told.of(Ending.DONE) == ["p.c.y", "p.c", "p.d"]
    assert (asked[0].python or {})["subtasks"] == '[["p.c.x", 1, false], ["p.c.y", 0, false]]'
    seen = [(i["src"], i["text"]) for i in world.record("p.d")["input"]["inputs"]]
    assert seen == [("p.c.y", "p.c.y"), ("p.c", "verdict")]


def test_disabled_and_empty_nodes_are_no_tasks(world: World) -> None:
    made = graph(node("off", Disabled()), node("c.in", Entry()), node("a", Nothing(), needs=[0, 1]))
    told = world.run(made)
    assert [outcome.node.name for outcome in told.outcomes] == ["p.a"]


def test_a_task_of_a_data_type_emits_its_parameters(world: World) -> None:
    made = graph(node("a", Emit("p.Note"), params={"text": "t", "n": 1}), node("b", needs=[0]))
    world.run(made)
    assert world.record("p.b")["input"]["inputs"] == [
        {"type": "p.Note", "text": "t", "n": 1, "src": "p.a", "seq": 0}
    ]


def test_a_task_of_the_library_that_fails_says_why(world: World) -> None:
    params = {"type": "t", "base": "nowhere", "include": ["*.v"], "exclude": [], "incdirs": [],
              "defines": [], "attributes": []}  # fmt: skip
    told = world.run(graph(node("a", Library("FileSet"), params=params)))
    assert told.of(Ending.FAILED) == ["p.a"]
    assert "nothing matches `*.v` in /src/nowhere" in told.outcomes[0].markers[0].message


def test_an_interrupt_takes_back_what_waits_and_skips_the_rest(world: World) -> None:
    made = graph(node("a"), node("b"), node("c", needs=[0, 1]))
    run = world.make(made, slots=2)
    world.step(run, lambda spec: result())
    run.interrupt(5.0)
    while run.advance(10):
        pass
    assert run.is_over()
    assert world.hands.cancelled == 5.0
    assert world.watcher.of(Ending.SKIPPED) == ["p.b", "p.c"]
    assert not run.succeeded()
    run.close()


def test_a_lost_task_is_told_apart_from_a_failed_one(world: World) -> None:
    made = graph(node("a"), node("b", needs=[0]))
    run = world.make(made)
    while run.advance(10):
        pass
    world.attach(run)
    run.advance(10)
    run.lost(0, "worker w1 on h: killed")
    while run.advance(10):
        pass
    run.close()
    assert world.watcher.of(Ending.LOST) == ["p.a"]
    assert world.watcher.of(Ending.SKIPPED) == ["p.b"]


def test_a_task_asks_its_own_function_only_when_all_else_is_up_to_date(world: World) -> None:
    made = graph(node("a", uptodate="mod.fresh"))
    world.run(made)
    assert world.hands.submitted == ["p.a"]
    told = world.run(made, lambda spec: result(changed=False))
    assert world.hands.submitted == ["p.a.uptodate"]
    assert told.of(Ending.UP_TO_DATE) == ["p.a"]
    told = world.run(made, lambda spec: result(changed=True))
    assert world.hands.submitted == ["p.a.uptodate", "p.a"]
    assert told.of(Ending.DONE) == ["p.a"]
    world.run(made, lambda spec: result(1))
    assert world.hands.submitted == ["p.a.uptodate", "p.a"], "an exception means no"


def test_the_dispatcher_is_told_how_long_a_task_took_the_last_time(world: World) -> None:
    made = graph(node("a"), node("b"))
    world.run(made)
    assert world.hands.expected_s == {"p.a": 0.0, "p.b": 0.0}
    usages: list[tuple[object, float]] = [
        ({"wall_s": 12.5}, 12.5), ({"wall_s": 3}, 3.0), ({"wall_s": 0}, 0.0), ({"wall_s": -1}, 0.0),
        ({"wall_s": "long"}, 0.0), ({"wall_s": None}, 0.0), ({"wall_s": float("inf")}, 0.0),
        ({"wall_s": float("nan")}, 0.0), ({}, 0.0), (None, 0.0), ([], 0.0), ("x", 0.0),
    ]  # fmt: skip
    for run, (usage, expected_s) in enumerate(usages):
        record = world.record("p.a") | {"usage": usage}
        (world.rundir / "p.a/p.a.exec_data.json").write_text(json.dumps(record))
        made.nodes[0].work = script(f"run {run}")
        world.run(made)
        assert world.hands.expected_s == {"p.a": expected_s}, usage


def test_what_is_asked_whether_it_is_up_to_date_is_not_expected_to_take_as_long(
    world: World,
) -> None:
    made = graph(node("a", uptodate="m.f"))
    world.run(made)
    record = world.record("p.a") | {"usage": {"wall_s": 9.0}}
    (world.rundir / "p.a/p.a.exec_data.json").write_text(json.dumps(record))
    world.run(made, answers=lambda spec: result(changed=True))
    assert world.hands.expected_s == {"p.a.uptodate": 0.0, "p.a": 9.0}


def test_a_task_over_its_walltime_fails_with_a_marker_that_names_the_limit(world: World) -> None:
    made = graph(node("a", request=Request(walltime_s=120)))
    watcher = world.run(made, answers=lambda spec: result(-15, ended_by="walltime"))
    (outcome,) = watcher.outcomes
    assert outcome.ending is Ending.FAILED
    assert outcome.markers[-1].message == (
        "Command failed: it ran longer than its walltime of 120 s (from here)"
    )
