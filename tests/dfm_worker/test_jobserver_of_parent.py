"""The jobserver of a make around dfm: dfm draws its tokens from it and gives every one back."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dfm.runners.local import LocalDispatcher
from dfm.wire.task import Requirements, TaskResult, WorkerShape
from dfm_worker import jobserver
from dfm_worker.jobserver import Jobserver, JobserverUnusable, of_parent
from tests.dfm_worker import make
from tests.dfm_worker.host import Host

NEEDS = Requirements(WorkerShape("", 1, 0), 0, 0)  # this runner takes cores from the spec
# What stands for dfm in a recipe: takes every token that there is, says how many, gives them back.
TAKES_ALL = """
import os
from dfm_worker.jobserver import of_parent

server = of_parent(os.environ["MAKEFLAGS"])
assert server is not None and server.is_parents
tokens = []
while token := server.acquire():
    tokens.append(token)
print(len(tokens), "tokens")
for token in tokens:
    server.release(token)
server.close()
"""

SAYS_WHY_NOT = """
import os
from dfm_worker.jobserver import JobserverUnusable, of_parent

try:
    print("usable:", of_parent(os.environ["MAKEFLAGS"]))
except JobserverUnusable as error:
    print("unusable:", error)
"""


@pytest.fixture
def parent() -> Iterator[Jobserver]:
    """As make has one, for three jobs."""
    server = jobserver.create(3, {"PATH": "/nowhere"})
    yield server
    server.close()


def from_fds(reader: int, writer: int) -> str:
    return f" -j3 --jobserver-auth={reader},{writer}"


def run_make(folder: Path, recipe: str, jobs: str, goals: str = "all") -> str:
    (folder / "program.py").write_text(TAKES_ALL)
    (folder / "Makefile").write_text(f"all:\n\t{recipe}\n")
    done = subprocess.run(
        [make.make(), "-f", folder / "Makefile", jobs, goals], env=make.environment(),
        capture_output=True, text=True, check=False, timeout=make.DEADLINE_S,
    )  # fmt: skip
    assert done.returncode == 0, done
    return done.stdout + done.stderr


@pytest.mark.parametrize(("jobs", "tokens"), [("-j2", 1), ("-j5", 4)])
def test_below_a_make_its_tokens_are_drawn_and_given_back(
    tmp_path: Path, jobs: str, tokens: int
) -> None:
    recipe = f"@+{sys.executable} {tmp_path}/program.py"
    assert run_make(tmp_path, recipe, jobs) == f"{tokens} tokens\n", "make counts them at its end"


def test_below_a_make_without_a_plus_the_jobserver_is_said_to_be_closed(tmp_path: Path) -> None:
    (tmp_path / "caught.py").write_text(SAYS_WHY_NOT)
    said = run_make(tmp_path, f"@{sys.executable} {tmp_path}/caught.py", "-j3")
    if make.version() < (4, 4):
        assert said.startswith("unusable: make")


@pytest.mark.parametrize("makeflags", ["", "k", " -j4", "-- A=1", " -- A=--jobserver-auth=3,4"])
def test_without_a_jobserver_there_is_none(makeflags: str) -> None:
    assert of_parent(makeflags) is None


def test_of_several_the_last_counts(parent: Jobserver) -> None:
    server = of_parent("-j3 --jobserver-auth=900,901 --jobserver-fds=902,903" + parent.makeflags)
    assert server is not None
    assert server.acquire() is not None
    server.close()


@pytest.mark.parametrize(
    "where",
    [
        "-2,-2",  # what make writes for a recipe that is no make's
        "3",
        "3,",
        "a,b",
        "3,4,5",
        "fifo:",
        "fifo:/nowhere/at/all",
        "fifo:/etc/passwd",
        "fifo:/etc",
        "fifo:/dev/null",
        "900,901",
        "99999999999999999999999,1",
        "sem:name",
        "\u0664,\u0665",
    ],
)
def test_a_jobserver_that_cannot_be_used_is_named(where: str) -> None:
    before = set(os.listdir("/proc/self/fd"))
    with pytest.raises(JobserverUnusable) as caught:
        of_parent(f"k -j3 --jobserver-auth={where}")
    assert f"({where})" in str(caught.value)
    assert set(os.listdir("/proc/self/fd")) <= before


def test_descriptors_that_are_something_else_by_now_are_no_jobserver(tmp_path: Path) -> None:
    closed = pytest.raises(JobserverUnusable, match="put a `\\+` before the recipe's line")
    with open(tmp_path / "file", "w+") as file, closed:
        of_parent(from_fds(file.fileno(), file.fileno()))


def test_the_pipe_of_a_parent_stays_as_it_was() -> None:
    reader, writer = os.pipe()
    os.write(writer, b"ab")
    server = of_parent(from_fds(reader, writer))
    assert server is not None
    assert os.get_blocking(reader)
    assert os.get_blocking(writer)
    tokens = [server.acquire(), server.acquire()]
    assert tokens == [b"a", b"b"], "make looks at which byte comes back"
    assert server.acquire() is None, "it does not wait"
    for token in tokens:
        server.release(token or b"")
    server.refill()
    server.close()
    assert os.read(reader, 10) == b"ab"
    os.close(reader)
    os.close(writer)


# A run with the tokens of a parent


class Listener:
    """What a run hears."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.results: dict[int, TaskResult] = {}
        self.withdrawn_numbers: list[int] = []

    def started(self, number: int, where: str) -> None:
        pass

    def finished(self, number: int, result: TaskResult) -> None:
        self.results[number] = result
        self.host.loop.stop()

    def withdrawn(self, numbers: object) -> None:
        pass


def dispatcher(host: Host, parent: Jobserver, jobs: int) -> tuple[LocalDispatcher, Listener]:
    listener = Listener(host)
    server = of_parent(parent.makeflags)
    assert server is not None
    return LocalDispatcher(host.loop, listener, server, host.environment, jobs), listener


def test_tasks_hold_tokens_of_the_parent_while_they_run(host: Host, parent: Jobserver) -> None:
    here, listener = dispatcher(host, parent, jobs=9)
    log = host.folder / "log"
    for number in range(6):
        here.submit(number, host.spec(make.meeting(log, 3), name=f"t{number}"), b"[]", NEEDS, 0.0)
    host.serve_until(lambda: len(listener.results) == 6)
    here.close()
    assert make.peak(log) == 3
    assert make.tokens_in(parent) == 2


@pytest.mark.parametrize("grace_s", [0.0, 5.0])
def test_tokens_of_tasks_that_are_killed_go_back_to_the_parent(
    host: Host, parent: Jobserver, grace_s: float
) -> None:
    here, listener = dispatcher(host, parent, jobs=9)
    for number in range(3):
        here.submit(number, host.spec("sleep 100", name=f"t{number}"), b"[]", NEEDS, 0.0)
    assert make.tokens_in(parent) == 0
    here.cancel(grace_s)
    host.serve_until(lambda: len(listener.results) == 3)
    assert make.tokens_in(parent) == 2
    assert {result.ended_by for result in listener.results.values()} == {"cancel"}
    here.close()


def test_tokens_of_tasks_that_fail_or_cannot_start_go_back_too(
    host: Host, parent: Jobserver
) -> None:
    here, listener = dispatcher(host, parent, jobs=9)
    for number, script in enumerate(["exit 1", "kill -9 $$", "no-such-program"]):
        here.submit(number, host.spec(script, name=f"t{number}", cores=1), b"[]", NEEDS, 0.0)
    here.submit(3, host.spec("true", rundir="/dev/null/x", cores=3), b"[]", NEEDS, 0.0)
    host.serve_until(lambda: len(listener.results) == 4)
    assert {number: result.status for number, result in listener.results.items()} == {
        0: 1, 1: -9, 2: 127, 3: 1,
    }  # fmt: skip
    assert make.tokens_in(parent) == 2
    here.close()


def test_a_task_waits_for_the_parent_to_have_a_token(host: Host, parent: Jobserver) -> None:
    taken = [parent.acquire(), parent.acquire()]
    here, listener = dispatcher(host, parent, jobs=9)
    go_on = host.signal()
    here.submit(0, host.spec(f"read < {go_on}", name="t0"), b"[]", NEEDS, 0.0)
    here.submit(1, host.spec("true", name="t1"), b"[]", NEEDS, 0.0)
    host.loop.call_later(0, parent.release, taken[0])
    host.serve_until(lambda: 1 in listener.results)
    assert 0 not in listener.results
    go_on.say()
    host.serve_until(lambda: 0 in listener.results)
    here.close()
    parent.release(taken[1] or b"")
    assert make.tokens_in(parent) == 2
