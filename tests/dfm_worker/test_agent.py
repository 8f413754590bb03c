"""What an agent answers to what it hears, without a daemon and without tasks."""

from typing import NamedTuple

import pytest

from dfm.wire import worker as wire
from dfm.wire.worker import Held
from dfm_worker.agent import Action, Agent, End, Leave, Send, Start

HELLO = wire.Hello(1, 0, "1", "w1", "host", 1, "job", 2, 2, None, [], [])
LEASE_S = 30.0
ONE, TWO, THREE = (Held("r", number, 1) for number in (1, 2, 3))


def typed(actions: list[Action]) -> list[tuple[object, ...]]:
    """For comparisons: two kinds with equal fields are equal."""
    return [
        (type(action), type(action.message), action) if isinstance(action, Send) else (type(action), action)
        for action in actions
    ]  # fmt: skip


def said(*messages: NamedTuple, can_wait: bool = False) -> list[tuple[object, ...]]:
    return typed([Send(message, can_wait) for message in messages])


def welcomed(slots: int = 1) -> Agent:
    """One that knows the environment of run `r`, its blob 0, and inputs, its blob 1."""
    agent = Agent(HELLO._replace(slots=slots), now=0.0)
    agent.connected(0.0)
    assert agent.hear(wire.Welcome(1, 0, "1", LEASE_S), 0.0) == []
    for number in (0, 1):
        assert agent.hear(wire.Blob("r", number, b"blob %d" % number), 0.0) == []
    return agent


def run(agent: Agent, held: Held) -> list[Action]:
    return agent.hear(wire.Run(*held, b"spec", [0]), 0.0)


def start(held: Held) -> Start:
    return Start(held, b"spec", [b"blob 0"])


def finished(held: Held, status: int = 0) -> wire.Finished:
    return wire.Finished(*held, status, 1.0, b"result")


def end(agent: Agent, held: Held, status: int = 0) -> list[Action]:
    return agent.ended(held, status, 1.0, b"result")


# Beginning


def test_it_says_hello_first() -> None:
    assert typed(Agent(HELLO, 0.0).connected(0.0)) == said(HELLO)


def test_its_hello_has_what_it_runs_and_what_nobody_has_acknowledged() -> None:
    agent = welcomed(slots=2)
    for held in (ONE, TWO, THREE):
        run(agent, held)
    end(agent, ONE)
    (hello,) = agent.connected(0.0)
    assert isinstance(hello, Send)
    assert isinstance(hello.message, wire.Hello)
    assert set(hello.message.running) == {TWO, THREE}
    assert hello.message.finished == [ONE]


def test_one_that_is_refused_leaves_with_the_reason() -> None:
    agent = Agent(HELLO, 0.0)
    assert agent.hear(wire.Refused("no such worker"), 1.0) == [
        Leave("the daemon refused this worker: no such worker", 1)
    ]


# Tasks


def test_a_task_starts_with_the_blobs_that_it_names() -> None:
    agent = welcomed()
    actions = agent.hear(wire.Run(*ONE, b"spec", [0, 1]), 0.0)
    assert actions == [Start(ONE, b"spec", [b"blob 0", b"blob 1"])]


def test_a_task_of_any_status_is_reported_once() -> None:
    for status in (0, 3, -9):
        agent = welcomed()
        run(agent, ONE)
        assert typed(end(agent, ONE, status)) == said(finished(ONE, status))


def test_tasks_wait_for_a_slot_in_the_order_they_came() -> None:
    agent = welcomed(slots=2)
    starts = [run(agent, Held("r", number, 1)) for number in range(5)]
    assert starts == [[start(Held("r", 0, 1))], [start(Held("r", 1, 1))], [], [], []]
    assert end(agent, Held("r", 1, 1))[1:] == [start(Held("r", 2, 1))]
    assert end(agent, Held("r", 0, 1))[1:] == [start(Held("r", 3, 1))]


def test_a_result_waits_for_company_only_while_another_task_starts() -> None:
    agent = welcomed()
    run(agent, ONE)
    run(agent, TWO)
    assert typed(end(agent, ONE)) == [
        *said(finished(ONE), can_wait=True),
        *typed([start(TWO)]),
    ]
    assert typed(end(agent, TWO)) == said(finished(TWO))


@pytest.mark.parametrize("is_over", [False, True])
def test_what_it_is_told_twice_it_runs_once(is_over: bool) -> None:
    agent = welcomed(slots=2)
    run(agent, ONE)
    if is_over:
        end(agent, ONE)
    assert run(agent, ONE) == []
    assert run(agent, TWO) == [start(TWO)]


def test_what_waits_and_is_told_twice_runs_once() -> None:
    agent = welcomed()
    for held in (ONE, TWO, TWO):
        run(agent, held)
    assert end(agent, ONE)[1:] == [start(TWO)]
    assert typed(end(agent, TWO)) == said(finished(TWO))


def test_attempts_of_one_task_are_told_apart() -> None:
    agent = welcomed()
    again = ONE._replace(attempt=2)
    run(agent, ONE)
    assert agent.hear(wire.Drop(*ONE), 0.0) == [End(ONE, 0.0)]
    assert run(agent, again) == []
    assert end(agent, ONE, -9) == [start(again)]
    assert agent.hear(wire.Cancel(*ONE, 0.0), 0.0) == []
    assert typed(end(agent, again)) == said(finished(again))


def test_a_run_that_is_over_is_forgotten() -> None:
    agent = welcomed()
    agent.hear(wire.Blob("s", 0, b"another run's"), 0.0)
    agent.hear(wire.Forget("r"), 0.0)
    agent.hear(wire.Forget("nobody's"), 0.0)
    held = Held("s", 1, 1)
    assert run(agent, held) == [Start(held, b"spec", [b"another run's"])]
    with pytest.raises(KeyError):
        run(agent, ONE)


# Taking back


def test_a_cancelled_task_is_ended_with_its_grace_and_reported() -> None:
    agent = welcomed()
    run(agent, ONE)
    assert agent.hear(wire.Cancel(*ONE, 5.0), 0.0) == [End(ONE, 5.0)]
    assert typed(end(agent, ONE, -15)) == said(finished(ONE, -15))


@pytest.mark.parametrize("message", [wire.Cancel(*TWO, 5.0), wire.Recall(*TWO)])
def test_a_task_that_has_not_started_is_given_back(message: wire.Cancel | wire.Recall) -> None:
    agent = welcomed()
    run(agent, ONE)
    run(agent, TWO)
    assert typed(agent.hear(message, 0.0)) == said(wire.Returned(*TWO))
    assert agent.hear(message, 0.0) == [], "given back already"
    assert typed(end(agent, ONE)) == said(finished(ONE))


def test_a_task_that_has_started_cannot_be_recalled() -> None:
    agent = welcomed()
    run(agent, ONE)
    assert agent.hear(wire.Recall(*ONE), 0.0) == []
    assert typed(end(agent, ONE)) == said(finished(ONE))


@pytest.mark.parametrize(
    "message", [wire.Cancel(*ONE, 5.0), wire.Recall(*ONE), wire.Drop(*ONE), wire.Acknowledged(*ONE)]
)
def test_what_it_does_not_have_is_nobodys_concern(
    message: wire.Cancel | wire.Recall | wire.Drop | wire.Acknowledged,
) -> None:
    agent = welcomed()
    assert agent.hear(message, 0.0) == []
    assert run(agent, ONE) == [start(ONE)]


def test_a_dropped_task_is_killed_and_not_reported() -> None:
    agent = welcomed()
    run(agent, ONE)
    run(agent, TWO)
    run(agent, THREE)
    assert agent.hear(wire.Drop(*TWO), 0.0) == [], "it has not started"
    assert agent.hear(wire.Drop(*ONE), 0.0) == [End(ONE, 0.0)]
    assert end(agent, ONE, -9) == [start(THREE)]


def test_a_result_that_is_dropped_is_not_waited_for() -> None:
    agent = welcomed()
    run(agent, ONE)
    end(agent, ONE)
    agent.hear(wire.Drop(*ONE), 0.0)
    assert agent.hear(wire.Drain("idle"), 0.0)[-1] == Leave("idle", 0)
