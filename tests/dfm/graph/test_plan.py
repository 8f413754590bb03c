"""Sections 27 and 28: what may be done next, and what a failure stops."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dfm.graph.node import Compound, Entry, Graph
from dfm.graph.plan import OVER, Plan, State
from tests.dfm.graph.conftest import ON_ERROR, graph, graphs, node

untimed = settings(deadline=None, max_examples=80)
DONE, FAILED, SKIPPED = State.DONE, State.FAILED, State.SKIPPED


class World:
    """Runs a plan as a run would, several nodes at a time, and holds it against what must be true."""

    def __init__(self, graph: Graph, failing: set[int], seed: int, *, keep_going: bool) -> None:
        self.graph = graph
        self.plan = Plan(graph, keep_going=keep_going)
        self.ended: list[int] = []
        self.stopped: list[bool] = []  # for each that was started: whether its scope had stopped
        self._failing = failing
        self._random = random.Random(seed)
        self._ready: list[int] = []
        self._running: list[int] = []

    def play(self) -> None:
        self._take(self.plan.begin())
        while self._ready or self._running:
            pile = self._random.choice([pile for pile in (self._ready, self._running) if pile])
            number = pile.pop(self._random.randrange(len(pile)))
            if pile is self._ready:
                self._visit(number)
            else:
                self._finish(number)
        self._take([])

    def _visit(self, number: int) -> None:
        if not self.plan.may_start(number):
            self._take(self.plan.skip(number))
        elif self._random.random() < 0.3:
            self._finish(number)  # nothing has to run for it
        else:
            self.plan.run(number)
            self._running.append(number)

    def _finish(self, number: int) -> None:
        self.ended.append(number)
        self._take(self.plan.finish(number, ok=self.is_ok(number)))

    def is_ok(self, number: int) -> bool:
        work = self.graph.nodes[number].work
        if isinstance(work, Compound) and work.on_error is None:
            return all(self.plan.states[member] is DONE for member in work.members)
        return isinstance(work, Entry) or number not in self._failing

    def _take(self, ready: list[int]) -> None:
        for number in ready:
            states = [self.plan.states[need] for need in self.graph.waits(self.graph.nodes[number])]
            assert all(state in OVER for state in states), "ready before what it waits for is over"
        self.ended += self.plan.take_skipped()
        self._ready += ready


def made(keep_going: st.SearchStrategy[bool]) -> st.SearchStrategy[World]:
    failing = st.sets(st.integers(0, 40), max_size=5)
    return st.builds(World, graphs(), failing, st.integers(0, 1000), keep_going=keep_going)


worlds, patient = made(st.booleans()), made(st.just(True))


@untimed
@given(world=worlds)
def test_every_node_ends_exactly_once(world: World) -> None:
    world.play()
    assert sorted(world.ended) == list(range(len(world.graph.nodes)))
    assert all(state in OVER for state in world.plan.states)
    assert world.plan.left == 0


@untimed
@given(world=worlds)
def test_what_a_node_needs_has_succeeded_before_it_was_done(world: World) -> None:
    world.play()
    place = {number: order for order, number in enumerate(world.ended)}
    for one in world.graph.nodes:
        if world.plan.states[one.number] is SKIPPED:
            continue
        for need in world.graph.waits(one):
            assert place[need] < place[one.number]
        if not (isinstance(one.work, Compound) and one.work.contains_failures):
            assert all(world.plan.states[need] is DONE for need in one.needs)


@untimed
@given(world=worlds)
def test_the_cause_of_a_skip_is_a_failure_that_it_depends_on(world: World) -> None:
    world.play()
    states = world.plan.states
    for skipped, cause in world.plan.cause.items():
        assert states[skipped] is SKIPPED
        assert states[cause] is FAILED
        todo, seen = [skipped], {skipped}
        while todo:
            for need in world.graph.waits(world.graph.nodes[todo.pop()]):
                if need not in seen:
                    seen.add(need)
                    todo.append(need)
        assert cause in seen


@untimed
@given(world=worlds)
def test_without_a_failure_everything_is_done(world: World) -> None:
    world._failing.clear()
    world.play()
    assert set(world.plan.states) == {DONE}


@untimed
@given(world=patient)
def test_keeping_going_skips_only_what_depends_on_a_failure_or_is_in_a_scope_that_has_stopped(
    world: World,
) -> None:
    world.play()
    for one in world.graph.nodes:
        if world.plan.states[one.number] is not SKIPPED:
            continue
        must = one.needs
        if isinstance(one.work, Compound) and one.work.contains_failures:
            must = () if one.work.entry is None else (one.work.entry,)
        assert any(world.plan.states[n] is not DONE for n in must) or _has_stopped(world, one.scope)


def _has_stopped(world: World, scope: int | None) -> bool:
    """Whether a compound around has had as many failures as it takes."""
    while scope is not None:
        compound = world.graph.nodes[scope]
        assert isinstance(compound.work, Compound)
        failures = sum(
            world.plan.states[one.number] is FAILED and one.scope == scope
            for one in world.graph.nodes
        )
        if 0 < compound.work.max_failures <= failures:
            return True
        scope = compound.scope
    return False


@untimed
@given(world=worlds)
def test_a_failure_inside_of_a_compound_that_contains_it_reaches_the_outside_by_it_only(
    world: World,
) -> None:
    world.play()
    outside = [one.number for one in world.graph.nodes if one.scope is None]
    if all(world.plan.states[number] is not FAILED for number in outside):
        assert all(world.plan.states[number] is DONE for number in outside)


@untimed
@given(world=worlds)
def test_a_run_that_is_stopped_starts_nothing_more(world: World) -> None:
    plan = world.plan
    ready = plan.begin()
    plan.stop()
    assert not any(plan.may_start(one) for one in ready)
    while ready:
        ready += plan.skip(ready.pop())
    assert set(plan.states) == {SKIPPED}
    assert plan.left == 0


def test_after_the_first_failure_nothing_independent_is_started() -> None:
    plan = Plan(graph(node(0), node(1), node(2, 0), node(3, 1)), keep_going=False)
    assert plan.begin() == [0, 1]
    plan.run(0)
    plan.run(1)
    assert plan.finish(0, ok=False) == []
    assert plan.finish(1, ok=True) == [3]
    assert not plan.may_start(3)
    assert plan.skip(3) == []
    assert plan.states == [FAILED, DONE, SKIPPED, SKIPPED]
    assert plan.take_skipped() == [2, 3]
    assert plan.take_skipped() == []
    assert plan.cause == {2: 0}


def test_keeping_going_starts_what_does_not_depend_on_the_failure() -> None:
    plan = Plan(graph(node(0), node(1), node(2, 0), node(3, 1)), keep_going=True)
    plan.begin()
    plan.finish(0, ok=False)
    assert plan.finish(1, ok=True) == [3]
    assert plan.may_start(3)


def test_the_cause_goes_on_to_the_dependents_of_what_is_skipped() -> None:
    plan = Plan(graph(node(0), node(1, 0), node(2, 1), node(3, 2)), keep_going=True)
    plan.begin()
    plan.finish(0, ok=False)
    assert plan.cause == {1: 0, 2: 0, 3: 0}


def body(failures: int, on_error: bool) -> Graph:
    """A compound of three independent tasks, and one that needs it."""
    work = Compound((2, 3, 4), ON_ERROR if on_error else None, failures, entry=1)
    return graph(
        node(0, 2, 3, 4, work=work),
        node(1, work=Entry()),
        *(node(number, 1, scope=0) for number in (2, 3, 4)),
        node(5, 0),
    )


@pytest.mark.parametrize(("failures", "skipped"), [(1, 2), (2, 1), (3, 0), (0, 0), (-1, 0)])
def test_a_scope_stops_after_so_many_failures(failures: int, skipped: int) -> None:
    plan = Plan(body(failures, on_error=True), keep_going=False)
    assert plan.begin() == [1]
    ready = plan.finish(1, ok=True)
    assert ready == [2, 3, 4]
    for number in ready:
        if plan.may_start(number):
            more = plan.finish(number, ok=False)
        else:
            more = plan.skip(number)
    assert plan.states[2:5].count(SKIPPED) == skipped
    assert more == [0]
    assert plan.may_start(0)


@pytest.mark.parametrize("ok", [True, False])
def test_what_the_compound_comes_to_counts_outside(ok: bool) -> None:
    plan = Plan(body(-1, on_error=True), keep_going=False)
    plan.begin()
    for number in plan.finish(1, ok=True):
        plan.finish(number, ok=False)
    assert plan.finish(0, ok=ok) == ([5] if ok else [])
    assert plan.states[5] is (State.READY if ok else SKIPPED)


def test_a_compound_whose_inputs_failed_is_skipped_with_its_body() -> None:
    flow = body(-1, on_error=True)
    flow.nodes.append(node(6))
    flow.nodes[1].needs = (6,)
    plan = Plan(flow, keep_going=True)
    assert plan.begin() == [6]
    assert plan.finish(6, ok=False) == []
    assert plan.states == [SKIPPED] * 6 + [FAILED]
    assert set(plan.cause.values()) == {6}


def test_failures_outside_stop_the_inside_too() -> None:
    flow = body(-1, on_error=True)
    flow.nodes.append(node(6))
    plan = Plan(flow, keep_going=False)
    plan.begin()
    plan.finish(1, ok=True)
    plan.finish(6, ok=False)
    assert not any(plan.may_start(number) for number in (2, 3, 4))


def test_a_node_that_was_recalled_can_be_skipped() -> None:
    plan = Plan(graph(node(0), node(1, 0)), keep_going=False)
    plan.begin()
    plan.run(0)
    plan.skip(0)
    assert plan.states == [SKIPPED, SKIPPED]
    assert plan.cause == {}


@pytest.mark.parametrize("first", [DONE, FAILED, SKIPPED])
def test_what_is_over_cannot_end_again(first: State) -> None:
    plan = Plan(graph(node(0)), keep_going=False)
    plan.begin()
    if first is SKIPPED:
        plan.skip(0)
    else:
        plan.finish(0, ok=first is DONE)
    for move in (lambda: plan.run(0), lambda: plan.finish(0, ok=True), lambda: plan.skip(0)):
        with pytest.raises(AssertionError, match=r"p\.n0"):
            move()


def test_a_chain_of_any_length_is_skipped_without_recursion() -> None:
    size = 50_000
    plan = Plan(graph(node(0), *(node(n, n - 1) for n in range(1, size))), keep_going=True)
    plan.begin()
    assert plan.finish(0, ok=False) == []
    assert plan.states.count(SKIPPED) == size - 1
