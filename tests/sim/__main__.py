"""`python -m tests.sim`: one big simulation, or many small ones."""

import argparse
import gc
import resource
import sys
import time

from tests.sim.scenario import big, small
from tests.sim.simulation import Failure, simulate


def one(workers: int, tasks: int, runs: int, seed: int) -> None:
    gc.disable()  # it looks at every object again and again, and there are few cycles
    begun = time.monotonic()
    report = simulate(big(workers, tasks, runs, seed))
    wall_s = time.monotonic() - begun
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    decided = sum(report.counts.values())
    print(f"workers    {workers} at most, {report.launched} jobs launched")
    print(f"tasks      {tasks} of {runs} runs, {report.starts} starts; {report.totals}")
    print(f"simulated  {report.simulated_s:.0f} s, {report.events} events")
    print(f"scheduler  {decided} events and actions in {report.batches} batches")
    print(f"wall       {wall_s:.0f} s, {report.events / wall_s:.0f} events/s")
    print(f"memory     {peak_mib:.0f} MiB at most")


def many(count: int, first: int) -> bool:
    """Whether all hold."""
    failed = 0
    for seed in range(first, first + count):
        try:
            simulate(small(seed))
        except Failure as failure:
            failed += 1
            print(failure)
    print(f"{count} simulations from seed {first}: {failed} failed")
    return not failed


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description=__doc__)
    parser.add_argument("--workers", type=int, default=1000, metavar="N")
    parser.add_argument("--tasks", type=int, metavar="N", help="default: ten for each worker")
    parser.add_argument("--runs", type=int, default=4, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of --seeds, the first")
    parser.add_argument("--seeds", type=int, metavar="N", help="so many small simulations instead")
    words = parser.parse_args()
    if words.seeds is not None:
        return 0 if many(words.seeds, words.seed) else 1
    one(words.workers, words.tasks or 10 * words.workers, words.runs, words.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
