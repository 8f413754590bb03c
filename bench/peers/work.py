"""What every peer is asked, in its own environment: trivial processes as fast as it can, and one
task at a time. Imports nothing that the peers do not bring.

Prints one JSON object as its last line: the tasks of a second, and the median of the seconds that
one takes alone.
"""

import argparse
import json
import statistics
import subprocess
import time
from collections.abc import Callable

WARM_UP = 100


def shell() -> int:
    """The task of peers that run functions. posix_spawn, the cheapest that Python has."""
    return subprocess.call(["/bin/sh", "-c", "true"], close_fds=False)


def measure(many: Callable[[int], object], one: Callable[[], object]) -> None:
    """`many` runs so many tasks and `one` a single one; both return when all is over."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--alone", type=int, default=50)
    words = parser.parse_args()
    many(WARM_UP)
    began = time.perf_counter()
    many(words.tasks)
    rate = words.tasks / (time.perf_counter() - began)
    alone = []
    for _ in range(words.alone):
        began = time.perf_counter()
        one()
        alone.append(time.perf_counter() - began)
    print(json.dumps({"rate": rate, "alone_s": statistics.median(alone)}), flush=True)
