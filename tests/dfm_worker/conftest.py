from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from dfm_worker.executor import Executor
from dfm_worker.loop import Loop
from dfm_worker.processes import Children
from tests.dfm_worker.host import Host


class Served(NamedTuple):
    """As a worker has them: one of each for all tasks."""

    loop: Loop
    executor: Executor
    children: Children


@pytest.fixture(scope="session")
def served() -> Served:
    loop = Loop()
    return Served(loop, Executor(loop), Children())


@pytest.fixture
def host(served: Served, tmp_path: Path) -> Iterator[Host]:
    """After the test nothing of its tasks may be left, and this process is where it was."""
    children, folder = served.children.pids(), Path.cwd()
    made = Host(served.loop, served.executor, tmp_path)
    yield made
    made.close()
    assert served.children.pids() == children
    assert Path.cwd() == folder
