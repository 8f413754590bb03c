"""Why a job ended by what its scheduler wrote into the job's own log.

Of a Slurm without cgroups only the log tells that a job was killed for its memory; and it stays when
the scheduler has forgotten the job.
"""

from dfm.runners.base import JobEnd

# The first that is found counts: each of Slurm's ends is also called a cancellation.
_WORDS = (
    ("exceeded memory limit", JobEnd.MEMORY),
    ("Exceeded job memory limit", JobEnd.MEMORY),
    ("oom-kill event", JobEnd.MEMORY),
    ("oom_kill event", JobEnd.MEMORY),
    ("DUE TO TIME LIMIT", JobEnd.WALLTIME),
    ("DUE TO PREEMPTION", JobEnd.PREEMPTED),
    ("DUE TO NODE FAILURE", JobEnd.HOST),
    ("TERM_MEMLIMIT", JobEnd.MEMORY),
    ("TERM_RUNLIMIT", JobEnd.WALLTIME),
    ("TERM_PREEMPT", JobEnd.PREEMPTED),
    ("TERM_OWNER", JobEnd.CANCELLED),
    ("TERM_ADMIN", JobEnd.CANCELLED),
)
# Tasks have logs of their own, but a worker's fault may quote anything: only whole lines of a scheduler.
_SPEAKERS = ("slurmstepd", "TERM_")


def end_by_log(text: str) -> JobEnd:
    """UNCLEAR if the scheduler wrote nothing."""
    lines = [line for line in text.splitlines() if line.startswith(_SPEAKERS)]
    for words, end in _WORDS:
        if any(words in line for line in lines):
            return end
    return JobEnd.CANCELLED if any("CANCELLED AT" in line for line in lines) else JobEnd.UNCLEAR
