"""What schedulers write into the logs of jobs. Lines of Slurm 22.05.8; of LSF 10.1 by its documentation."""

import pytest

from dfm.runners.base import JobEnd
from dfm.runners.job_logs import end_by_log


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("slurmstepd-node1: error: StepId=3.batch exceeded memory limit (328327168 > 104857600), being killed\nslurmstepd-node1: error: *** JOB 3 ON node1 CANCELLED AT 2026-11-30T23:45:10 ***\n", JobEnd.MEMORY),
        ("slurmstepd: error: Detected 1 oom-kill event(s) in StepId=3.batch.\n", JobEnd.MEMORY),
        ("slurmstepd-n: error: *** JOB 3 ON n CANCELLED AT 2026-11-30T23:45:10 DUE TO TIME LIMIT ***\n", JobEnd.WALLTIME),
        ("slurmstepd-n: error: *** JOB 3 ON n CANCELLED AT 2026-11-30T23:45:10 ***\n", JobEnd.CANCELLED),
        ("TERM_RUNLIMIT: job killed after reaching LSF run time limit.\n", JobEnd.WALLTIME),
        ("TERM_MEMLIMIT: job killed after reaching LSF memory usage limit.\n", JobEnd.MEMORY),
        ("2026-11-30 dfm worker 7: ends: TERM_MEMLIMIT was in a file DUE TO TIME LIMIT\n", JobEnd.UNCLEAR),
        ("", JobEnd.UNCLEAR),
    ],
)  # fmt: skip
def test_the_schedulers_own_lines_tell_why_a_job_ended(text: str, end: JobEnd) -> None:
    assert end_by_log(text) is end
