"""`make bench-peers`: trivial processes through a daemon of dfm and through its peers, in turn.

    python -m bench.peers [--runs N] [--tasks N] [--into FILE]

Each tool has two workers. dfm is measured from the start of `dfm run` to its end, with a directory,
a log and a record for each task; the peers from the first submission to the last result, warm, with
none of these.
"""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bench import latency, work
from bench.measure import Folders, environment, run, scratch
from bench.report import Report, parser, progress
from bench.tools import JOBS, PEERS, Daemon, commands, environment_of, floor

ALONE = 100  # tasks
_PEER_S = 300.0  # for one round of one peer
TARGET_SHARE, TARGET_ALONE_MS = "0.55", "1.5 ms"


class Peer(NamedTuple):
    name: str
    package: str  # at PyPI
    module: str


class Found(NamedTuple):
    rate: float  # tasks a second
    alone_s: float


OTHERS = (
    Peer("HyperQueue", "hyperqueue", "with_hyperqueue"),
    Peer("Dask distributed", "distributed", "with_dask"),
    Peer("Parsl", "parsl", "with_parsl"),
    Peer("Ray", "ray", "with_ray"),
)


def peer(python: Path, module: str, folder: Path, tasks: int) -> Found:
    """One round. What the peer leaves behind is in `folder`. Raises CalledProcessError."""
    root = str(Path(__file__).parent.parent.parent)
    own = {
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "RAY_TMPDIR": str(folder),
        "RAY_USAGE_STATS_ENABLED": "0",
        "PATH": f"{python.parent}:{os.environ['PATH']}",
        "PYTHONPATH": root,
    }
    words = [
        str(python),
        "-m",
        f"bench.peers.{module}",
        "--tasks",
        str(tasks),
        "--alone",
        str(ALONE),
    ]
    done = subprocess.run(
        words, cwd=folder, env=environment() | own, check=True, capture_output=True, text=True,
        timeout=_PEER_S,
    )  # fmt: skip
    return Found(**json.loads(done.stdout.splitlines()[-1]))


def rounds(tools: dict[str, Callable[[], Found]], runs: int) -> dict[str, Found]:
    """Medians of each tool; one that fails is left out, with its last words."""
    found: dict[str, list[Found]] = {name: [] for name in tools}
    for round_ in range(runs):
        for name, measure in tools.items():
            if name not in found:
                continue
            progress(f"round {round_ + 1} of {runs}: {name}")
            try:
                found[name].append(measure())
            except (subprocess.SubprocessError, ValueError) as error:
                said = getattr(error, "stderr", "") or ""
                print(f"{name} is left out: {error}\n{said[-2000:]}", file=sys.stderr)
                del found[name]
    return {
        name: Found(*map(statistics.median, zip(*each, strict=True)))
        for name, each in found.items()
    }


def table(report: Report, found: dict[str, Found], bare: str) -> None:
    rows = [
        [name, f"{each.rate:.0f}", f"{each.rate / found[bare].rate:.2f}", f"{each.alone_s * 1000:.2f} ms"]
        for name, each in found.items()
    ]  # fmt: skip
    report.table(["tool", "tasks/s", f"share of the {bare}", "one task alone"], rows)
    dfm = found["dfm, daemon"]
    report.targets += [
        ("dfm, daemon: share of the bare rate, the whole task", f"{dfm.rate / found[bare].rate:.2f}", TARGET_SHARE),
        ("one task alone, with directory, log and record", f"{dfm.alone_s * 1000:.2f} ms", TARGET_ALONE_MS),
    ]  # fmt: skip


def main() -> None:
    asked = parser(__doc__, 3)
    asked.add_argument("--tasks", type=int, default=4000, help="of each round")
    words = asked.parse_args()
    PEERS.mkdir(parents=True, exist_ok=True)
    bare = floor(PEERS)
    with scratch() as top:
        flows = {"dfm, daemon": work.PROGRAM, "dfm, daemon, with a shell": work.SHELL}
        folders, few = Folders(top / "files"), top / "few"
        work.write(few, ALONE)
        tools: dict[str, Callable[[], Found]] = {}
        name = "bare machine" if bare else "xargs"

        def of_dfm(flow: Path, script: str) -> Found:
            every = commands(flow, words.tasks, folders, [], None, chain=False)
            with Daemon(flow):
                cost = run(every["dfm, daemon"].words, folders.new())
                return Found(
                    words.tasks / cost.wall_s, latency.alone(flow, folders.new(), ALONE, script)
                )

        def of_nobody(flow: Path) -> Found:
            every = commands(flow, words.tasks, folders, bare, None, chain=False)[name]
            one = commands(few, ALONE, folders, bare, None, chain=False, jobs="1")[name]
            return Found(
                words.tasks / run(every.words, folders.new()).wall_s,
                run(one.words, folders.new()).wall_s / ALONE,
            )

        for number, (title, script) in enumerate(flows.items()):
            flow = top / f"flow{number}"
            work.write(flow, words.tasks, script)
            tools[title] = lambda flow=flow, script=script: of_dfm(flow, script)  # type: ignore[misc]
        tools = {name: lambda: of_nobody(top / "flow0"), **tools}
        for other in OTHERS:
            python = environment_of(PEERS / other.package, other.package)
            if python is not None:
                tools[other.name] = lambda python=python, other=other: peer(  # type: ignore[misc]
                    python, other.module, folders.new(), words.tasks
                )
        found = rounds(tools, words.runs)
        report = Report()
        table(report, found, name)
        how = (
            f"medians of {words.runs} rounds, tools in turn, {JOBS} workers each, {words.tasks} times"
            f" `true`, files in {top.parent}."
        )
    report.publish("make bench-peers", how, words.into)


if __name__ == "__main__":
    main()
