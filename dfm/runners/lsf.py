"""The runner `lsf`: workers are jobs of IBM Spectrum LSF, submitted as arrays, looked at with one bjobs.

As of LSF 10.1: https://www.ibm.com/docs/en/spectrum-lsf/10.1.0 (bsub, bjobs, bkill). Sites wrap these
commands and print lines of their own, so answers are searched line by line for what LSF says.
"""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from dfm.config.fields import Field, Kind, Section, Value
from dfm.errors import RunnerError
from dfm.runners import submission
from dfm.runners.absences import Absences
from dfm.runners.base import JobEnd, JobId, JobState, JobStatus, WorkerRequest
from dfm.runners.batches import chunks, job_name, joined, shell_command
from dfm.runners.command import NoAnswer, Output, run, shown, unusable
from dfm.runners.settings import Settings

_SECTION = Section((
    Field("bsub_cmd", Kind.TEXT, "bsub", "command that submits; may be a site's wrapper, with arguments", 1),
    Field("bjobs_cmd", Kind.TEXT, "bjobs", "command that lists jobs", 1),
    Field("bkill_cmd", Kind.TEXT, "bkill", "command that ends jobs", 1),
    Field("queue", Kind.TEXT, "", 'queue (-q); "": the default of the site'),
    Field("project", Kind.TEXT, "", 'project (-P); "": the default of the site'),
    Field("resource_select", Kind.TEXTS, (), 'requirements on the host, joined with && into one -R "select[...]"'),
    Field("bsub_extra", Kind.TEXTS, (), "further arguments of bsub, passed on as they are"),
    Field("worker_dfm_path", Kind.TEXT, "dfm", 'the dfm to run on the node; "dfm": this very one, by its absolute path', 1),
))  # fmt: skip

_ANSWER = re.compile(r"Job <(\d+)> is submitted to (?:default )?queue <[^>]*>")
_LEFT = re.compile(r"(\d+):(\d+)(?: L)?")
_VERDICT = "Job not submitted"
_TRANSIENT = (
    "Please wait", "please wait", "not responding", "Communication", "communication", "non-LSF host",
    "Cannot connect", "LIM is down", "threshold reached", "query limit exceeded", "try later",
)  # fmt: skip
_NONE_FOUND = ("is not found", "No job found", "No unfinished job found")
_OVER = ("No matching job found", "Job has already finished", "is already")
_FIELDS = "jobid jobindex stat exit_code time_left exit_reason pend_reason delimiter='^'"
_NAMES = "jobid jobindex job_name delimiter='^'"
_CANCEL_AT_ONCE = 100
_RUN_LIMIT_STATUS = "140"  # of a program that SIGUSR2 ended

_STATES = {
    **dict.fromkeys(("PEND", "PSUSP", "WAIT", "PROV"), JobState.PENDING),
    "RUN": JobState.RUNNING,
    **dict.fromkeys(("SSUSP", "USUSP"), JobState.SUSPENDED),
    **dict.fromkeys(("DONE", "EXIT"), JobState.GONE),
    # UNKWN, ZOMBI: LSF has lost the host, where the job may still run
}
_ENDS = {
    "TERM_RUNLIMIT": JobEnd.WALLTIME,
    "TERM_DEADLINE": JobEnd.WALLTIME,
    "TERM_MEMLIMIT": JobEnd.MEMORY,
    "TERM_SWAP": JobEnd.MEMORY,
    "TERM_OWNER": JobEnd.CANCELLED,
    "TERM_FORCE_OWNER": JobEnd.CANCELLED,
    "TERM_ADMIN": JobEnd.CANCELLED,
    "TERM_FORCE_ADMIN": JobEnd.CANCELLED,
    "TERM_PREEMPT": JobEnd.PREEMPTED,
    "TERM_ZOMBIE": JobEnd.HOST,
    "TERM_REMOVE_HUNG_JOB": JobEnd.HOST,
}


class LsfRunner:
    """The jobs of one user on one LSF, with the settings of one section."""

    section: ClassVar[Section] = _SECTION
    look_s: ClassVar[float] = 10.0

    def __init__(self, settings: Mapping[str, Value]) -> None:
        self._settings = Settings(_SECTION, settings)
        self._absences = Absences()

    def unusable(self) -> str | None:
        return unusable(
            *(self._settings.text(f"{name}_cmd") for name in ("bsub", "bjobs", "bkill"))
        )

    async def submit(self, requests: Sequence[WorkerRequest]) -> Sequence[JobId]:
        return await submission.submit(self, requests)

    async def poll(self, jobs: Sequence[JobId]) -> Mapping[JobId, JobStatus]:
        if not jobs:
            return {}
        found = self.parse_poll(await run(self.poll_command(jobs)))
        return self._absences.judge(jobs, found, "bjobs", time.monotonic())

    async def find(self, daemon: str, workers: Sequence[str]) -> Mapping[str, JobId]:
        return await submission.find(self, daemon, workers)

    async def cancel(self, jobs: Sequence[JobId]) -> None:
        for chunk in chunks(jobs, _CANCEL_AT_ONCE):
            self.parse_cancel(await run(self.cancel_command(chunk)))

    # Submitting

    def submit_command(self, requests: Sequence[WorkerRequest]) -> list[str]:
        """For requests that differ in the worker's name alone."""
        first = requests[0]
        is_array = len(requests) > 1
        name = job_name(requests) + (f"[1-{len(requests)}]" if is_array else "")
        log = f"{first.log_folder}/%J{'[%I]' if is_array else ''}.log"
        words = [*self._settings.words("bsub_cmd"), "-J", name]
        queue, project = self._settings.text("queue"), self._settings.text("project")
        options = {
            "-q": first.queue or queue,
            "-P": first.project or project,
            "-n": str(first.cores),
            "-R": self._requirement(first),
            "-M": f"{first.memory_mib}MB" if first.memory_mib else "",
            "-W": _hours_minutes(first.walltime_s) if first.walltime_s else "",
            "-cwd": first.log_folder,
            "-oo": log,
        }
        for option, value in options.items():
            words += [option, value] if value else []
        words += ["-rn", *self._settings.texts("bsub_extra")]
        return [*words, shell_command(requests, self._settings.text("worker_dfm_path"))]

    def parse_submit(self, output: Output, size: int) -> list[JobId]:
        if output.status:
            raise _refused(output, size)
        answers = [
            match[1]
            for match in map(_ANSWER.match, _lines(output.out + "\n" + output.err))
            if match
        ]
        if not answers:
            what = f"{output.command[0]} named no job: {output.words()}"
            raise NoAnswer(what, hint=shown(output.command))
        if size == 1:
            return [JobId(answers[-1])]
        return [JobId(f"{answers[-1]}[{number}]") for number in range(1, size + 1)]

    def find_command(self, names: Sequence[str]) -> list[str]:
        """bjobs takes one name, which may be a pattern."""
        common = names[0] if len(names) == 1 else f"{names[0].rpartition('-')[0]}-*"
        return [*self._settings.words("bjobs_cmd"), "-noheader", "-J", common, "-o", _NAMES]

    def parse_find(self, output: Output) -> list[tuple[str, JobId]]:
        found = []
        for line in _lines(output.out):
            fields = line.split("^", 2)
            if len(fields) == 3 and fields[0].isdecimal():
                job, index, name = map(_present, fields)
                is_element = index not in ("", "0")
                full = JobId(f"{job}[{index}]" if is_element else job)
                found.append((int(job), int(index) if is_element else 0, name, full))
        if not found and not any(word in output.err for word in _NONE_FOUND):
            what = f"{output.command[0]}: {output.words()}"
            raise RunnerError.later(what, hint=shown(output.command))
        return [(name.partition("[")[0], full) for _, _, name, full in sorted(found)]

    # Looking

    def poll_command(self, jobs: Sequence[JobId]) -> list[str]:
        ids = dict.fromkeys(job.partition("[")[0] for job in jobs)
        return [*self._settings.words("bjobs_cmd"), "-noheader", "-a", "-o", _FIELDS, *ids]

    def parse_poll(self, output: Output) -> dict[JobId, JobStatus]:
        """Of the jobs that are listed, whatever the status: bjobs has 255 if one of many is not found.
        Raises RunnerError: no answer says nothing about any job."""
        found = {}
        for line in _lines(output.out):
            fields = line.split("^", 6)
            if len(fields) == 7 and fields[0].isdecimal():
                job, index, stat, code, left, reason, pending = map(_present, fields)
                full = f"{job}[{index}]" if index not in ("", "0") else job
                status = _status(stat, code, reason, pending)
                found[JobId(full)] = status._replace(left_s=_seconds(left))
        if not found and not any(word in output.err for word in _NONE_FOUND):
            what = f"{output.command[0]}: {output.words()}"
            raise RunnerError.later(what, hint=shown(output.command))
        return found

    # Ending

    def cancel_command(self, jobs: Sequence[JobId]) -> list[str]:
        return [*self._settings.words("bkill_cmd"), *_compact(jobs)]

    def parse_cancel(self, output: Output) -> None:
        troubles = [line for line in _lines(output.err) if not any(word in line for word in _OVER)]
        if output.status and (troubles or not output.err.strip()):
            raise submission.refusal(output, "failed", _is_transient, shown(output.command))

    def _requirement(self, request: WorkerRequest) -> str:
        """On one host: the slots of a job may lie on several, and the worker runs on the first."""
        others = (f"hname!='{host}'" for host in request.avoid)
        select = list(
            dict.fromkeys(
                [*self._settings.texts("resource_select"), *request.resource_select, *others]
            )
        )
        parts = (
            f"select[{joined(select, ' && ')}]" if select else "",
            f"rusage[mem={request.memory_mib}MB]" if request.memory_mib else "",
            "span[hosts=1]",
        )
        return " ".join(part for part in parts if part)


def _refused(output: Output, size: int) -> RunnerError:
    wanted = "refused a worker" if size == 1 else "refused workers"
    if _VERDICT not in output.words() and (not output.err.strip() or _is_transient(output.err)):
        return NoAnswer(f"{output.command[0]}: {output.words()}", hint=shown(output.command))
    return submission.refusal(output, wanted, _is_transient, shown(output.command))


def _is_transient(words: str) -> bool:
    """By the verdict if there is one: bsub tells of its own attempts before."""
    verdicts = [line for line in words.splitlines() if _VERDICT in line]
    return any(word in (verdicts[-1] if verdicts else words) for word in _TRANSIENT)


def _status(stat: str, code: str, reason: str, pending: str) -> JobStatus:
    state = _STATES.get(stat, JobState.UNKNOWN)
    if state is JobState.PENDING:
        return JobStatus(state, ", ".join(filter(None, (f"LSF: {stat}", pending.rstrip("; ")))))
    if state is not JobState.GONE:
        return JobStatus(state, stat)
    end = _ENDS.get(reason.partition(":")[0].strip(), JobEnd.UNCLEAR)
    if end is JobEnd.UNCLEAR and code == _RUN_LIMIT_STATUS:
        end = JobEnd.WALLTIME
    words = f"{stat}, exit status {code}" if code else stat
    return JobStatus(state, f"{words}: {reason}" if reason else words, end)


def _compact(jobs: Sequence[JobId]) -> list[str]:
    """Elements of one array together: `12[1,2,7]`."""
    elements: dict[str, list[str]] = {}
    for job in jobs:
        array, _, rest = job.partition("[")
        elements.setdefault(array, []).extend([rest.rstrip("]")] if rest else [])
    return [f"{array}[{','.join(some)}]" if some else array for array, some in elements.items()]


def _seconds(left: str) -> float | None:
    """Of `H:M L`, the rest of the run limit; None for an estimate, which ends nothing."""
    match = _LEFT.fullmatch(left)
    return (int(match[1]) * 60 + int(match[2])) * 60.0 if match else None


def _hours_minutes(seconds: int) -> str:
    minutes = -(-seconds // 60)
    return f"{minutes // 60}:{minutes % 60:02}"


def _present(field: str) -> str:
    text = field.strip()
    return "" if text == "-" else text


def _lines(text: str) -> Iterator[str]:
    return (line.strip() for line in text.splitlines() if line.strip())
