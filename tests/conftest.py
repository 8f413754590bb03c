"""The real Slurm that tests of the mark `slurm` share, and what becomes of them where there is none."""

import os
import signal
from collections.abc import Iterator

import pytest

from tests.cluster.lsf.lsf import Lsf
from tests.cluster.slurm import Slurm, unavailable


def pytest_configure() -> None:
    # Of `make test &`, and all that they start would inherit it.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if os.environ.get("DFM_SOAK", "") in ("", "0"):
        long = [item for item in items if item.get_closest_marker("soak")]
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]
    reason = unavailable()
    if not reason or os.environ.get("DFM_REQUIRE_SLURM") == "1":
        return
    for item in items:
        if item.get_closest_marker("slurm"):
            item.add_marker(pytest.mark.skip(reason=f"no Slurm: {reason}"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", ())
    lines = {str(report.longrepr[2]) for report in skipped if "no Slurm" in str(report.longrepr)}
    for line in sorted(lines):
        terminalreporter.write_line(f"tests on a cluster were left out: {line}")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Slurm]:
    """A Slurm for the whole of the tests."""
    reason = unavailable()
    assert not reason, f"DFM_REQUIRE_SLURM is set: {reason}"
    with Slurm() as made:
        yield made


@pytest.fixture
def slurm(cluster: Slurm, monkeypatch: pytest.MonkeyPatch) -> Iterator[Slurm]:
    """The same, empty and whole before and after the test; the commands of Slurm find it."""
    for name, value in cluster.environment.items():
        monkeypatch.setenv(name, value)
    cluster.clear()
    yield cluster
    cluster.clear()


@pytest.fixture
def lsf(slurm: Slurm, monkeypatch: pytest.MonkeyPatch) -> Lsf:
    """An LSF on that Slurm, in which nothing is wrong yet."""
    made = Lsf(slurm)
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    return made
