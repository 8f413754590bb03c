"""A jobserver of our own, for the makes of tasks. That of a make around dfm is in
test_jobserver_of_parent.py."""

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dfm_worker import jobserver, processes
from dfm_worker.jobserver import Jobserver, make_version, with_jobserver
from tests.dfm_worker import make
from tests.dfm_worker.host import is_alive, wait_until

SAYS = {"pipe": "echo GNU Make 4.3", "fifo": "echo GNU Make 4.4.1"}
CLIENTS: dict[str, Callable[[Path, list[str], str], list[str]]] = {
    "pipe": make.pipe_client,
    "fifo": make.fifo_client,
}
styles = pytest.mark.parametrize("style", SAYS)
Create = Callable[[str, int], Jobserver]


@pytest.fixture
def create(tmp_path: Path) -> Iterator[Create]:
    """Jobservers of a style, for a number of jobs; no descriptor of theirs is left in the end."""
    before = set(os.listdir("/proc/self/fd"))
    made: list[Jobserver] = []

    def create_one(style: str, slots: int) -> Jobserver:
        found = jobserver.create(
            slots, make.versioned_make(tmp_path / f"bin{len(made)}", SAYS[style])
        )
        made.append(found)
        return found

    yield create_one
    for one in made:
        one.close()
    assert set(os.listdir("/proc/self/fd")) <= before


def acquire_all(server: Jobserver) -> list[bytes]:
    tokens = []
    while token := server.acquire():
        tokens.append(token)
    return tokens


# Tokens


@styles
def test_there_is_a_token_less_than_jobs_for_each_has_an_implicit_one(
    create: Create, style: str
) -> None:
    assert len(acquire_all(create(style, 4))) == 3
    assert acquire_all(create(style, 1)) == []


@styles
def test_a_token_that_is_released_can_be_acquired_again(create: Create, style: str) -> None:
    server = create(style, 3)
    tokens = acquire_all(server)
    assert server.acquire() is None
    server.release(tokens.pop())
    assert len(acquire_all(server)) == 1


@styles
def test_more_jobs_than_a_pipe_holds_tokens_do_not_block(create: Create, style: str) -> None:
    assert len(acquire_all(create(style, 10**6))) >= 4096


@styles
def test_the_tokens_of_processes_that_were_killed_come_back(create: Create, style: str) -> None:
    server = create(style, 4)
    acquire_all(server)
    server.refill()
    assert make.tokens_in(server) == 3
    server.refill()
    assert make.tokens_in(server) == 3


def test_a_pipe_is_left_blocking_for_makes(create: Create) -> None:
    server = create("pipe", 2)
    match = re.search(r"--jobserver-auth=(\d+),(\d+)$", server.makeflags)
    assert match is not None
    for fd in map(int, match.groups()):
        assert os.get_blocking(fd)
        assert os.get_inheritable(fd)
    assert not os.get_blocking(server.fd)
    assert not os.get_inheritable(server.fd)


def test_a_fifo_is_for_its_owner_and_goes_with_its_server(create: Create) -> None:
    server = create("fifo", 2)
    fifo = Path(server.makeflags.partition("fifo:")[2])
    assert fifo.is_fifo()
    assert (fifo.stat().st_mode & 0o777, fifo.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    other = jobserver.create(2, {"PATH": "/nowhere"})
    folder = Path(other.makeflags.partition("fifo:")[2]).parent
    assert folder.is_dir()
    other.close()
    assert not folder.exists()


# Makes as clients


@styles
def test_a_make_runs_as_many_recipes_at_once_as_there_are_jobs(
    create: Create, style: str, tmp_path: Path
) -> None:
    server = create(style, 3)
    log = tmp_path / "log"
    names = [f"t{number}" for number in range(8)]
    client = CLIENTS[style](tmp_path, names, make.meeting(log, 3))
    said = make.output(make.start(client, server))
    assert "disabling jobserver" not in said
    assert "unavailable" not in said
    assert log.read_text().count("+") == 8
    assert make.peak(log) == 3
    assert make.tokens_in(server) == 2


@styles
def test_makes_share_the_jobs(create: Create, style: str, tmp_path: Path) -> None:
    server = create(style, 4)
    log = tmp_path / "log"
    token = server.acquire()  # of the second make, as the first has the implicit one
    assert token is not None
    started = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        names = [f"t{number}" for number in range(6)]
        client = CLIENTS[style](folder, names, make.meeting(log, 4))
        started.append(make.start(client, server))
    for process in started:
        make.output(process)
    assert log.read_text().count("+") == 12
    assert make.peak(log) == 4
    assert make.tokens_in(server) == 2
    server.release(token)
    assert make.tokens_in(server) == 3


@styles
def test_a_make_that_is_killed_keeps_its_tokens_until_the_refill(
    create: Create, style: str, tmp_path: Path
) -> None:
    server = create(style, 3)
    log = tmp_path / "log"
    log.touch()
    client = CLIENTS[style](tmp_path, ["a", "b"], f"echo + >> {log}; exec sleep 100")
    process = subprocess.Popen(
        client, env=make.environment(MAKEFLAGS=server.makeflags), close_fds=False,
        start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_until(lambda: log.read_text().count("+") == 2)
    finally:
        kill_with_children(process)
    assert make.tokens_in(server) == 1
    server.refill()
    assert make.tokens_in(server) == 2


def kill_with_children(process: subprocess.Popen[bytes]) -> None:
    """The children may come to this process when it is a subreaper."""
    pids = processes.tree([process.pid])
    process.kill()  # first: it would give back the tokens of children that it sees end
    processes.send(pids, signal.SIGKILL)
    process.wait()
    wait_until(lambda: not any(map(is_alive, pids)))
    for pid in pids:
        processes.reap(pid)


# MAKEFLAGS


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", " -j2 --jobserver-auth=x"),
        ("k", "k -j2 --jobserver-auth=x"),
        ("-k", "-k -j2 --jobserver-auth=x"),
        ("-j4", " -j2 --jobserver-auth=x"),
        ("-j", " -j2 --jobserver-auth=x"),
        ("-j 4 -k", " -k -j2 --jobserver-auth=x"),
        ("-j -k", " -k -j2 --jobserver-auth=x"),
        ("--jobs=4 -k", " -k -j2 --jobserver-auth=x"),
        ("--jobs 4", " -j2 --jobserver-auth=x"),
        ("--jobs", " -j2 --jobserver-auth=x"),
        ("w -j9 --jobserver-auth=3,4", "w -j2 --jobserver-auth=x"),
        ("w --jobserver-fds=3,4 -j", "w -j2 --jobserver-auth=x"),
        (" -j9 --jobserver-auth=fifo:/tmp/y -k", " -k -j2 --jobserver-auth=x"),
        (" --jobserver-style=pipe", " --jobserver-style=pipe -j2 --jobserver-auth=x"),
        (" -- A=1", " -j2 --jobserver-auth=x -- A=1"),
        (" -j9 -- A=-j9 B=a\\ -j8", " -j2 --jobserver-auth=x -- A=-j9 B=a\\ -j8"),
    ],
)  # fmt: skip
def test_only_what_names_a_jobserver_is_replaced(before: str, after: str) -> None:
    assert with_jobserver(before, 2, "x") == after


@pytest.mark.parametrize("outer", ["", "-k", "-j9", "-j 9 -k", "--jobs=9 A=1"])
def test_a_make_understands_the_flags_that_it_gets(outer: str, tmp_path: Path) -> None:
    """What the user has exported, or a make around dfm has set."""
    server = jobserver.create(3, make.environment(MAKEFLAGS=outer))
    try:
        client = make.pipe_client(tmp_path, ["t"], "echo [$MAKEFLAGS] [$A]")
        said = make.output(make.start(client, server))
    finally:
        server.close()
    match = re.fullmatch(r"\[(k?) ?-j3 --jobserver-auth=(\S+)( -- A=1)?\] \[(1?)\]\n", said)
    assert match is not None, said
    assert bool(match[1]) is ("-k" in outer)
    assert bool(match[4]) is ("A=1" in outer)


# Which make there is


@pytest.mark.parametrize(
    ("says", "version"),
    [
        ("echo GNU Make 3.82", (3, 82)),
        ("echo GNU Make 4.3; echo Built for x86_64-pc-linux-gnu", (4, 3)),
        ("echo GNU Make 4.4.1", (4, 4)),
        ("echo GNU Make 4.10", (4, 10)),
        ("echo bmake", None),
        ("exit 1", None),
    ],
)
def test_the_version_is_what_make_says(
    tmp_path: Path, says: str, version: tuple[int, int] | None
) -> None:
    assert make_version(make.versioned_make(tmp_path / "bin", says)) == version


def test_no_make_and_one_that_cannot_be_started_have_no_version(tmp_path: Path) -> None:
    assert make_version({"PATH": str(tmp_path)}) is None
    environment = make.versioned_make(tmp_path / "bin", "true")
    (tmp_path / "bin" / "make").write_text("#!/nowhere/at/all\n")
    assert make_version(environment) is None


@pytest.mark.parametrize(
    ("says", "is_fifo"),
    [("echo GNU Make 4.3", False), ("echo GNU Make 4.4", True), ("echo GNU Make 5.0", True), ("exit 1", True)],
)  # fmt: skip
def test_a_fifo_is_for_whoever_understands_it(tmp_path: Path, says: str, is_fifo: bool) -> None:
    server = jobserver.create(2, make.versioned_make(tmp_path / "bin", says))
    assert ("fifo:" in server.makeflags) is is_fifo
    server.close()
