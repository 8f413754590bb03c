"""The jobs as LSF would see them: what bsub wrote down, what Slurm says, and how they ended."""

import fnmatch
import json
import re
import subprocess
import time
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from tests.cluster.lsf.site import Refused, Site, folder

_WAITING = ("PENDING", "CONFIGURING", "REQUEUED")
_LOST = "TERM_UNKNOWN: unknown reason"


class Job(NamedTuple):
    """One job, or one element of an array."""

    id: str
    element: str  # "0": it is no array
    about: dict[str, Any]
    stat: str
    host: str = ""
    exit_code: str = ""
    exit_reason: str = ""
    pend_reason: str = ""
    time_left: str = ""  # of its run limit

    @property
    def full_id(self) -> str:
        return f"{self.id}[{self.element}]" if self.about["is_array"] else self.id

    @property
    def name(self) -> str:
        return str(self.about["name"]) + (f"[{self.element}]" if self.about["is_array"] else "")

    @property
    def is_over(self) -> bool:
        return self.stat in ("DONE", "EXIT")


class Id(NamedTuple):
    """`12`, or some elements of it."""

    text: str
    job: str
    indices: frozenset[str]

    def matches(self, job: Job) -> bool:
        return job.id == self.job and (not self.indices or job.element in self.indices)


def parse_id(text: str) -> Id:
    match = re.fullmatch(r"(\d+)(?:\[([\d,:-]+)\])?", text)
    if match is None:
        raise Refused(f"{text}: Illegal job ID.")
    indices: list[str] = []
    for part in (match[2] or "").split(",") if match[2] else ():
        first, _, last = part.partition("-")
        indices += [str(number) for number in range(int(first), int(last or first) + 1)]
    return Id(text, match[1], frozenset(indices))


class Filter(NamedTuple):
    """What `-J`, `-g`, `-q`, `-P` ask for; "" is anything."""

    name: str = ""
    group: str = ""
    queue: str = ""
    project: str = ""

    def passes(self, job: Job) -> bool:
        about = job.about
        names = (job.name, about["name"])
        named = not self.name or any(
            fnmatch.fnmatchcase(name, self.name.replace("[", "[[]")) for name in names
        )
        wanted = (
            (self.group, about["group"]),
            (self.queue, about["queue"]),
            (self.project, about["project"]),
        )
        return named and all(not want or want == has for want, has in wanted)


def all_jobs(site: Site) -> list[Job]:
    """Those that LSF remembers, in the order of their submission."""
    lsf = folder()
    down = _down_hosts()
    about: dict[str, dict[str, Any]] = {}
    found = []
    for line in _slurm(
        "squeue", "-h", "-r", "-a", "-t", "all", "-o", "%i|%T|%S|%N|%r"
    ).splitlines():
        full, state, began, host, reason = line.split("|", 4)
        job, _, index = full.partition("_")
        if job not in about:
            known = lsf / "jobs" / job
            about[job] = json.loads(known.read_text()) if known.exists() else {}
        spec = about[job]
        if spec and time.time() - spec["submitted"] >= site.lag_s:
            one = _job(lsf, job, index or "0", spec, state, reason, host, down)
            left = _time_left(began, spec["minutes"], site) if one.stat == "RUN" else ""
            found.append(one._replace(time_left=left))
    return sorted(found, key=lambda job: (int(job.id), int(job.element)))


def _job(
    lsf: Path, job: str, index: str, about: dict[str, Any], state: str, reason: str, host: str, down: set[str]
) -> Job:  # fmt: skip
    made = Job(job, index, about, "", host)
    end = _read(lsf / "ends" / f"{job}.{index}")
    kill = _read(lsf / "kills" / f"{job}.{index}")
    killed = kill.get("reason", "")
    if end:
        ok = end["status"] == 0 and not end["reason"]
        code = "" if ok else str(end["status"])
        return made._replace(
            stat="DONE" if ok else "EXIT", exit_code=code, exit_reason=end["reason"]
        )
    if kill.get("removed"):
        text = "TERM_REMOVE_HUNG_JOB: job removed from the LSF system"
        return made._replace(stat="EXIT", exit_reason=text)
    if state in _WAITING:
        return made._replace(
            stat="PSUSP" if about["held"] else "PEND", host="", pend_reason=_why(about, reason)
        )
    if state == "NODE_FAIL" or host in down:
        if host not in down:
            return made._replace(stat="EXIT", exit_code="1", exit_reason=killed or _LOST)
        return made._replace(stat="ZOMBI" if kill else "UNKWN")
    if state == "SUSPENDED":
        return made._replace(stat="SSUSP")
    if state in ("RUNNING", "COMPLETING"):
        return made._replace(stat="RUN")
    started = host not in ("", "(null)") and state != "CANCELLED"
    code = "137" if started else ""
    return made._replace(stat="EXIT", exit_code=code, exit_reason=killed or _LOST)


def _time_left(began: str, limit: int, site: Site) -> str:
    """`H:M L`; "" without a limit."""
    if not limit:
        return ""
    ran_s = time.time() - datetime.fromisoformat(began).timestamp()
    left = max(0, int(limit - ran_s / site.minute_s))
    return f"{left // 60}:{left % 60:02} L"


def _why(about: dict[str, Any], reason: str) -> str:
    if about["held"]:
        return "Job was suspended by the user while pending;"
    if about["pends"]:
        return "There are no suitable hosts for the job;"
    if reason in ("Resources", "Priority", "Licenses"):
        return "Job requirements for reserving resource not satisfied;"
    return "New job is waiting for scheduling;"


def select(jobs: Iterable[Job], ids: list[Id], wanted: Filter) -> tuple[list[Job], list[Id]]:
    """Those that are meant, and the ids that mean none."""
    passing = [job for job in jobs if wanted.passes(job)]
    if not ids:
        return passing, []
    found = [job for job in passing if any(one.matches(job) for one in ids)]
    return found, [one for one in ids if not any(one.matches(job) for job in passing)]


def _down_hosts() -> set[str]:
    lines = _slurm("sinfo", "-h", "-N", "-o", "%N %t").splitlines()
    return {line.split()[0] for line in lines if line.endswith("*") or " down" in line}


def _slurm(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        raise Refused(f"LSF is down. Please wait ...\n{done.stderr.strip()}")
    return done.stdout


def _read(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    return found
