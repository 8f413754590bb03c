"""Fifty mistakes that people make: each is said with its file, line and key, and starts nothing."""

import os
import re

import pytest

from tests.integration.conftest import Project
from tests.integration.plugins import install_farm

# The file; the line of the mistake; what is said of it, with the key; the nearest known name, if any.
MISTAKES = [
    ("runer: {default: local}", 1, "runer", "runner"),
    ("runner:\n  defualt: local", 2, "runner.defualt", "runner.default"),
    ("runner:\n  typ: local", 2, "runner.typ", "runner.type"),
    ("runner:\n  pol:\n    max_workers: 3", 2, "runner.pol", "runner.pool"),
    ("runner:\n  pool:\n    max_worker: 3", 3, "runner.pool.max_worker", "runner.pool.max_workers"),
    ("runner:\n  pool:\n    min-workers: 3", 3, "runner.pool.min-workers", "runner.pool.min_workers"),
    ("runner:\n  pool:\n    idletimeout: 3", 3, "runner.pool.idletimeout", "runner.pool.idle_timeout"),
    ("runner:\n  pool:\n    Walltime: '1:00'", 3, "runner.pool.Walltime", "runner.pool.walltime"),
    ("runner:\n  pool:\n    launch_batchsize: 3", 3, "launch_batchsize", "runner.pool.launch_batch_size"),
    ("runner:\n  max_workers: 3", 2, "runner.max_workers", "runner.pool.max_workers"),
    ("pool:\n  slots: 3", 2, "runner.pool.slots", "runner.pool.slots_per_worker"),
    ("runner:\n  default_resources: {cores: 1}", 2, "runner.default_resources", "runner.defaults"),
    ("runner:\n  defaults:\n    core: 1", 3, "runner.defaults.core", "runner.defaults.cores"),
    ("runner:\n  defaults:\n    mem: 1G", 3, "runner.defaults.mem", "runner.defaults.memory"),
    ("runner:\n  resource_class:\n    large: {cores: 8}", 2, "resource_class", "runner.resource_classes"),
    ("runner:\n  resource_classes:\n    large:\n      ques: x", 4, "runner.resource_classes.large.ques", "runner.resource_classes.large.queue"),
    ("runner:\n  limit:\n    vcs: 1", 2, "runner.limit", "runner.limits"),
    ("runner:\n  retries: {infra: 1}", 2, "runner.retries", "runner.retry"),
    ("runner:\n  retry:\n    infrastructure: 1", 3, "infrastructure", "runner.retry.infra"),
    ("runner:\n  deamon: {tls: true}", 2, "runner.deamon", "runner.daemon"),
    ("runner:\n  daemon:\n    port: 1", 3, "runner.daemon.port", "runner.daemon.worker_port"),
    ("runner:\n  daemon:\n    advertize: [a]", 3, "runner.daemon.advertize", "runner.daemon.advertise"),
    ("runner:\n  daemon:\n    allowed_users: [a]", 3, "allowed_users", "runner.daemon.allow_users"),
    ("runner:\n  tasklog_limit: 1G", 2, "tasklog_limit", "runner.task_log_limit"),
    ("run:\n  keepgoing: true", 2, "run.keepgoing", "run.keep_going"),
    ("runner:\n  frm:\n    queue: x", 2, "runner.frm", "runner.farm"),
    ("runner:\n  farm:\n    queu: x", 3, "runner.farm.queu", "runner.farm.queue"),
    ("runner:\n  farm:\n    sub_command: x", 3, "runner.farm.sub_command", "runner.farm.sub_cmd"),
    ("runner:\n  pbs:\n    queue: x", 2, "runner.pbs", ""),
    ("runner:\n  pool:\n    max_workers: many", 3, "runner.pool.max_workers", ""),
    ("runner:\n  pool:\n    max_workers: '16'", 3, "runner.pool.max_workers", ""),
    ("runner:\n  pool:\n    max_workers: 0", 3, "runner.pool.max_workers", ""),
    ("runner:\n  pool:\n    max_workers: -1", 3, "runner.pool.max_workers", ""),
    ("runner:\n  pool:\n    max_workers: 1.5", 3, "runner.pool.max_workers", ""),
    ("runner:\n  pool:\n    max_workers:", 3, "runner.pool.max_workers", ""),
    ("runner:\n  pool:\n    min_workers: 4\n    max_workers: 3", 3, "runner.pool.min_workers", ""),
    ("runner:\n  pool:\n    walltime: 1h", 3, "runner.pool.walltime", ""),
    ("runner:\n  pool:\n    walltime: '1:75'", 3, "runner.pool.walltime", ""),
    ("runner:\n  pool: [1, 2]", 2, "runner.pool", ""),
    ("runner:\n  defaults:\n    memory: 1GB", 3, "runner.defaults.memory", ""),
    ("runner:\n  defaults:\n    memory: 0", 3, "runner.defaults.memory", ""),
    ("runner:\n  defaults:\n    walltime: ''", 3, "runner.defaults.walltime", ""),
    ("runner:\n  daemon:\n    worker_port: 70000", 3, "runner.daemon.worker_port", ""),
    ("runner:\n  daemon:\n    worker_port: 40100-40000", 3, "runner.daemon.worker_port", ""),
    ("runner:\n  daemon:\n    tls: maybe", 3, "runner.daemon.tls", ""),
    ("runner:\n  daemon:\n    advertise: {a: b}", 3, "runner.daemon.advertise", ""),
    ("runner:\n  limits:\n    vcs: forty", 3, "runner.limits.vcs", ""),
    ("runner:\n  default: local\n  type: farm", 3, "runner.type", ""),
    ("runner:\n  retry: {infra: 1}\n  retry: {infra: 2}", 3, "runner.retry", ""),
    ("runner:\n  pool: {max_workers: 3", 3, "YAML", ""),
]  # fmt: skip


def test_there_are_fifty() -> None:
    assert len(MISTAKES) == len({text for text, *_ in MISTAKES}) == 50


@pytest.fixture
def chip(project: Project) -> Project:
    install_farm(project)
    project.flow("  tasks: [{root: t, run: touch ../../ran}]")
    return project


@pytest.mark.timeout(300)  # 50 processes
@pytest.mark.parametrize(
    "command", [["run", "t"], ["daemon", "start"], ["config", "check"]], ids="-".join
)
def test_a_mistake_is_said_with_file_line_key_and_the_nearest_name(
    chip: Project, command: list[str]
) -> None:
    for text, line, key, near in MISTAKES:
        chip.write(".dfm/config.yaml", text + "\n")
        done = chip.dfm(*command)
        assert done.status == 2, (text, done)
        first = done.err.splitlines()[0]
        assert re.match(rf"\.dfm/config\.yaml:{line}:\d+: ", first), (text, done.err)
        assert key in first, (text, done.err)
        assert not near or f"`{near}`" in done.err, (text, done.err)
        assert done.out == ""
    assert not (chip.folder / "ran").exists()
    assert os.listdir(chip.folder / ".dfm") == ["config.yaml"]
    assert not chip.leftovers()
