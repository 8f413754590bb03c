"""What a result says of the time and the memory that a task took."""

import resource
import sys

import pytest

from tests.dfm_worker.host import Host

EATS = "bytearray(300_000_000); import time\nwhile time.process_time() < 0.3: pass\n"


@pytest.mark.parametrize(
    "script",
    [
        f'{sys.executable} -c "{EATS}"',
        f'{sys.executable} -c "{EATS}" & wait\ntrue',
        f'({sys.executable} -c "{EATS}"; true) | cat\n',
    ],
    ids=["its own process", "a child of it", "a child's child"],
)
def test_cpu_time_and_memory_are_those_of_the_whole_tree(host: Host, script: str) -> None:
    result = host.run(script)
    assert result.status == 0
    assert result.cpu_s >= 0.3
    assert 290_000 < result.max_rss_kib < 290_000 + own_peak_kib()


def test_a_python_task_tells_too(host: Host) -> None:
    host.warm_up()
    result = host.run(EATS, language="python")
    assert result.cpu_s >= 0.3
    assert 290_000 < result.max_rss_kib < 400_000 + own_peak_kib()
    assert host.run("pass\npass", language="python").max_rss_kib < 100_000 + own_peak_kib()


def test_what_a_task_took_is_known_when_it_was_killed(host: Host) -> None:
    result = host.run(f'exec {sys.executable} -c "{EATS}import os; os.kill(os.getpid(), 9)"')
    assert result.status == -9
    assert result.cpu_s >= 0.3
    assert result.max_rss_kib > 290_000


def test_a_task_that_does_nothing_took_no_more_than_the_executor(host: Host) -> None:
    result = host.run("true")
    assert result.cpu_s < 0.1
    assert 0 < result.max_rss_kib <= own_peak_kib()


def own_peak_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
