"""`make bench-scale`: how dfm's daemon grows with workers and tasks.

    python -m bench.scale [--runs N] [--tasks N] [--into FILE]

First the scheduler's core alone, then a whole daemon with up to a thousand agents over TLS on
loopback, that run nothing.
"""

import statistics
from collections.abc import Sequence
from pathlib import Path

from bench import core
from bench.measure import scratch
from bench.report import Report, parser, progress
from bench.site import Rate, Site

AGENTS = (2, 100, 1000)
IDLE_AGENTS, IDLE_S = 100, 20.0
QUEUED = 200_000
WINDOW = 4000  # tasks that the client has with the daemon at least; and for each agent:
_AHEAD = 32


def of_core(report: Report, runs: int) -> None:
    found = core.all_sizes(runs)
    report.table(
        ["the core alone", "an event, us", "submission, us", "worker that comes, us",
         "longest batch while the queue grows", "bytes a queued task"],
        [[_title(size), _us(each.steady_s), _us(each.submitted_s), _us(each.joined_s),
          f"{each.longest_s * 1000:.0f} ms", f"{each.bytes:.0f}"] for size, each in found.items()],
    )  # fmt: skip
    for kind, is_demanding in (("", False), (", priorities and limits", True)):
        costs = [each.steady_s for size, each in found.items() if size.is_demanding is is_demanding]
        flat = f"{max(costs) / min(costs):.2f}"
        report.targets.append(
            (f"an event of the core{kind}: dearest over cheapest size", flat, "2")
        )
    report.targets += [
        (
            "core, a queued task beside its text",
            f"{max(each.bytes for each in found.values()):.0f} bytes",
            "1024 bytes",
        ),
    ]


def _title(size: core.Size) -> str:
    clients = f", {size.clients} clients" if size.clients > 1 else ""
    demands = ", priorities and limits" if size.is_demanding else ""
    return f"{size.workers:,} workers, {size.queued:,} tasks{clients}{demands}"


def _us(seconds: float) -> str:
    return f"{seconds * 1e6:.1f}"


def of_daemon(report: Report, top: Path, runs: int, tasks: int) -> None:
    rates: dict[int, Rate] = {}
    memory: dict[int, int] = {}
    idle = 0.0
    for agents in AGENTS:
        progress(f"{agents} agents come")
        with Site(top, agents) as site:
            memory[agents] = site.memory()
            if agents == IDLE_AGENTS:
                progress(f"{agents} agents idle for {IDLE_S:.0f} s")
                idle = site.idle_cpu(IDLE_S)
            rounds = []
            for round_ in range(runs):
                progress(f"{agents} agents, round {round_ + 1} of {runs}")
                rounds.append(site.flood(tasks, max(WINDOW, agents * _AHEAD)))
            rates[agents] = _median(rounds)
    progress(f"{QUEUED} tasks wait")
    with Site(top, 0, pool=1) as site:
        queued = site.queued(QUEUED)
    _write(report, rates, memory, idle, queued)


def _median(rounds: Sequence[Rate]) -> Rate:
    return Rate(*map(statistics.median, zip(*rounds, strict=True)))


def _write(
    report: Report, rates: dict[int, Rate], memory: dict[int, int], idle: float, queued: float
) -> None:
    report.table(
        ["no-op tasks, TLS", "tasks/s", "daemon, us of CPU a task", "client, us", "agents, us",
         "tasks/s of a daemon with a core of its own"],
        [[f"{agents:,} agents", f"{rate.tasks_per_s:,.0f}", _us(rate.daemon_s), _us(rate.client_s),
          _us(rate.agents_s), f"{1 / rate.daemon_s:,.0f}"] for agents, rate in rates.items()],
    )  # fmt: skip
    few, most = AGENTS[0], AGENTS[-1]
    each = (memory[most] - memory[few]) / (most - few)
    report.targets += [
        (f"no-op tasks/s, {most:,} agents", f"{rates[most].tasks_per_s:,.0f}", "50,000"),
        ("daemon, memory of an agent", f"{each / 1024:.0f} KiB", ""),
        ("daemon, a queued task beside its text", f"{queued:.0f} bytes", "1024 bytes"),
        (f"daemon with {IDLE_AGENTS} idle workers, of a core", f"{idle * 100:.2f} %", "1 %"),
    ]


def main() -> None:
    asked = parser(__doc__, 3)
    asked.add_argument("--tasks", type=int, default=60_000, help="no-op tasks of each round")
    words = asked.parse_args()
    report = Report()
    of_core(report, words.runs)
    with scratch() as top:
        of_daemon(report, top, words.runs, words.tasks)
    how = (
        f"medians of {words.runs} rounds, sizes of the core in turn; daemon, client and two processes"
        " of agents share the CPUs."
    )
    report.publish("make bench-scale", how, words.into)


if __name__ == "__main__":
    main()
