"""The status document says what the scheduler knows, in the words of its schema."""

import json
from typing import Any

import pytest

from dfm_daemon.core import events
from dfm_daemon.core.state import Demand
from dfm_daemon.shell import status
from tests.dfm_daemon.core.conftest import OTHER, RUN, World, finished, held, joined, submitted

IDENTITY = {"pid": 4711, "socket": "/p/.dfm/daemon.sock", "runner": "sim"}


def document(world: World) -> Any:
    """As its reader gets it."""
    said = status.document(world.core, IDENTITY, world.now, lambda at: f"at {at:g}")
    return json.loads(json.dumps(said))


def states(world: World) -> dict[str, str]:
    return {worker["worker_id"]: worker["state"] for worker in document(world)["workers"]}


@pytest.fixture
def world() -> World:
    return World(max_workers=2, idle_timeout_s=50.0)


def test_a_daemon_that_has_done_nothing_has_every_key(world: World) -> None:
    world.begin()
    assert document(world) == {
        "schema": "dfm-daemon-status/1",
        "running": True,
        **IDENTITY,
        "pending_tasks": 0,
        "tasks": dict.fromkeys(
            ("queued", "running", "completed", "failed", "cancelled", "retried"), 0
        ),
        "pools": [
            {
                "runner": "sim",
                "name": "1c",
                "cores": 1,
                "memory_mb": None,
                "min_workers": 0,
                "max_workers": 2,
                "workers": {"total": 0, "busy": 0, "idle": 0, "pending": 0, "draining": 0},
                "queued": 0,
                "running": 0,
                "state": "ok",
                "last_error": None,
            }
        ],
        "workers": [],
        "clients": [],
        "limits": {},
        "excluded_hosts": {},
    }


def test_a_worker_at_work_is_described_with_its_tasks(world: World) -> None:
    world.run(1)
    world.accept()
    world.handle(joined(world.coming[0], job="4711"), now=5.0)
    (worker,) = document(world)["workers"]
    assert worker == {
        "worker_id": "w1",
        "runner": "sim",
        "pool": "1c",
        "resource_class": None,
        "hostname": "host",
        "pid": 77,
        "job_id": "4711",
        "lsf_job_id": None,
        "state": "busy",
        "current_task": "flow.t1",
        "tasks": ["flow.t1"],
        "tasks_done": 0,
        "since": "at 5",
        "deadline": None,
    }


def test_a_job_of_lsf_has_its_id_under_both_names(world: World) -> None:
    world.run(1)
    world.accept()
    world.pool().runner = "lsf"
    (worker,) = document(world)["workers"]
    assert worker["job_id"] == worker["lsf_job_id"] == "job-w1"


def test_each_state_of_a_worker_has_its_word(world: World) -> None:
    world.run(1, 2)
    assert states(world) == {"w1": "pending", "w2": "pending"}
    world.accept()
    assert states(world) == {"w1": "pending", "w2": "pending"}
    two, one = world.bring(2)  # the newest has the first task
    assert states(world) == {one: "busy", two: "busy"}
    world.handle(finished(one, held(1)))
    assert states(world) == {one: "idle", two: "busy"}
    world.handle(events.WorkerHeard(one), events.WorkerLeft(two, "reset", is_expected=False))
    assert states(world) == {one: "idle", two: "lost"}


def test_a_worker_that_leaves_is_draining(world: World) -> None:
    world.run(1)
    (worker,) = world.bring()
    world.handle(finished(worker, held(1)))
    world.handle(events.WorkerHeard(worker), now=49.0)
    world.handle(now=50.0)
    assert states(world) == {worker: "draining"}
    (pool,) = document(world)["pools"]
    assert pool["workers"] == {"total": 1, "busy": 0, "idle": 0, "pending": 0, "draining": 1}


def test_tasks_are_counted_for_all_and_for_each_run(world: World) -> None:
    world.run(1, 2, 3)
    two, one = world.bring(2)
    world.run(1, run=OTHER)
    world.handle(finished(one, held(1)), finished(two, held(2), status=1))
    said = document(world)
    assert said["pending_tasks"] == said["tasks"]["queued"] == 0
    assert said["tasks"]["running"] == 2
    assert said["tasks"]["completed"] == said["tasks"]["failed"] == 1
    clients = {client["run_id"]: client for client in said["clients"]}
    counts = ("queued", "running", "completed")
    assert [clients[RUN][count] for count in counts] == [0, 1, 2]
    assert [clients[OTHER][count] for count in counts] == [0, 1, 0]
    assert (clients[RUN]["pid"], clients[RUN]["user"], clients[RUN]["host"]) == (
        4711,
        "ann",
        "desk",
    )


def test_what_waits_is_counted_in_its_pool(world: World) -> None:
    world.run(1, 2, 3)
    world.handle(submitted(4, cores=8))
    world.bring(1)
    pools = {pool["name"]: pool for pool in document(world)["pools"]}
    assert (pools["1c"]["queued"], pools["1c"]["running"]) == (2, 1)
    assert (pools["8c"]["queued"], pools["8c"]["running"]) == (1, 0)
    assert pools["8c"]["workers"]["pending"] == 1
    assert document(world)["pending_tasks"] == 3


def test_trouble_is_said_until_it_is_over(world: World) -> None:
    world.run(1)
    world.handle(events.LaunchFailed(world.launches.popleft().workers, "no such queue"))
    (pool,) = document(world)["pools"]
    assert (pool["state"], pool["last_error"]) == ("backoff", "no such queue")
    world.handle(now=2.0)
    world.bring()
    (pool,) = document(world)["pools"]
    assert (pool["state"], pool["last_error"]) == ("ok", None)


def test_limits_say_how_much_of_them_is_used() -> None:
    world = World(tokens={"lic": 3})
    world.run()
    world.handle(submitted(1, demand=Demand(limits=(("lic", 2),))))
    world.bring()
    assert document(world)["limits"] == {"lic": {"total": 3, "used": 2}}
