"""`make bench`: dfm beside its peers, all in one run on one machine; prints tables in Markdown.

    python -m bench.all [--runs N] [--into FILE]

The files go into memory, where there is /dev/shm: what a disk does varies by more than what is measured.
DFM_BENCH_DIR names another folder.
"""

import sys
from pathlib import Path

from bench import latency, startup, work
from bench.measure import Command, Cost, Folders, in_turn, scratch
from bench.report import Report, parser, seconds
from bench.tools import JOBS, PEERS, Daemon, commands, floor, upstream

COLUMNS = ("dfm, local", "dfm, daemon", "ninja", "xargs", "bare machine", "dv-flow-mgr")


def throughput(report: Report, top: Path, runs: int, bare: list[str], peer: Path | None) -> None:
    """Independent tasks, a chain, and a rerun."""
    rows: list[list[str]] = []
    costs: dict[tuple[str, str], Cost] = {}
    for title, count, command, chain in (
        ("1,000 tasks", 1000, work.PROGRAM, False),
        ("1,000 tasks with a shell", 1000, work.SHELL, False),
        ("5,000 tasks", 5000, work.PROGRAM, False),
        ("chain of 500", 500, work.PROGRAM, True),
    ):
        folders = Folders(top / title.replace(" ", "-"))
        flow = folders.top / "flow"
        work.write(flow, count, command, chain=chain)
        print(f"{title} ...", file=sys.stderr)
        with Daemon(flow):
            found = in_turn(commands(flow, count, folders, bare, peer, chain=chain), runs)
            if count == 5000:
                alone = latency.alone(flow, folders.new(), 300)
        rows.append([title, *(_cell(found, name) for name in COLUMNS)])
        costs.update({(title, name): cost for name, cost in found.items()})
    rerun = reruns(top, runs, peer)
    rows.append(
        ["rerun of 5,000, CPU",
         *(seconds(rerun[name].cpu_s) if name in rerun else "" for name in COLUMNS)]
    )  # fmt: skip
    report.table(["wall time, median", *COLUMNS], rows)

    def wall(title: str, name: str) -> float:
        return costs[title, name].wall_s

    many = "5,000 tasks"
    to_ninja = wall(many, "dfm, local") / wall(many, "ninja")
    linear = wall(many, "dfm, local") / wall("1,000 tasks", "dfm, local") / 5
    base = "bare machine" if bare else "xargs"
    share = wall(many, base) / wall(many, "dfm, daemon")
    report.targets += [
        ("local runner, 5,000 tasks, over ninja", f"{to_ninja:.2f}", "2.2"),
        ("5,000 over 5 times 1,000 tasks, local", f"{linear:.2f}", "1"),
        ("rerun of 5,000 with nothing to do, CPU", seconds(rerun["dfm, local"].cpu_s), "1.5 s"),
        (f"daemon, 2 warm workers: share of the {base}'s rate", f"{share:.2f}", "0.5"),
        ("one task alone through the daemon", f"{alone * 1000:.2f} ms", "3 ms"),
        (
            "a task of the chain, local / daemon",
            " / ".join(f"{wall('chain of 500', n) * 2:.2f} ms" for n in COLUMNS[:2]),
            "3 ms",
        ),
    ]


def _cell(found: dict[str, Cost], name: str) -> str:
    return seconds(found[name].wall_s) if name in found else ""


def reruns(top: Path, runs: int, peer: Path | None) -> dict[str, Cost]:
    """5,000 tasks that are up to date."""
    print("rerun with nothing to do ...", file=sys.stderr)
    folders = Folders(top / "rerun")
    flow = folders.top / "flow"
    work.write(flow, 5000)
    every = commands(flow, 5000, folders, [], peer, chain=False)
    first = {name: every[name] for name in ("dfm, local", "ninja", "dv-flow-mgr") if name in every}
    places = {name: command.folder() for name, command in first.items()}
    here: dict[str, Command] = {
        name: Command(command.words, lambda place=places[name]: place)  # type: ignore[misc]
        for name, command in first.items()
    }
    in_turn(here, 1)
    return in_turn(here, runs)


def starts(report: Report, top: Path, runs: int, peer: Path | None) -> None:
    """What it takes until something happens."""
    print("starts ...", file=sys.stderr)
    found = startup.commands(Folders(top / "starts"), peer, runs * 5)
    found["worker, start to registered"] = startup.worker(runs * 5)
    python = found["python -c pass"]
    report.table(
        ["start", "wall time", "times `python -c pass`"],
        [[name, f"{time * 1000:.0f} ms", f"{time / python:.1f}"] for name, time in found.items()],
    )
    for name, target in (
        ("dfm --help", "13"), ("dfm run, 3 tasks up to date", "20"), ("worker, start to registered", "10"),
    ):  # fmt: skip
        report.targets.append(
            (f"{name}, over Python's start", f"{found[name] / python:.1f}", target)
        )


def long_chain(report: Report, top: Path, runs: int) -> None:
    """5,000 tasks one after the other."""
    print("chain of 5,000 ...", file=sys.stderr)
    folders = Folders(top / "long-chain")
    flow = folders.top / "flow"
    work.write(flow, 5000, chain=True)
    with Daemon(flow):
        every = commands(flow, 5000, folders, [], None, chain=True)
        found = in_turn({name: every[name] for name in COLUMNS[:2]}, runs)
    report.targets.append(
        (
            "a task of a chain of 5,000, local / daemon",
            " / ".join(f"{found[name].wall_s / 5:.2f} ms" for name in COLUMNS[:2]),
            "3 ms",
        )
    )


def main() -> None:
    words = parser(__doc__, 3).parse_args()
    PEERS.mkdir(parents=True, exist_ok=True)
    bare, peer = floor(PEERS), upstream(PEERS)
    report = Report()
    with scratch() as top:
        throughput(report, top, words.runs, bare, peer)
        long_chain(report, top, words.runs)
        starts(report, top, words.runs, peer)
        how = (
            f"medians of {words.runs} rounds, tools in turn, {JOBS} tasks at once,"
            f" files in {top.parent}."
        )
    report.publish("make bench", how, words.into)


if __name__ == "__main__":
    main()
