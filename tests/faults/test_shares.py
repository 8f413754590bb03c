"""What runs share while they are at it together: the workers of a pool, and the tokens of limits."""

import time

import psutil
import pytest

from tests.faults.conftest import sized
from tests.integration.conftest import Project, until

MANY = sized(400, 5000)
OF_EACH = sized(30, 334)
FEW = 50

# A token is a lock on a file: it goes with its holder. Who finds none free has one too many.
LICENSED = """
  tasks:
  - name: sims
    strategy: {matrix: {i: [%s]}}
    body:
    - name: s
      tags: [{std.ResourceTag: {limits: {lic: 1}}}]
      run: |
        for token in 0 1 2; do
          exec 9> %s/token.$token
          if flock -n 9; then sleep 0.03; exit 0; fi
        done
        echo "$DFM_TASK_NAME" >> %s/violations
        exit 1
  - {root: all, needs: [sims], run: 'true'}
"""


@pytest.mark.timeout(600)
def test_a_run_that_comes_later_with_few_tasks_has_its_half_of_the_workers_at_once(
    daemon: Project,
) -> None:
    numbers = ", ".join(map(str, range(MANY)))
    few = ", ".join(map(str, range(FEW)))
    for who, axis in (("a", numbers), ("b", few)):
        daemon.write(
            f"{who}.yaml",
            "package:\n  name: p\n  tasks:\n  - name: sims\n"
            f"    strategy: {{matrix: {{i: [{axis}]}}}}\n    body:\n    - name: s\n"
            f"      run: echo {who} >> {daemon.folder}/order; sleep 0.02\n"
            "  - {root: all, needs: [sims], run: 'true'}\n",
        )
        (daemon.folder / who).mkdir()
    daemon.flow("  tasks: []\n")
    daemon.ok("daemon", "start", "--pool-size", "4")
    first = daemon.start("run", "all", "--root", "../a.yaml", cwd=daemon.folder / "a")
    order = daemon.folder / "order"
    until(lambda: order.exists() and order.read_text().count("a") > 40)
    second = daemon.start("run", "all", "--root", "../b.yaml", cwd=daemon.folder / "b")
    assert daemon.end(second).status == 0
    said = order.read_text().split()
    place = [n for n, who in enumerate(said) if who == "b"]
    others = said[place[0] : place[-1]].count("a")
    assert 0.7 * FEW <= others <= 1.4 * FEW + 8, "beside each of its tasks one of the other run"
    assert daemon.end(first).status == 0


@pytest.mark.timeout(900)
def test_no_more_tokens_are_in_use_than_there_are_whoever_wants_and_loses_them(
    daemon: Project,
) -> None:
    numbers = ", ".join(map(str, range(OF_EACH)))
    daemon.flow(LICENSED % (numbers, daemon.folder, daemon.folder))
    daemon.write(".dfm/config.yaml", "runner:\n  limits: {lic: 3}\n  retry: {infra: 100}\n")
    daemon.ok("daemon", "start", "--pool-size", "6")
    runs = []
    for who in "abc":
        (daemon.folder / who).mkdir()
        runs.append(daemon.start("run", "all", "-k", cwd=daemon.folder / who))
    kills = 0
    while any(run.poll() is None for run in runs):
        status = daemon.status()
        used = status["limits"]["lic"]["used"]
        assert used <= 3
        busy = [worker for worker in status["workers"] if worker["state"] == "busy"]
        if busy and kills < 10 and used == 3:
            kills += 1
            psutil.Process(busy[0]["pid"]).kill()
        time.sleep(0.1)  # between looks from outside, for as long as the runs take
    ends = [daemon.end(run) for run in runs]
    assert [end.status for end in ends] == [0, 0, 0], ends
    assert not (daemon.folder / "violations").exists()
    assert kills
    assert daemon.status()["limits"] == {"lic": {"total": 3, "used": 0}}
