"""Tasks that fork twice, call setsid and ignore SIGTERM: whoever ends them, nothing is left, and what
runs beside them goes on."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from dfm_worker import executor
from dfm_worker.executor import Executor
from dfm_worker.loop import Loop
from tests.dfm_worker.host import Host, Ticket, is_alive
from tests.faults.conftest import sized
from tests.integration.conftest import Project, until

CANCELLED = sized(10, 100)
AT_ONCE = 5

# Says the pids of three processes that do not want to end: its own, a child, and one of nobody.
HOSTILE = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
reader, writer = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.setsid()
        os.write(writer, b'%d\\n' % os.getpid())
        time.sleep(1000)
    os._exit(0)
os.wait()
child = os.fork()
if child == 0:
    time.sleep(1000)
others = os.read(reader, 100).decode()
with open({said!r}, 'w') as file:
    file.write(f'{{os.getpid()}} {{child}} {{others}}')
{then}
time.sleep(1000)
"""
STAYS = "time.sleep(1000)"
LEAVES = "os._exit(0)"  # what it has started stays


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    monkeypatch.setattr(executor, "GRACE_S", 0.05)
    loop = Loop()
    ours = Executor(loop)
    made = Host(loop, ours, tmp_path)
    yield made
    made.close()
    ours.close()


class Neighbours:
    """Tasks of several kinds that run all the time, each with a child in a session of its own."""

    def __init__(self, host: Host) -> None:
        said = host.signal("neighbours")
        shell = f"setsid sleep 1000 &\necho $! > {said}\nsleep 1000"
        python = (
            "import os, subprocess\n"
            "pid = subprocess.Popen(['sleep', '1000'], start_new_session=True).pid\n"
            f"open('{said}', 'w').write(f'{{pid}}\\n')\n"
            "import time; time.sleep(1000)\n"
        )
        host.warm_up()
        self._host = host
        self._tickets: list[Ticket] = []
        self._children: list[int] = []
        for name, language, script in (("shell", "bash", shell), ("python", "python", python)):
            spec = host.spec(script, f"demo.{name}", language=language)
            self._tickets.append(host.start(spec))
            self._children.append(int(host.wait_for(said)))

    def check(self) -> None:
        """They go on as if nothing had happened, and so does the warm process."""
        assert all(ticket.result is None for ticket in self._tickets)
        assert all(map(is_alive, self._children))
        assert all(map(is_alive, self._host.executor.kept()))


class Batch:
    """Some hostile tasks, all of which have started what they start."""

    def __init__(self, host: Host, language: str, then: str, **fields: object) -> None:
        self.host = host
        self.tickets: list[Ticket] = []
        self.pids: list[int] = []
        for number in range(AT_ONCE):
            said = host.folder / f"said-{number}"
            said.unlink(missing_ok=True)
            text = HOSTILE.format(said=str(said), then=then)
            script = (
                text
                if language == "python"
                else f"trap '' TERM\npython3 -S - <<'END'\n{text}\nEND\n"
            )
            spec = host.spec(script, f"demo.hostile{number}", language=language, **fields)
            self.tickets.append(host.start(spec))
        for number in range(AT_ONCE):
            self.pids += self._said(host.folder / f"said-{number}")

    def _said(self, file: Path) -> list[int]:
        def pids() -> list[int]:
            return list(map(int, file.read_text().split())) if file.exists() else []

        while len(pids()) < 3:
            self.host.loop.call_later(0.005, self.host.loop.stop)
            self.host.loop.run()
        return pids()

    def end(self) -> list[int]:
        """The statuses, once all have ended; of what they started nothing may live by then."""
        statuses = [self.host.result(ticket).status for ticket in self.tickets]
        assert not [pid for pid in self.pids if is_alive(pid)]
        return statuses


@pytest.mark.timeout(600)
@pytest.mark.parametrize("language", ["bash", "python"])
def test_of_those_that_are_cancelled_nothing_is_left(host: Host, language: str) -> None:
    neighbours = Neighbours(host)
    for _ in range(CANCELLED // AT_ONCE):
        batch = Batch(host, language, STAYS)
        assert all(map(is_alive, batch.pids))
        for ticket in batch.tickets:
            host.executor.end(ticket.running, 0.05)
        assert set(batch.end()) <= {-9, 128 + 9}, "or bash hears of its child first"
        neighbours.check()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("language", ["bash", "python"])
def test_of_those_over_their_walltime_nothing_is_left(host: Host, language: str) -> None:
    neighbours = Neighbours(host)
    for _ in range(CANCELLED // AT_ONCE // 2):
        batch = Batch(host, language, STAYS, walltime_s=2)
        assert set(batch.end()) <= {-9, 128 + 9}, "or bash hears of its child first"
        neighbours.check()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("language", ["bash", "python"])
def test_of_those_that_leave_others_behind_nothing_is_left(host: Host, language: str) -> None:
    neighbours = Neighbours(host)
    for _ in range(CANCELLED // AT_ONCE):
        batch = Batch(host, language, LEAVES)
        batch.end()
        for ticket in batch.tickets:
            assert ticket.result is not None
            assert "that the task left running" in ticket.result.warnings[0]
        neighbours.check()


FLOW = """
  with:
    n: {{type: list, value: {numbers}}}
  tasks:
  - name: hostile
    strategy: {{matrix: {{i: "${{{{ n }}}}"}}}}
    body:
    - name: shell
      run: |
        python3 -S {folder}/hostile.py {folder}/said.s${{{{ matrix.i }}}}
    - name: python
      shell: pytask
      run: |
        import os, sys, runpy
        sys.argv = ["hostile", "{folder}/said.p${{{{ matrix.i }}}}"]
        runpy.run_path("{folder}/hostile.py")
  - root: all
    needs: [hostile]
"""


@pytest.mark.timeout(900)
@pytest.mark.parametrize("runner", ["local", "daemon"])
def test_of_a_run_that_is_interrupted_nothing_is_left(project: Project, runner: str) -> None:
    """Ten at once; the fixture looks for what is left of them."""
    text = HOSTILE.replace("{said!r}", "sys.argv[1]").replace("import os,", "import sys, os,")
    project.write("hostile.py", text.format(then=STAYS))
    project.flow(FLOW.format(numbers=list(range(5)), folder=project.folder))
    if runner == "daemon":
        project.ok("daemon", "start", "--pool-size", "10")
    for _ in range(CANCELLED // 10):
        for old in project.folder.glob("said.*"):
            old.unlink()
        run = project.start("run", "-j", "10", "all")
        said = until(lambda: all_said(project), "all have started what they start")
        run.send_signal(signal.SIGINT)
        done = project.end(run)
        assert done.status == 130, done
        assert not [pid for pid in said if is_alive(pid)], done
    if runner == "daemon":
        project.ok("daemon", "stop")


def all_said(project: Project) -> list[int]:
    files = list(project.folder.glob("said.*"))
    pids = [int(word) for file in files for word in file.read_text().split()]
    return pids if len(pids) == 30 else []
