"""`dfm worker` and `dfm-worker`: what a job on a compute node runs."""

import argparse
import os
import sys
import time
from collections.abc import Mapping, Sequence

from dfm.errors import DfmError, UsageError


def _addresses(text: str) -> list[tuple[str, int]]:
    found = []
    for address in text.split(","):
        host, _, port = address.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 2**16:
            raise argparse.ArgumentTypeError(f"`{address}` is not HOST:PORT")
        found.append((host.strip("[]"), int(port)))
    return found


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"`{text}` is not a number above 0")
    return int(text)


def _own_name(names: Sequence[str], environ: Mapping[str, str]) -> str:
    """This worker's of those of its array. Raises UsageError."""
    from dfm_worker.worker import array_index

    if len(names) == 1:
        return names[0]
    index = array_index(environ)
    if not index.isdecimal() or not 0 < int(index) <= len(names):
        where = f"the index {index} of its job" if index else "a job outside of an array"
        raise UsageError(f"{where} names none of {len(names)} workers")
    return names[int(index) - 1]


def parser() -> argparse.ArgumentParser:
    """The command line of a worker."""
    made = argparse.ArgumentParser(
        prog="dfm worker",
        description="Runs tasks for a daemon. A daemon launches its workers itself, by a batch job.",
    )
    made.add_argument(
        "--connect", type=_addresses, required=True, metavar="HOST:PORT[,HOST:PORT...]",
        help="where the daemon listens; tried in this order",
    )  # fmt: skip
    made.add_argument(
        "--credentials", required=True, metavar="FILE", help="the project's worker.pem"
    )
    made.add_argument(
        "--worker", required=True, metavar="NAME[,NAME...]",
        help="the name it was launched as; of a job array all names, in the order of its indices",
    )  # fmt: skip
    made.add_argument("--cores", type=_positive, default=1, metavar="N", help="cores of its job")
    made.add_argument(
        "--slots", type=_positive, default=1, metavar="N", help="tasks it runs at once"
    )
    ends = made.add_mutually_exclusive_group()
    ends.add_argument(
        "--deadline", type=float, metavar="EPOCH", help="UTC seconds at which its job ends"
    )
    ends.add_argument(
        "--walltime", type=_positive, metavar="S", help="seconds from now after which its job ends"
    )
    made.add_argument(
        "--lost-timeout", type=float, default=300.0, metavar="S",
        help="leave when no daemon has answered for so long and nothing runs; default: 300",
    )  # fmt: skip
    made.add_argument(
        "--grace", type=float, default=300.0, metavar="S",
        help="at the run limit of LSF (SIGUSR2) tasks may go on for so long; default: 300",
    )  # fmt: skip
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a worker until it ends; returns the exit status."""
    words = parser().parse_args(arguments)
    from dfm_worker.worker import Options, Worker, job_end, say  # after `--help`

    told = time.time() + words.walltime if words.walltime else words.deadline
    try:
        options = Options(
            words.connect,
            words.credentials,
            _own_name(words.worker.split(","), os.environ),
            words.cores,
            words.slots,
            job_end(os.environ) or told,
            words.lost_timeout,
            words.grace,
        )
        return Worker(options).serve()
    except DfmError as error:
        say(str(error))
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
