"""Tasks that a Python task makes and runs while it runs: `ctxt.mkTaskNode` and `ctxt.run_subgraph`.

They run below the folder of the task that makes them, on its host and with its cores.
"""

import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from dfm_worker.python_api import TaskDataItem, TaskDataOutput, plain

LOG = "subgraph.log"


class TaskNode(NamedTuple):
    """One of them, before it runs."""

    name: str
    type: str
    params: Mapping[str, Any]
    needs: Sequence[str]
    srcdir: str


class SubgraphFailed(RuntimeError):
    """A task of the batch has failed. `outputs` are those of all, in the order of the batch."""

    def __init__(self, what: str, outputs: Sequence[TaskDataOutput]) -> None:
        super().__init__(what)
        self.outputs = outputs


def make_node(
    number: int, type: str, name: str | None, srcdir: str | None, needs: Sequence[Any] | None,
    params: Mapping[str, Any],
) -> TaskNode:  # fmt: skip
    """`needs` are nodes, or names of tasks."""
    names = [need if isinstance(need, str) else str(need.name) for need in needs or ()]
    return TaskNode(name or f"anon_{number}", type, params, names, srcdir or "")


async def run(
    nodes: Sequence[TaskNode],
    told: Mapping[str, Any],
    environment: Mapping[str, str],
    timeout: float | None,  # noqa: ASYNC109
    max_failures: int,
) -> list[TaskDataOutput]:
    """Raises SubgraphFailed, TimeoutError, and ValueError for tasks that there are not."""
    rundir = str(told["rundir"])
    tasks = [node._asdict() for node in nodes]
    files = [os.path.join(rundir, f"subgraph.{end}.json") for end in ("request", "answer")]
    with open(files[0], "w") as file:
        json.dump(plain({**told, "tasks": tasks, "max_failures": max_failures}), file)
    words = [sys.executable, "-P", "-m", "dfm.cli.subgraph", *files]
    with open(os.path.join(rundir, LOG), "ab") as log:
        process = await asyncio.create_subprocess_exec(
            *words, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=asyncio.subprocess.PIPE,
            env=dict(environment), cwd=rundir,
        )  # fmt: skip
        try:
            _, said = await asyncio.wait_for(process.communicate(), timeout)
        except (TimeoutError, asyncio.CancelledError):
            process.terminate()
            await process.wait()
            raise
    if process.returncode:
        raise ValueError(said.decode(errors="replace").strip() or f"status {process.returncode}")
    with open(files[1]) as file:
        answers = json.load(file)
    os.unlink(files[1])
    outputs = [_output(answer) for answer in answers]
    bad = [_words(answer) for answer in answers if answer["status"] != 0]
    if bad:
        raise SubgraphFailed(f"{', '.join(bad)}; see {os.path.join(rundir, LOG)}", outputs)
    return outputs


def _output(answer: Mapping[str, Any]) -> TaskDataOutput:
    items = [TaskDataItem(**fields) for fields in answer["output"]]
    return TaskDataOutput(answer["changed"], items, {answer["name"]: answer["needs"]})


def _words(answer: Mapping[str, Any]) -> str:
    status = answer["status"]
    return (
        f"{answer['name']} was skipped" if status is None else f"{answer['name']}: status {status}"
    )
