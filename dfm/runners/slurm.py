"""The runner `slurm`: workers are jobs of Slurm, submitted as arrays, looked at with one squeue.

Commands and answers as of Slurm 22.05 and later: https://slurm.schedmd.com/sbatch.html, squeue.html.
`squeue -o` is asked, whose columns are the same in every release; its JSON is not.
"""

import re
import time
from collections.abc import Iterable, Mapping, Sequence
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
    Field("sbatch_cmd", Kind.TEXT, "sbatch", "command that submits; may be a site's wrapper, with arguments", 1),
    Field("squeue_cmd", Kind.TEXT, "squeue", "command that lists jobs", 1),
    Field("scancel_cmd", Kind.TEXT, "scancel", "command that ends jobs", 1),
    Field("queue", Kind.TEXT, "", 'partition (--partition); "": the default of the cluster'),
    Field("project", Kind.TEXT, "", 'account (--account); "": the default of the user'),
    Field("resource_select", Kind.TEXTS, (), "features that hosts must have, joined with & into one --constraint"),
    Field("sbatch_extra", Kind.TEXTS, (), "further arguments of sbatch, passed on as they are"),
    Field("worker_dfm_path", Kind.TEXT, "dfm", 'the dfm to run on the node; "dfm": this very one, by its absolute path', 1),
))  # fmt: skip

_ANSWER = re.compile(r"(?:Submitted batch job )?(\d+)(?:;\S+| on cluster \S+)?")
_LEFT = re.compile(r"(?:(?:(\d+)-)?(\d+):)?(\d+):(\d+)")
_TRANSIENT = (
    "Unable to contact slurm controller", "Socket timed out", "Protocol authentication error",
    "temporarily unable", "Zero Bytes were transmitted", "Unexpected message received",
    "Connection refused", "Munge encode failed", "Unable to establish configuration source",
    "Could not establish a configuration source",
)  # fmt: skip
_IN_DOUBT = ("Socket timed out", "Zero Bytes were transmitted")  # it may have been taken
_FORGOTTEN = "Invalid job id specified"
_CANCEL_AT_ONCE = 200
_ASK_BY_ID = 500  # arrays; of more, all jobs of the user are listed

_STATES = {
    **dict.fromkeys(
        ("PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT"),
        JobState.PENDING,
    ),
    **dict.fromkeys(("RUNNING", "COMPLETING", "RESIZING", "SIGNALING", "STAGE_OUT"), JobState.RUNNING),
    **dict.fromkeys(("SUSPENDED", "STOPPED"), JobState.SUSPENDED),
}  # fmt: skip
_ENDS = {
    "COMPLETED": JobEnd.UNCLEAR,
    "FAILED": JobEnd.UNCLEAR,
    "REVOKED": JobEnd.UNCLEAR,
    "CANCELLED": JobEnd.CANCELLED,
    "TIMEOUT": JobEnd.WALLTIME,
    "DEADLINE": JobEnd.WALLTIME,
    "OUT_OF_MEMORY": JobEnd.MEMORY,
    "NODE_FAIL": JobEnd.HOST,
    "BOOT_FAIL": JobEnd.HOST,
    "PREEMPTED": JobEnd.PREEMPTED,
}


class SlurmRunner:
    """The jobs of one user on one Slurm, with the settings of one section."""

    section: ClassVar[Section] = _SECTION
    look_s: ClassVar[float] = 10.0

    def __init__(self, settings: Mapping[str, Value]) -> None:
        self._settings = Settings(_SECTION, settings)
        self._absences = Absences()

    def unusable(self) -> str | None:
        return unusable(
            *(self._settings.text(f"{name}_cmd") for name in ("sbatch", "squeue", "scancel"))
        )

    async def submit(self, requests: Sequence[WorkerRequest]) -> Sequence[JobId]:
        return await submission.submit(self, requests)

    async def poll(self, jobs: Sequence[JobId]) -> Mapping[JobId, JobStatus]:
        if not jobs:
            return {}
        found = self.parse_poll(await run(self.poll_command(jobs)))
        return self._absences.judge(jobs, found, "squeue", time.monotonic())

    async def find(self, daemon: str, workers: Sequence[str]) -> Mapping[str, JobId]:
        return await submission.find(self, daemon, workers)

    async def cancel(self, jobs: Sequence[JobId]) -> None:
        for chunk in chunks(jobs, _CANCEL_AT_ONCE):
            self.parse_cancel(await run(self.cancel_command(chunk)))

    # Submitting

    def submit_command(self, requests: Sequence[WorkerRequest]) -> list[str]:
        """For requests that differ in the worker's name alone."""
        first = requests[0]
        folder = first.log_folder.replace("%", "%%")
        is_array = len(requests) > 1
        words = [
            *self._settings.words("sbatch_cmd"), "--parsable", f"--job-name={job_name(requests)}",
            "--export=ALL", "--no-requeue", f"--chdir={first.log_folder}",
            f"--output={folder}/{'%A_%a' if is_array else '%j'}.log", "--open-mode=append",
            "--ntasks=1", f"--cpus-per-task={first.cores}",
        ]  # fmt: skip
        select = dict.fromkeys([*self._settings.texts("resource_select"), *first.resource_select])
        options = {
            "--array": f"1-{len(requests)}" if is_array else "",
            "--mem": f"{first.memory_mib}M" if first.memory_mib else "",
            "--time": str(-(-first.walltime_s // 60)) if first.walltime_s else "",
            "--partition": first.queue or self._settings.text("queue"),
            "--account": first.project or self._settings.text("project"),
            "--constraint": joined(list(select), "&") if select else "",
            "--exclude": ",".join(first.avoid),
            "--comment": first.about,
        }
        words += [f"{name}={value}" for name, value in options.items() if value]
        words += self._settings.texts("sbatch_extra")
        return [*words, "--wrap", shell_command(requests, self._settings.text("worker_dfm_path"))]

    def parse_submit(self, output: Output, size: int) -> list[JobId]:
        if output.status:
            raise _refused(output, size)
        # Filters and wrappers of a site print more, before and after, with numbers in it.
        answers = [match[1] for match in map(_ANSWER.fullmatch, _lines(output.out)) if match]
        if not answers:
            what = f"{output.command[0]} named no job: {output.words()}"
            raise NoAnswer(what, hint=shown(output.command))
        return _elements(answers[-1], size)

    def find_command(self, names: Sequence[str]) -> list[str]:
        words = self._settings.words("squeue_cmd")
        return [*words, "-h", "-r", "-a", "-n", ",".join(names), "-o", "%i|%j"]

    def parse_find(self, output: Output) -> list[tuple[str, JobId]]:
        if output.status:
            raise _unanswered(output)
        pairs = (line.partition("|") for line in _lines(output.out))
        found = [(name, JobId(job)) for job, bar, name in pairs if bar]
        return sorted(found, key=lambda pair: _order(pair[1]))

    # Looking

    def poll_command(self, jobs: Sequence[JobId]) -> list[str]:
        ids = dict.fromkeys(job.partition("_")[0] for job in jobs)
        which = ["--me"] if len(ids) > _ASK_BY_ID else ["-j", ",".join(ids)]
        return [
            *self._settings.words("squeue_cmd"),
            "-h",
            "-r",
            "-a",
            "-t",
            "all",
            "-o",
            "%i|%T|%L|%r",
            *which,
        ]

    def parse_poll(self, output: Output) -> dict[JobId, JobStatus]:
        """Of the jobs that are listed. Raises RunnerError: no answer says nothing about any job."""
        if output.status and _FORGOTTEN not in output.err:
            raise _unanswered(output)
        found = {}
        for line in _lines(output.out):
            fields = line.split("|", 3)
            if len(fields) == 4:
                job, state, left, reason = fields
                found[JobId(job)] = _status(state, reason, left)
        return found

    # Ending

    def cancel_command(self, jobs: Sequence[JobId]) -> list[str]:
        return [*self._settings.words("scancel_cmd"), *jobs]

    def parse_cancel(self, output: Output) -> None:
        over = (_FORGOTTEN, "already completing or completed")
        troubles = [line for line in _lines(output.err) if not any(word in line for word in over)]
        if output.status and (troubles or not output.err.strip()):
            raise submission.refusal(output, "failed", _is_transient, shown(output.command))


def _refused(output: Output, size: int) -> RunnerError:
    if any(word in output.err for word in _IN_DOUBT):
        return NoAnswer(f"{output.command[0]}: {output.words()}", hint=shown(output.command))
    wanted = "refused a worker" if size == 1 else "refused workers"
    return submission.refusal(output, wanted, _is_transient, shown(output.command))


def _unanswered(output: Output) -> RunnerError:
    return RunnerError.later(f"{output.command[0]}: {output.words()}", hint=shown(output.command))


def _is_transient(words: str) -> bool:
    """By what was said last: sbatch tells of its own attempts before."""
    verdicts = [line for line in words.splitlines() if "submission failed" in line]
    return any(word in (verdicts[-1] if verdicts else words) for word in _TRANSIENT)


def _status(state: str, reason: str, left: str) -> JobStatus:
    words = state if reason in ("", "None", "(null)") else f"{state}: {reason}"
    end = _ENDS.get(state)
    if end is not None:
        return JobStatus(JobState.GONE, words, end)
    known = _STATES.get(state, JobState.UNKNOWN)
    if known is JobState.PENDING:
        return JobStatus(known, f"Slurm: {words.replace(': ', ', ', 1)}")
    return JobStatus(known, words, left_s=_seconds(left))


def _seconds(left: str) -> float | None:
    """Of `[[D-]H:]M:S`; None for UNLIMITED and other words."""
    match = _LEFT.fullmatch(left)
    if match is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return float(((days * 24 + hours) * 60 + minutes) * 60 + seconds)


def _elements(job: str, size: int) -> list[JobId]:
    if size == 1:
        return [JobId(job)]
    return [JobId(f"{job}_{number}") for number in range(1, size + 1)]


def _order(job: JobId) -> list[int]:
    return [int(part) for part in job.split("_") if part.isdecimal()]


def _lines(text: str) -> Iterable[str]:
    return (line.strip() for line in text.splitlines() if line.strip())
