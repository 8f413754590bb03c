"""Counted tokens of one run, alone and in runs."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfm.engine.limits import Limits
from dfm.engine.outcome import Ending
from dfm.engine.run import Run
from dfm.graph.node import Compound, Library
from dfm.graph.resources import Request, Tokens
from tests.dfm.engine.conftest import World, graph, node, result, script

LIC: Tokens = (("lic", 1),)


def holding(name: str, *limits: tuple[str, int], needs: tuple[int, ...] = ()) -> object:
    return node(name, needs=needs, request=Request(limits=limits))


# Alone


def test_a_node_set_aside_goes_on_when_its_tokens_fit() -> None:
    limits = Limits({"lic": 1})
    limits.take(LIC)
    assert not limits.fit(LIC)
    limits.set_aside(1, LIC)
    limits.set_aside(2, LIC)
    assert not limits.may_go_on()
    assert limits.take_fitting() == []
    limits.give_back(LIC)
    assert limits.may_go_on()
    assert limits.take_fitting() == [1], "one token, one node"
    assert limits.fit(LIC), "it has taken none yet"


def test_nodes_that_wait_for_other_tokens_or_for_fewer_pass_those_in_front() -> None:
    limits = Limits({"lic": 2, "db": 1})
    limits.take(LIC)
    limits.set_aside(1, (("lic", 2),))
    limits.set_aside(2, LIC)
    limits.set_aside(3, (("db", 1),))
    assert limits.take_fitting() == [2, 3]


@given(
    st.dictionaries(st.sampled_from("abc"), st.integers(1, 4), min_size=3, max_size=3),
    st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(1, 4), max_size=3), max_size=30),
    st.randoms(use_true_random=False),
)
def test_tokens_are_never_exceeded_and_every_node_gets_its_turn(
    totals: dict[str, int], wishes: list[dict[str, int]], random: object
) -> None:
    limits = Limits(totals)
    wanted = {
        number: tuple(sorted((name, min(count, totals[name])) for name, count in wish.items()))
        for number, wish in enumerate(wishes)
    }
    holding: list[int] = []
    todo = list(wanted)
    done = 0
    while done < len(wanted):
        for number in [*limits.take_fitting(), *todo]:
            if limits.fit(wanted[number]):
                limits.take(wanted[number])
                holding.append(number)
            else:
                limits.set_aside(number, wanted[number])
        todo = []
        used: Counter[str] = Counter()
        for number in holding:
            used.update(dict(wanted[number]))
        assert all(used[name] <= total for name, total in totals.items())
        assert holding, "somebody always can"
        limits.give_back(wanted[holding.pop(random.randrange(len(holding)))])  # type: ignore[attr-defined]
        done += 1
    assert not limits.may_go_on()


# In runs


def advance(run: Run) -> None:
    while run.advance(10):
        pass


def begin(world: World, run: Run) -> None:
    advance(run)
    world.attach(run)
    advance(run)


def test_what_waits_for_a_limit_is_not_submitted_and_keeps_nothing_else_waiting(
    world: World,
) -> None:
    world.limits = {"lic": 2}
    run = world.make(graph(*(holding(f"l{n}", ("lic", 1)) for n in range(4)), node("x"), node("y")))  # type: ignore[arg-type]
    begin(world, run)
    assert world.hands.submitted == ["p.l0", "p.l1", "p.x", "p.y"]
    run.finished(4, result())
    advance(run)
    assert world.hands.submitted[4:] == []
    run.finished(1, result())
    advance(run)
    assert world.hands.submitted[4:] == ["p.l2"]
    run.finished(2, result())
    run.finished(0, result())
    advance(run)
    assert world.hands.submitted[5:] == ["p.l3"]


def test_tokens_come_back_on_every_way_out(world: World) -> None:
    world.limits = {"lic": 1}
    run = world.make(graph(*(holding(f"l{n}", ("lic", 1)) for n in range(4))), keep_going=True)  # type: ignore[arg-type]
    begin(world, run)
    run.finished(0, result(1))
    advance(run)
    run.lost(1, "its worker is gone")
    advance(run)
    assert world.hands.submitted == ["p.l0", "p.l1", "p.l2"]
    run.withdrawn([2])
    advance(run)
    assert world.hands.submitted[3:] == ["p.l3"]
    run.finished(3, result())
    advance(run)
    assert run.is_over()


@pytest.mark.parametrize("end", ["failure", "interrupt"])
def test_what_waits_for_a_limit_when_the_run_stops_is_skipped(world: World, end: str) -> None:
    world.limits = {"lic": 1}
    run = world.make(graph(*(holding(f"l{n}", ("lic", 1)) for n in range(50))))  # type: ignore[arg-type]
    begin(world, run)
    if end == "interrupt":
        run.interrupt()  # withdraws what has not started: all
    else:
        run.finished(0, result(1))
    advance(run)
    assert run.is_over()
    assert len(world.watcher.of(Ending.SKIPPED)) == 50 - (end == "failure")
    assert world.hands.submitted == ["p.l0"]


def test_a_task_that_asks_whether_it_is_up_to_date_holds_its_tokens_until_it_is_over(
    world: World,
) -> None:
    world.limits = {"lic": 1}
    asking = node("a", uptodate="m.f", request=Request(limits=LIC))
    made = graph(asking, holding("b", ("lic", 1)))  # type: ignore[arg-type]
    world.run(made)
    made.nodes[1].work = script("changed")
    for answer, submitted in (
        (result(changed=False), ["p.a.uptodate", "p.b"]),
        (result(changed=True), ["p.a.uptodate", "p.a"]),
    ):
        run = world.make(made)
        begin(world, run)
        assert world.hands.submitted == ["p.a.uptodate"]
        run.finished(0, answer)
        advance(run)
        assert world.hands.submitted == submitted
        run.finished(int(submitted[1] == "p.b"), result(1))
        advance(run)
        run.close()


def test_what_dfm_does_itself_takes_no_tokens(world: World) -> None:
    world.limits = {"lic": 1}
    alone = Request(limits=LIC)
    made = graph(
        holding("l", ("lic", 1)),  # type: ignore[arg-type]
        node("m", Library("Message"), params={"msg": "hello"}, request=alone),
        node("c", Compound(()), needs=[1], request=alone),
    )
    run = world.make(made)
    begin(world, run)
    assert world.watcher.of(Ending.DONE) == ["p.m"]
    assert world.hands.submitted == ["p.l"]


def test_many_that_wait_cost_no_more_than_their_number(world: World) -> None:
    """Each is visited once more per token that comes back, not each time somebody ends."""
    world.limits = {"lic": 2}
    count = 300
    made = graph(*(holding(f"l{n}", ("lic", 1)) for n in range(count)))  # type: ignore[arg-type]
    run = world.make(made)
    visits = 0
    visit = run._visit

    def counted(number: int) -> None:
        nonlocal visits
        visits += 1
        visit(number)

    run._visit = counted  # type: ignore[method-assign]
    begin(world, run)
    for number in range(count):
        run.finished(number, result())
        advance(run)
    assert run.is_over()
    assert visits <= 2 * count + 1
