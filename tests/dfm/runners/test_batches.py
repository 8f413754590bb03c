"""Which requests become one job array."""

from dfm.runners.absences import VANISHED_S, Absences
from dfm.runners.base import JobId, JobState, JobStatus
from dfm.runners.batches import batches, job_name, joined
from tests.dfm.runners.requests import request, requests


def test_500_equal_workers_are_at_most_10_submissions() -> None:
    made = batches(requests(500))
    assert len(made) <= 10
    assert [one.worker for batch in made for one in batch] == [f"w{n}" for n in range(1, 501)]
    assert len({job_name(batch) for batch in made}) == len(made)


def test_requests_that_differ_are_apart() -> None:
    first, second, third = request("w1"), request("w2", cores=4), request("w3")
    assert batches([first, second, third]) == [[first, third], [second]]
    other = request("w4", command=["dfm", "--other", "w4"])
    assert batches([first, other]) == [[first], [other]]


def test_a_condition_with_an_or_is_in_parentheses_among_others() -> None:
    assert joined(["a || b"], " && ") == "a || b"
    assert joined(["a || b", "c"], " && ") == "(a || b) && c"


def test_a_job_that_is_missing_for_long_has_vanished() -> None:
    absences, job = Absences(), JobId("7")
    running = {job: JobStatus(JobState.RUNNING)}
    assert absences.judge([job], {}, "squeue", 0.0)[job].state is JobState.UNKNOWN
    assert absences.judge([job], running, "squeue", 30.0) == running
    assert absences.judge([job], {}, "squeue", 40.0)[job].state is JobState.UNKNOWN
    gone = absences.judge([job], {}, "squeue", 40.0 + VANISHED_S)[job]
    assert gone == JobStatus(JobState.GONE, "squeue has not listed it for 60 s")
