"""The task `std.RunTasks`: runs the tasks that the items which come in describe (section 31.7)."""

from typing import Any

from dfm_worker.python_api import TaskDataResult
from dfm_worker.python_context import TaskRunCtxt
from dfm_worker.subgraph import SubgraphFailed


async def run_tasks(ctxt: TaskRunCtxt, task: Any) -> TaskDataResult:
    """A failure of one fails the task, after the others have run; it emits what all have emitted."""
    specs = [item for item in task.inputs if item.type == "std.TaskRunSpec"]
    nodes = [
        ctxt.mkTaskNode(spec.task_type, spec.task_name or None, needs=spec.needs, **spec.params)
        for spec in specs
    ]
    if not nodes:
        return TaskDataResult()
    status = 0
    try:
        outputs = await ctxt.run_subgraph(nodes, timeout=task.params.timeout or None)
    except SubgraphFailed as error:
        outputs, status = error.outputs, 1
        ctxt.error(str(error))
    except TimeoutError:
        outputs, status = [], 1
        ctxt.error(f"the tasks took longer than {task.params.timeout} s")
    except ValueError as error:
        outputs, status = [], 1
        ctxt.error(str(error))
    return TaskDataResult(status=status, output=[item for one in outputs for item in one.output])
