"""What a Python task may do while it runs: `ctxt` (section 30.3 of the language)."""

import asyncio
import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dfm_worker import subgraph
from dfm_worker.python_api import ExecCmd, SeverityE, TaskDataItem, TaskMarker


class TaskRunCtxt:
    """What a task function may ask and do while it runs."""

    def __init__(
        self,
        *,
        rundir: str,
        root_rundir: str,
        root_pkgdir: str,
        cores: int,
        types: Mapping[str, Mapping[str, Any]],
        again: Mapping[str, Any] | None = None,
    ) -> None:
        self.rundir = rundir
        self.root_rundir = root_rundir
        self.root_pkgdir = root_pkgdir
        self.cores = cores
        self.run_id = os.environ.get("DFM_RUN_ID", "")
        self.out_dir = os.environ.get("DFM_OUT_DIR", "")
        self.env: dict[str, str] = dict(os.environ)
        self.markers: list[TaskMarker] = []
        self.commands: list[tuple[list[str], int]] = []
        self._types = types
        self._again = dict(again or {})  # how to run more tasks of the flow
        self._made = 0

    async def exec(
        self,
        cmd: Sequence[str],
        logfile: str | None = None,
        logfilter: Callable[[str], Any] | None = None,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> int:
        """Runs a list of words; its output goes to `logfile` in the run directory.

        Returns the exit status, negative for a signal; not zero adds an error marker. Lines for
        which `logfilter` is true become info markers. A program that is not there gives 127.
        """
        words = [str(word) for word in cmd]
        position = len(self.commands)
        self.commands.append((words, 0))
        path = os.path.join(self.rundir, logfile or f"cmd_{position + 1}.log")
        with open(path, "wb") as log:
            try:
                process = await asyncio.create_subprocess_exec(
                    *words,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=asyncio.subprocess.STDOUT,
                    cwd=cwd or self.rundir,
                    env=self.env if env is None else dict(env),
                )
                status = await process.wait()
            except FileNotFoundError as error:
                log.write(f"{error}\n".encode())
                status = 127
        self.commands[position] = (words, status)
        if logfilter is not None:
            with open(path, errors="replace") as lines:
                for line in lines:
                    if logfilter(line):
                        self.info(line.rstrip("\n"))
        if status:
            self.error(f"Command failed: {' '.join(words)} (status {status}), see {path}")
        return status

    async def exec_parallel(
        self,
        cmds: Sequence[ExecCmd],
        logfilters: Mapping[int, Callable[[str], Any]] | None = None,
    ) -> list[int]:
        """Runs commands at the same time and returns their statuses."""
        filters = logfilters or {}
        return list(
            await asyncio.gather(
                *(
                    self.exec(c.cmd, c.logfile, filters.get(number), c.cwd, c.env)
                    for number, c in enumerate(cmds)
                )
            )
        )

    def mkTaskNode(
        self,
        type: str,
        name: str | None = None,
        srcdir: str | None = None,
        needs: Sequence[Any] | None = None,
        **params: Any,
    ) -> Any:
        """A node of a task of the flow, for `run_subgraph`. `needs` are such nodes, or names of tasks of
        the running graph that this task needs, too."""
        self._made += 1
        return subgraph.make_node(self._made, type, name, srcdir, needs, params)

    async def run_subgraph(
        self,
        nodes: Any,
        name: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - part of what flows call
        max_failures: int = -1,
    ) -> Any:
        """Runs nodes now, below this task's run directory, on its host and with its cores.

        Returns the output of each, a TaskDataOutput; of a single node that was given alone, its own.
        `timeout` is in seconds. Raises subgraph.SubgraphFailed, TimeoutError, and ValueError for a task
        or parameter that is not there.
        """
        is_list = isinstance(nodes, list | tuple | set) and not hasattr(nodes, "params")
        batch = list(nodes) if is_list else [nodes]
        told = {
            **self._again, "rundir": self.rundir, "root_rundir": self.root_rundir,
            "cwd": os.getcwd(), "run_id": self.run_id, "out_dir": self.out_dir,
            "cores": self.cores,
        }  # fmt: skip
        outputs = await subgraph.run(batch, told, self.env, timeout, max_failures)
        return outputs if is_list else outputs[0]

    def mkDataItem(self, type: str, **fields: Any) -> TaskDataItem:
        """An item of a registered type, with the type's defaults. Raises ValueError on others."""
        if type not in self._types:
            raise ValueError(f"no data type `{type}`; known are {', '.join(sorted(self._types))}")
        defaults = json.loads(json.dumps(self._types[type]))
        return TaskDataItem(type, **{**defaults, **fields})

    def create(self, path: str, content: str) -> None:
        """Writes a file, relative to the run directory, and makes the directories above it."""
        place = os.path.join(self.rundir, path)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "w") as file:
            file.write(content)

    def marker(self, msg: str, severity: SeverityE | str, loc: Any = None) -> None:
        self.add_marker(TaskMarker(msg, severity, loc))

    def add_marker(self, marker: TaskMarker) -> None:
        self.markers.append(marker)

    def error(self, msg: str, loc: Any = None) -> None:
        self.marker(msg, SeverityE.Error, loc)

    def warning(self, msg: str, loc: Any = None) -> None:
        self.marker(msg, SeverityE.Warning, loc)

    def info(self, msg: str, loc: Any = None) -> None:
        self.marker(msg, SeverityE.Info, loc)
