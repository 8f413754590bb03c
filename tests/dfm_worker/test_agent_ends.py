"""How long an agent trusts silence, and how it leaves."""

import math

import pytest

from dfm.wire import worker as wire
from dfm_worker.agent import Agent, End, Leave, Reconnect, Send
from tests.dfm_worker.test_agent import (
    HELLO,
    LEASE_S,
    ONE,
    THREE,
    TWO,
    end,
    finished,
    run,
    said,
    typed,
    welcomed,
)

# Time


def test_it_beats_three_times_in_a_lease() -> None:
    agent = welcomed()
    for beat in (1, 2, 3):
        assert agent.next_deadline() == beat * LEASE_S / 3
        agent.hear(wire.Beat(), agent.next_deadline() - 0.1)
        assert typed(agent.tick(agent.next_deadline())) == said(wire.Beat())


def test_nothing_is_due_before_the_deadline() -> None:
    assert welcomed().tick(LEASE_S / 3 - 0.1) == []


@pytest.mark.parametrize("message", [wire.Beat(), wire.Forget("r"), wire.Recall(*ONE)])
def test_every_message_renews_the_lease(message: wire.Beat | wire.Forget | wire.Recall) -> None:
    agent = welcomed()
    agent.hear(message, LEASE_S - 1)
    assert typed(agent.tick(LEASE_S + 1)) == said(wire.Beat())
    assert agent.tick(2 * LEASE_S - 1) == [Reconnect(0.05)]


def test_after_a_lease_of_silence_it_looks_for_the_daemon_and_its_tasks_go_on() -> None:
    agent = welcomed()
    run(agent, ONE)
    assert agent.tick(LEASE_S) == [Reconnect(0.05)]
    assert agent.next_deadline() == math.inf


def test_a_daemon_that_never_welcomes_it_is_not_waited_for_for_ever() -> None:
    agent = Agent(HELLO, now=100.0)
    agent.connected(100.0)
    due = agent.next_deadline()
    assert due < math.inf
    assert agent.tick(due - 1) == []
    assert agent.tick(due) == [Reconnect(0.05)]


def test_a_task_is_said_to_have_started_only_if_it_goes_on_for_a_while() -> None:
    agent = welcomed(slots=2)
    run(agent, ONE)
    agent.started(ONE, at=1e9, now=1.0)
    run(agent, TWO)
    agent.started(TWO, at=1e9 + 0.01, now=1.01)
    assert 1.0 < agent.next_deadline() < 1.1
    assert typed(end(agent, ONE)) == said(finished(ONE))
    assert agent.tick(1.0) == []
    assert typed(agent.tick(1.2)) == said(wire.Started(*TWO, 1e9 + 0.01))
    assert agent.next_deadline() == LEASE_S / 3, "said once"


def test_several_that_go_on_are_said_at_once() -> None:
    agent = welcomed(slots=3)
    for held in (ONE, TWO, THREE):
        run(agent, held)
        agent.started(held, at=1e9, now=1.0)
    assert typed(agent.tick(2.0)) == said(*(wire.Started(*held, 1e9) for held in (ONE, TWO, THREE)))


# Leaving


def test_one_that_has_nothing_leaves_when_drained() -> None:
    agent = welcomed()
    actions = agent.hear(wire.Drain("idle for too long"), 0.0)
    assert typed(actions[:1]) == said(wire.Leaving("idle for too long"))
    assert actions[1:] == [Leave("idle for too long", 0)]


def test_one_that_is_drained_gives_back_what_waits_and_finishes_what_runs() -> None:
    agent = welcomed()
    for held in (ONE, TWO, THREE):
        run(agent, held)
    drain = wire.Drain("old")
    assert typed(agent.hear(drain, 0.0)) == said(wire.Returned(*TWO), wire.Returned(*THREE))
    assert typed(end(agent, ONE)) == said(finished(ONE))
    assert agent.hear(wire.Beat(), 0.0) == [], "its result is not acknowledged"
    assert agent.hear(wire.Acknowledged(*ONE), 0.0)[-1] == Leave("old", 0)


def test_one_that_is_drained_takes_no_more() -> None:
    agent = welcomed(slots=2)
    run(agent, ONE)
    agent.hear(wire.Drain("old"), 0.0)
    assert typed(run(agent, TWO)) == said(wire.Returned(*TWO))


def test_one_that_is_drained_leaves_when_what_it_ran_is_dropped() -> None:
    agent = welcomed()
    run(agent, ONE)
    agent.hear(wire.Drain("old"), 0.0)
    assert agent.hear(wire.Drop(*ONE), 0.0) == [End(ONE, 0.0)]
    assert end(agent, ONE, -9)[-1] == Leave("old", 0)


def test_one_that_is_stopped_kills_what_runs() -> None:
    agent = welcomed(slots=2)
    for held in (ONE, TWO, THREE):
        run(agent, held)
    *ends, leave = agent.hear(wire.Stop("the daemon ends"), 0.0)
    assert set(ends) == {End(ONE, 0.0), End(TWO, 0.0)}
    assert leave == Leave("the daemon ends", 0)
    assert end(agent, ONE, -9) == end(agent, TWO, -9) == []


LAST = Leave("SIGUSR2", 140)


def test_one_whose_job_has_run_out_gives_back_what_waits_and_finishes_what_runs() -> None:
    agent = welcomed()
    for held in (ONE, TWO):
        run(agent, held)
    actions = agent.run_out(LAST, 10.0, grace_s=5.0)
    assert typed(actions) == said(wire.Draining("SIGUSR2"), wire.Returned(*TWO))
    assert typed(run(agent, THREE)) == said(wire.Returned(*THREE))
    assert agent.run_out(LAST, 11.0, grace_s=5.0) == [], "it is the first signal that counts"
    assert agent.hear(wire.Drain("SIGUSR2"), 11.0) == [], "the daemon's answer"
    assert typed(end(agent, ONE)) == said(finished(ONE))
    assert agent.hear(wire.Acknowledged(*ONE), 12.0)[-1] == LAST


def test_one_whose_job_has_run_out_leaves_at_once_if_nothing_runs() -> None:
    assert welcomed().run_out(LAST, 10.0, grace_s=5.0)[-1] == LAST


def test_one_whose_job_has_run_out_hands_back_what_still_runs_after_the_grace() -> None:
    agent = welcomed()
    run(agent, ONE)
    agent.run_out(LAST, 1.0, grace_s=5.0)
    assert agent.next_deadline() == 6.0
    assert agent.tick(5.9) == []
    assert agent.tick(6.0) == [End(ONE, 0.0), LAST]
    assert agent.next_deadline() == math.inf
    assert end(agent, ONE, -9) == [], "it has not failed"


def test_what_the_signal_of_the_run_limit_has_killed_is_lost_with_the_worker() -> None:
    agent = welcomed(slots=2)
    for held in (ONE, TWO):
        run(agent, held)
    agent.run_out(LAST, 1.0, grace_s=5.0)
    assert agent.lost(ONE) == []
    end(agent, TWO)
    assert agent.hear(wire.Acknowledged(*TWO), 2.0)[-1] == LAST


def test_the_next_daemon_hears_that_the_job_has_run_out() -> None:
    agent = welcomed()
    run(agent, ONE)
    agent.disconnected(0.0)
    agent.run_out(LAST, 1.0, grace_s=5.0)
    agent.connected(2.0)
    assert wire.Draining("SIGUSR2") in [
        action.message
        for action in agent.hear(wire.Welcome(1, 0, "1", LEASE_S), 2.0)
        if isinstance(action, Send)
    ]


def test_what_is_killed_because_it_leaves_has_not_failed() -> None:
    """A `bkill` of its job: the daemon must hear of a lost worker, not of a task that ended."""
    agent = welcomed()
    run(agent, ONE)
    assert agent.end("ended by SIGTERM") == [End(ONE, 0.0), Leave("ended by SIGTERM", 1)]
    assert end(agent, ONE, -9) == []


def test_one_that_leaves_hears_no_more_and_nothing_is_due() -> None:
    agent = welcomed(slots=2)
    run(agent, ONE)
    agent.started(ONE, at=1e9, now=0.0)
    agent.end("ended by SIGTERM")
    assert run(agent, TWO) == []
    assert agent.hear(wire.Drain("old"), 0.0) == []
    assert agent.disconnected(0.0) == agent.not_connected(0.0) == []
    assert agent.next_deadline() == math.inf
    assert agent.tick(1e9) == []
