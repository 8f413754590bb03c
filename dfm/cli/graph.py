"""`dfm graph`: the graph of a task as DOT."""

import json
import os
import sys

from dfm.cli.faults import shortened
from dfm.cli.listing import list_tasks
from dfm.errors import UsageError
from dfm.flow.dot import dot
from dfm.flow.load import Options, load

BEGIN, END = "<<<DFM_GRAPH_BEGIN>>>", "<<<DFM_GRAPH_END>>>"


def graph(
    options: Options, task: str, *, form: str, output: str, as_json: bool, with_params: bool
) -> int:
    """Prints or writes it; without a task, lists the tasks. Raises UsageError, FlowError."""
    if form != "dot":
        raise UsageError(f"-f {form}: there is only dot")
    flow = load(options, os.environ)
    if not task:
        list_tasks(flow)
        return 0
    made = flow.graph([task], os.path.join(os.getcwd(), "rundir"))
    for problem in flow.warnings():
        print(f"warning: {shortened(problem)}", file=sys.stderr)  # noqa: T201
    text = dot(made, flow.compounds_around(), with_params=with_params)
    if as_json:
        text = f"{BEGIN}\n{json.dumps({'graph': text})}\n{END}\n"
    if output:
        _write(output, text)
    else:
        print(text, end="")  # noqa: T201
    return 0


def _write(path: str, text: str) -> None:
    try:
        with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None
