"""Python tasks of the flows that run on every runner."""

import dataclasses
import os
import sys

from dv_flow.mgr import ExecCmd, FileSet, PyTask, TaskDataResult


async def function(ctxt, input):
    python = "import os; print(os.environ['TOOL'])"
    status = await ctxt.exec([sys.executable, "-c", python], logfile="tool.log")
    words = [[sys.executable, "-c", f"raise SystemExit({n})"] for n in (0, 2)]
    statuses = await ctxt.exec_parallel([ExecCmd(cmd=cmd) for cmd in words])
    ctxt.create("sub/made.txt", f"{status} {statuses}")
    return TaskDataResult(
        output=[
            FileSet(filetype="made", basedir=input.rundir, files=["sub/made.txt"]),
            ctxt.mkDataItem("p.Note", text=input.params.text),
        ],
        memento={"runs": (input.memento or {"runs": 0})["runs"] + 1},
    )


def plain(ctxt, input):
    ctxt.warning("from a plain function")
    os.environ["LEAK"] = "1"
    return TaskDataResult(changed=False)


def leak(ctxt, input):
    print("leak:", os.environ.get("LEAK"), input.changed)


@dataclasses.dataclass
class Script(PyTask):
    @dataclasses.dataclass
    class Params:
        lines: int = 1

    async def __call__(self):
        return f"echo {self.params.lines} lines of {len(self._input.inputs)} items"


def raises(ctxt, input):
    raise ValueError("no such luck")


async def judge(ctxt, input):
    failed = sorted(task.name for task in input.subtasks if task.status)
    ctxt.warning(f"failed: {failed}")
    kept = [item for item in input.inputs if item.type == "p.Note"]
    return TaskDataResult(output=kept)


def generate(ctxt, input):
    for n in range(input.params.n):
        ctxt.addTask(ctxt.mkTaskNode("p.Cell", name=ctxt.mkName(f"g{n}"), needs=[ctxt.input], n=n))


async def subgraph(ctxt, input):
    first = ctxt.mkTaskNode("p.Cell", name="first", n=1)
    second = ctxt.mkTaskNode("p.Cell", name="second", needs=[first], n=2)
    outputs = await ctxt.run_subgraph([first, second])
    print([[item.n for item in one.output] for one in outputs])


async def fresh(ctxt):
    return ctxt.exec_data["result"]["status"] == 0 and not os.path.exists(ctxt.srcdir + "/stale")
