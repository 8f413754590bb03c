"""Runs tasks that a running task has made: `python -m dfm.cli.subgraph REQUEST ANSWER`, two JSON files.

It is a run of its own inside of that task's process tree, on that task's host and with its cores, in
the folder that the request names; so it is the same whoever runs the task.
"""

import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from dfm.cli.display.lines import Lines
from dfm.cli.execute import Means, execute
from dfm.cli.resources import Resources
from dfm.cli.run import Watch
from dfm.config.selection import Selection
from dfm.engine import records
from dfm.engine.run import Run
from dfm.engine.specs import Places, RunContext
from dfm.errors import DfmError
from dfm.flow.load import Options, load
from dfm.flow.made import Made
from dfm.graph.node import Node
from dfm.graph.values import Fields
from dfm.runners.registry import LOCAL, configuration


def main(arguments: Sequence[str]) -> int:
    """Status 0 if there is an answer; else the reason is on standard error."""
    request, answer = arguments
    with open(request) as file:
        told = json.load(file)
    try:
        made = _run(told)
    except DfmError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return error.exit_code
    with open(answer, "w") as file:
        json.dump(made, file)
    return 0


def _run(told: dict[str, Any]) -> list[dict[str, Any]]:
    """What became of each task of the request."""
    environ = dict(os.environ)
    environ.pop("MAKEFLAGS", None)  # the cores of the task are the limit, not what is left of a -j
    flow = load(Options(*told["options"]), environ)
    rundir, outer = told["rundir"], told["root_rundir"]

    def emitted(node: Node) -> Sequence[Fields] | None:
        record = records.read(outer, node)
        return record["output"]["output"] if record and not record["result"]["status"] else None

    batch = [Made(**fields) for fields in told["tasks"]]
    graph = flow.graph_of(batch, rundir, emitted)
    config = configuration(flow.folder, environ)
    places = Places(rundir, flow.folder, told["cwd"])
    limit = config.task_log_limit_bytes
    context = RunContext(places, environ, graph.types, limit, run_id=told["run_id"])
    context.environment["DFM_OUT_DIR"] = told["out_dir"]
    watch = Watch(Lines(), "", 0.0)  # no trace: the outer run writes one
    run = Run(graph, context, watch, keep_going=True, force=told["force"])
    run.plan.limit_failures(max(told["max_failures"], 0))
    resources = Resources(graph, config, None, lambda number, field: None)
    here = Selection(LOCAL, "the task that makes these", True)
    try:
        run.begin()
        execute(run, Means(context, config, resources, here, (), told["cores"], watch.display))
    finally:
        watch.display.close()
        run.close()
    return [_outcome(rundir, graph.nodes[number]) for number in graph.goals]


def _outcome(rundir: str, node: Node) -> dict[str, Any]:
    record = records.read(rundir, node)
    if record is None:
        return {"name": node.name, "status": None, "changed": False, "output": [], "needs": []}
    return {
        "name": node.name,
        "status": record["result"]["status"],
        "changed": record["output"]["changed"],
        "output": record["output"]["output"],
        "needs": record["needs"],
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
