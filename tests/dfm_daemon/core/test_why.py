"""Why a task waits, in words, and that there always is a reason."""

from dfm_daemon.core import events
from dfm_daemon.core.state import Demand, RunId, WorkerName
from dfm_daemon.core.why import why
from tests.dfm_daemon.core.conftest import OTHER, RUN, World, finished, submitted

LIC = Demand(limits=(("lic", 2),))


def reason(world: World, task: int, run: RunId = RUN) -> str:
    return why(world.core, world.task(task, run), world.now)


def test_no_worker_has_been_asked_for_or_has_come() -> None:
    world = World(max_workers=3)
    world.run(1, 2)
    assert reason(world, 1) == "workers of pool 1c are being asked for"
    world.accept()
    assert reason(world, 1) == "no worker of pool 1c has come yet: 2 jobs are pending"


def test_all_workers_are_busy_with_its_own_run() -> None:
    world = World(max_workers=2)
    world.run(1, 2, 3)
    world.bring(2)
    assert reason(world, 3) == "all 2 workers of pool 1c are busy, it may have no more"


def test_others_have_their_part() -> None:
    world = World(max_workers=2)
    world.run(1, 2, 3)
    world.bring(2)
    world.run(1, run=OTHER)
    assert reason(world, 1, OTHER) == (
        "all 2 workers of pool 1c are busy, it may have no more: its run has 0 of the slots, run run"
        " has 2"
    )


def test_a_limit_is_used_up_and_by_whom() -> None:
    world = World(tokens={"lic": 3})
    world.handle(
        events.RunJoined(RUN, 1, "ann", "desk"),
        events.RunJoined(OTHER, 2, "bob", "desk"),
        submitted(1, demand=LIC),
        submitted(1, OTHER, demand=LIC),
    )
    world.bring(2)
    assert reason(world, 1, OTHER) == (
        "it wants 2 of the limit `lic`: 2 of 3 are in use (run run has 2)"
    )


def test_a_token_is_kept_for_a_task_that_wants_more() -> None:
    world = World(tokens={"lic": 2})
    one = Demand(limits=(("lic", 1),))
    world.run()
    world.handle(submitted(1, demand=one), submitted(2, demand=LIC), submitted(3, demand=one))
    world.bring(3)
    assert reason(world, 3) == "what is left of the limit `lic` is kept for a task that came first"


def test_launches_fail() -> None:
    world = World()
    world.run(1)
    names = world.launches.popleft().workers
    world.handle(events.LaunchFailed(names, "bsub: no such queue"))
    assert reason(world, 1) == (
        "no worker could be launched for pool 1c, the next try is in 1 s: bsub: no such queue"
    )


def test_the_daemon_is_about_to_stop() -> None:
    world = World()
    world.run(1)
    world.bring()
    world.handle(submitted(2), events.StopAsked(drain=True))
    assert reason(world, 2) == "the daemon is about to stop and starts nothing more"


def test_excluded_hosts_are_named_beside_the_reason() -> None:
    world = World(max_workers=4, retries=9)
    world.run(*range(1, 9))
    (good,) = world.bring(1, host="good")
    bad = world.bring(3, host="bad")
    world.handle(events.JobGone(bad[0], "killed", ""))
    (task,) = world.worker(good).tasks.values()
    world.handle(finished(good, task.held))
    world.handle(*(events.JobGone(name, "killed", "") for name in bad[1:]))
    assert reason(world, 8).endswith("; excluded hosts: bad for 10 min more")


def test_jobs_that_pend_say_why_in_the_words_of_their_scheduler() -> None:
    world = World(max_workers=1)
    world.run(1)
    world.accept()
    world.handle(events.JobPends(WorkerName("w1"), "Resources"))
    jobs = "no worker of pool 1c has come yet: 1 jobs are pending (Resources)"
    assert reason(world, 1) == jobs
    assert world.news[-1].waits == "Resources"
    world.bring()
    assert world.news[-1].problem == ""
