"""`bqueues`: the queues, and how many jobs are in them."""

import sys

from tests.cluster.lsf.jobs import all_jobs
from tests.cluster.lsf.site import QUEUES, Refused, reach


def main(words: list[str]) -> int:
    names = [word for word in words if not word.startswith("-")]
    for word in words:
        if word.startswith("-") and word not in ("-w", "-l"):
            raise Refused(f"bqueues: illegal option -- {word.lstrip('-')}")
    jobs = all_jobs(reach())
    unknown = [name for name in names if name not in QUEUES]
    for name in unknown:
        print(f"{name}: No such queue", file=sys.stderr)
    print("QUEUE_NAME      PRIO STATUS          MAX JL/U JL/P JL/H NJOBS  PEND   RUN  SUSP")
    for name, queue in sorted(QUEUES.items(), key=lambda item: -item[1].priority):
        if names and name not in names:
            continue
        mine = [job.stat for job in jobs if job.about["queue"] == name and not job.is_over]
        counts = (
            len(mine),
            sum(stat in ("PEND", "PSUSP") for stat in mine),
            mine.count("RUN"),
            mine.count("SSUSP"),
        )
        status = "Open:Active" if queue.is_open else "Closed:Active"
        shown = " ".join(f"{number:5}" for number in counts)
        print(f"{name:<15} {queue.priority:4} {status:<15}   -    -    -    - {shown}")
        if "-l" in words and queue.run_limit:
            print(f" RUNLIMIT\n {queue.run_limit:.1f} min")
    return 255 if unknown else 0
