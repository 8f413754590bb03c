"""`bkill`: asks for the end of jobs, and returns before they have ended."""

import json
import subprocess
import sys

from tests.cluster.lsf.jobs import Filter, Job, all_jobs, parse_id, select
from tests.cluster.lsf.site import Refused, folder, reach

_OWNER = "TERM_OWNER: job killed by owner"
_VALUED = ("-J", "-g", "-q", "-u", "-m", "-s")
_FLAGS = ("-r", "-b")
_SIGNALS = {"INT", "TERM", "KILL", "USR1", "USR2", "HUP", "URG", "STOP", "CONT"}


def main(words: list[str]) -> int:
    values: dict[str, str] = {}
    flags: set[str] = set()
    ids: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word in _VALUED and rest:
            values[word] = rest.pop(0)
        elif word in _FLAGS:
            flags.add(word)
        elif word.startswith("-"):
            raise Refused(f"bkill: illegal option -- {word.lstrip('-')}")
        else:
            ids.append(word)
    number = values.get("-s", "").removeprefix("SIG")
    if number and number not in _SIGNALS:
        raise Refused(f"{number}: Illegal signal value.")
    if not ids and not any(name in values for name in ("-J", "-g", "-q", "-u", "-m")):
        raise Refused("Job ID must be specified.")
    site = reach()
    wanted = Filter(*(values.get(name, "") for name in ("-J", "-g", "-q")))
    named = [parse_id(text) for text in ids if text != "0"]
    found, missing = select(all_jobs(site), named, wanted)
    if not named:
        found = [job for job in found if not job.is_over]
        found = found if "0" in ids else found[-1:]  # without the 0 only the last one
        if not found:
            raise Refused("No matching job found")
    for one in missing:
        print(f"Job <{one.text}>: No matching job found", file=sys.stderr)
    over = [job for job in found if job.is_over]
    for job in over:
        print(f"Job <{job.full_id}>: Job has already finished", file=sys.stderr)
    living = [job for job in found if not job.is_over]
    for job in living:
        _note(job, number, removes="-r" in flags)
        print(f"Job <{job.full_id}> is being {'signaled' if number else 'terminated'}")
    _end(living, removes="-r" in flags)
    return 255 if missing or over else 0


def _note(job: Job, number: str, *, removes: bool) -> None:
    """For the starter of the job, and for bjobs."""
    record = folder() / "kills" / f"{job.id}.{job.element}"
    signal = f"SIG{number}" if number else ""
    text = {"reason": "" if signal else _OWNER, "signal": signal, "removed": removes}
    record.with_name(f".{record.name}").write_text(json.dumps(text))
    record.with_name(f".{record.name}").replace(record)


def _end(jobs: list[Job], *, removes: bool) -> None:
    """Those that wait are cancelled, the starters of the others read what was noted."""
    waiting = [job for job in jobs if removes or job.stat in ("PEND", "PSUSP")]
    running = [job for job in jobs if not removes and job.stat in ("RUN", "SSUSP", "USUSP")]
    for words, some in ((["scancel"], waiting), (["scancel", "--batch", "--signal=USR1"], running)):
        if some:
            subprocess.run([*words, *map(_slurm_id, some)], check=False)


def _slurm_id(job: Job) -> str:
    return f"{job.id}_{job.element}" if job.about["is_array"] else job.id
