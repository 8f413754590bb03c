"""How many CPUs there are for us."""

import os
from pathlib import Path

import pytest

from dfm.runners import cpus


def test_affinity_limits_the_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    before = os.sched_getaffinity(0)
    monkeypatch.setattr(cpus, "_quota", lambda: None)
    assert cpus.usable_cpus() == len(before)
    os.sched_setaffinity(0, {min(before)})
    try:
        assert cpus.usable_cpus() == 1
    finally:
        os.sched_setaffinity(0, before)


@pytest.mark.parametrize(("quota", "expected"), [(0.5, 1), (1.0, 1), (1.5, 2), (1000.0, None)])
def test_a_quota_limits_them_too(
    monkeypatch: pytest.MonkeyPatch, quota: float, expected: int | None
) -> None:
    monkeypatch.setattr(cpus, "_quota", lambda: quota)
    here = len(os.sched_getaffinity(0))
    assert cpus.usable_cpus() == min(expected or here, here)


def test_the_tightest_quota_of_all_groups_around_counts(tmp_path: Path) -> None:
    for path, text in (("cpu.max", "max 100000"), ("a/cpu.max", "150000 100000"),
                       ("a/b/cpu.max", "800000 100000")):  # fmt: skip
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")
    assert cpus._quotas_v2(str(tmp_path), "/a/b/c") == [1.5, 8.0]
    for path, text in (("v1/cpu.cfs_quota_us", "-1"), ("v1/x/cpu.cfs_quota_us", "50000")):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.with_name("cpu.cfs_period_us").write_text("100000")
    assert cpus._quotas_v1(str(tmp_path / "v1"), "/x") == [0.5]


def test_what_tasks_are_told_comes_from_the_allocation_first() -> None:
    assert cpus.told_cores({}, 4) == 4
    assert cpus.told_cores({"NSLOTS": "3"}, 4) == 3
    assert cpus.told_cores({"NSLOTS": "3", "SLURM_CPUS_ON_NODE": "8"}, 4) == 8
    assert cpus.told_cores({"SLURM_CPUS_ON_NODE": "8", "SLURM_CPUS_PER_TASK": "2"}, 4) == 2
    assert cpus.told_cores({"LSB_DJOB_NUMPROC": "5", "SLURM_CPUS_PER_TASK": "2"}, 4) == 5
    assert cpus.told_cores({"DFM_CORES": "1", "LSB_DJOB_NUMPROC": "5"}, 4) == 1
    assert cpus.told_cores({"DFM_CORES": "x", "NSLOTS": "0"}, 4) == 4
