"""Jobs that a scheduler does not list: just submitted, or vanished.

Lists lag behind: a job may be missing for seconds after its submission. One that is missing for long
is over, whatever became of it.
"""

from collections.abc import Collection, Mapping

from dfm.runners.base import JobId, JobState, JobStatus

VANISHED_S = 60.0


class Absences:
    """Since when each job of one runner has been missing."""

    def __init__(self) -> None:
        self._since: dict[JobId, float] = {}

    def judge(
        self,
        asked: Collection[JobId],
        found: Mapping[JobId, JobStatus],
        command: str,
        now: float,
    ) -> dict[JobId, JobStatus]:
        """A status of each that was asked for; `found` is a complete answer, `now` monotonic."""
        judged = {}
        for job in asked:
            if job in found:
                self._since.pop(job, None)
                judged[job] = found[job]
                continue
            missing_s = now - self._since.setdefault(job, now)
            if missing_s < VANISHED_S:
                judged[job] = JobStatus(JobState.UNKNOWN, f"{command} does not list it")
            else:
                del self._since[job]
                reason = f"{command} has not listed it for {missing_s:.0f} s"
                judged[job] = JobStatus(JobState.GONE, reason)
        return judged
