"""`dfm why`, answered by the scheduler and by the runs together."""

import asyncio
import json
from typing import Any

from dfm_daemon.core.state import RunId
from dfm_daemon.shell import questions
from dfm_daemon.shell.questions import Questions
from tests.dfm_daemon.core.conftest import OTHER, RUN, World
from tests.dfm_daemon.shell.conftest import play, until


class Desk:
    """Questions about a world, the runs that were asked, and the answers."""

    def __init__(self, world: World) -> None:
        self.asked: list[tuple[RunId, int, str]] = []
        self.answers: list[Any] = []
        self.questions = Questions(
            world.core, lambda *asked: self.asked.append(asked), lambda: world.now
        )

    def ask(self, task: str) -> None:
        self.questions.ask(task, lambda answer: self.answers.append(json.loads(answer)))


def a_world() -> World:
    world = World(max_workers=1)
    world.run(*range(1, 8))
    world.bring()
    return world


def test_a_task_is_found_by_any_end_of_its_name_with_its_place_in_the_queue() -> None:
    async def scene() -> None:
        desk = Desk(a_world())
        desk.ask("t4")
        desk.questions.answered(RUN, 1, b'{"tasks": [], "groups": []}')
        ((task,),) = [answer["tasks"] for answer in desk.answers]
        assert task["task"] == "flow.t4"
        assert task["state"] == "waiting"
        assert task["why"].endswith("; 2 tasks of its run come first")

    play(scene)


def test_a_task_that_a_worker_has_says_where() -> None:
    async def scene() -> None:
        desk = Desk(a_world())
        desk.ask("flow.t1")
        desk.questions.answered(RUN, 1, b'{"tasks": [], "groups": []}')
        ((task,),) = [answer["tasks"] for answer in desk.answers]
        assert (task["state"], task["why"]) == ("sent to a worker", "on worker w1, host host")

    play(scene)


def test_what_waits_for_the_same_is_put_together_with_what_the_runs_say() -> None:
    async def scene() -> None:
        desk = Desk(a_world())
        desk.ask("")
        assert desk.asked == [(RUN, 1, "")]
        assert not desk.answers
        said = {"tasks": [], "groups": [{"why": "it needs p.x", "count": 9, "tasks": ["p.y"]}]}
        desk.questions.answered(RUN, 1, json.dumps(said).encode())
        (answer,) = desk.answers
        mine, theirs = answer["groups"]
        assert (mine["count"], mine["tasks"]) == (6, ["flow.t2", "flow.t3", "flow.t4"])
        assert theirs == {"why": "it needs p.x", "count": 9, "tasks": ["p.y"], "run": RUN}

    play(scene)


def test_a_run_that_leaves_or_is_silent_holds_nobody_up(monkeypatch: Any) -> None:
    monkeypatch.setattr(questions, "_PATIENCE_S", 0.01)

    async def scene() -> None:
        world = a_world()
        world.run(run=OTHER)
        desk = Desk(world)
        desk.ask("")
        desk.questions.run_left(OTHER)
        assert not desk.answers
        await until(lambda: bool(desk.answers))
        desk.questions.answered(RUN, 1, b"{}")
        await asyncio.sleep(0)
        assert len(desk.answers) == 1

    play(scene)


def test_without_runs_the_answer_comes_at_once() -> None:
    async def scene() -> None:
        desk = Desk(World())
        desk.ask("")
        assert desk.answers == [{"tasks": [], "groups": []}]

    play(scene)
