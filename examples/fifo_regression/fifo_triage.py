"""What is kept when simulations fail: `on_error` of the task `sims`."""

from dv_flow.mgr import CompoundRunInput, TaskDataResult, TaskRunCtxt


async def keep_passed(ctxt: TaskRunCtxt, input: CompoundRunInput) -> TaskDataResult:
    """Drops what failed simulations emitted, but for their verdicts, and lets the flow go on.

    The report needs the verdicts, and the task `regress` fails because of them. Coverage of a
    failed simulation must not count: it was sampled on a design that misbehaved.
    """
    failed = {item.task_name for item in input.inputs if item.type == "std.TaskFailure"}
    kept = [
        item for item in input.inputs if item.type == "fifo.SimResult" or item.src not in failed
    ]
    return TaskDataResult(status=0, output=kept)
