from collections.abc import Callable
from typing import NamedTuple

import pytest

from dfm.errors import Problem

Faults = Callable[..., tuple[Problem, ...]]


class Mistake(NamedTuple):
    """A project file with one fault: its line, the key it names, and words of message or hint."""

    text: str
    line: int
    key: str
    words: str


MISTAKES = [
    # unknown keys
    Mistake("runner:\n  pool:\n    max_wokers: 3\n", 3, "runner.pool.max_wokers", "did you mean `runner.pool.max_workers`?"),
    Mistake("runner:\n  Pool:\n    max_workers: 3\n", 2, "runner.Pool", "did you mean `runner.pool`?"),
    Mistake("runner:\n  pol: {max_workers: 3}\n", 2, "runner.pol", "did you mean `runner.pool`?"),
    Mistake("runner:\n  max_workers: 3\n", 2, "runner.max_workers", "did you mean `runner.pool.max_workers`?"),
    Mistake("runner:\n  defualt: lsf\n", 2, "runner.defualt", "did you mean `runner.default`?"),
    Mistake("runner:\n  lsf:\n    qeue: a\n", 3, "runner.lsf.qeue", "did you mean `runner.lsf.queue`?"),
    Mistake("runner:\n  slurm:\n    bsub_cmd: a\n", 3, "runner.slurm.bsub_cmd", "did you mean `runner.lsf.bsub_cmd`?"),
    Mistake("runner: {}\npool: {}\n", 2, "pool", "did you mean `runner.pool`?"),
    Mistake("runer:\n  default: lsf\n", 1, "runer", "did you mean `runner`?"),
    Mistake("default: lsf\nrunn: {keep_going: true}\n", 2, "runn", "did you mean `run"),
    Mistake("run: {keepgoing: true}\n", 1, "run.keepgoing", "did you mean `run.keep_going`?"),
    Mistake("pool:\n  max_workers: 1\n  zzz: 1\n", 3, "runner.pool.zzz", "known here: min_workers, max_workers"),
    Mistake("resource_classes:\n  big:\n    core: 3\n", 3, "runner.resource_classes.big.core", "`runner.resource_classes.big.cores`"),
    Mistake("pool:\n  5: 1\n", 2, "runner.pool.5", "known here"),
    Mistake("pool:\n  <<: 3\n", 2, "runner.pool.<<", "unknown key"),
    Mistake('pool: {"\\e[2J": 1}\n', 1, r"runner.pool.\x1b[2J", "unknown key"),
    # runners
    Mistake("runner:\n  slurmm: {queue: a}\n", 2, "runner.slurmm", "did you mean `runner.slurm`?"),
    Mistake("runner:\n  pbs: {queue: a}\n", 2, "runner.pbs", "no runner `pbs` is installed here"),
    Mistake("runner:\n  pbs: {}\n", 2, "runner.pbs", "installed: local, lsf, slurm"),
    Mistake("runner:\n  pbs: {optional: false}\n", 2, "runner.pbs", "no runner `pbs` is installed here"),
    Mistake("runner:\n  local:\n    queue: a\n", 3, "runner.local.queue", "did you mean `runner.lsf.queue` or `runner.slurm.queue`?"),
    # wrong types
    Mistake("runner: slurm\n", 1, "runner", "must be a mapping, not the text 'slurm'"),
    Mistake("- runner\n", 1, "the file", "must be a mapping, not a list"),
    Mistake("\nhello\n", 2, "the file", "must be a mapping, not the text 'hello'"),
    Mistake("runner:\n  pool: [3]\n", 2, "runner.pool", "must be a mapping, not a list"),
    Mistake("runner:\n  resource_classes: [big]\n", 2, "runner.resource_classes", "must be a mapping, not a list"),
    Mistake("runner:\n  resource_classes:\n    big: 8\n", 3, "runner.resource_classes.big", "must be a mapping, not the number 8"),
    Mistake("runner:\n  limits: {vcs: many}\n", 2, "runner.limits.vcs", "must be a whole number, not the text 'many'"),
    Mistake("pool:\n  max_workers: '4'\n", 2, "runner.pool.max_workers", "write it without quotes"),
    Mistake("pool:\n  max_workers: 4.0\n", 2, "runner.pool.max_workers", "must be a whole number, not the number 4.0"),
    Mistake("pool:\n  max_workers: yes\n", 2, "runner.pool.max_workers", "must be a whole number, not the boolean yes"),
    Mistake("pool:\n  max_workers:\n", 2, "runner.pool.max_workers", "must be a whole number, not nothing"),
    Mistake("pool:\n  max_workers: [4]\n", 2, "runner.pool.max_workers", "not a list"),
    Mistake("daemon:\n  tls: 'no'\n", 2, "runner.daemon.tls", "write it without quotes"),
    Mistake("daemon: {tls: 1}\n", 1, "runner.daemon.tls", "must be true or false, not the number 1"),
    Mistake("daemon: {tls: !!bool perhaps}\n", 1, "runner.daemon.tls", "must be true or false"),
    Mistake("lsf:\n  queue: 1234\n", 2, "runner.lsf.queue", "write it in quotes"),
    Mistake("lsf:\n  queue:\n", 2, "runner.lsf.queue", 'leave the line out, or write ""'),
    Mistake("lsf:\n  queue: on\n", 2, "runner.lsf.queue", "must be one line of text, not the boolean on"),
    Mistake("lsf:\n  queue: |\n    regr\n", 2, "runner.lsf.queue", "without control characters"),
    Mistake('lsf:\n  queue: "a\\0b"\n', 2, "runner.lsf.queue", "without control characters"),
    Mistake("lsf:\n  bsub_cmd: ''\n", 2, "runner.lsf.bsub_cmd", "text of 1 or more characters"),
    Mistake("lsf:\n  queue: !env QUEUE\n", 2, "runner.lsf.queue", "a value with the tag !env"),
    Mistake("lsf:\n  resource_select:\n  - a\n  - 5\n", 4, "runner.lsf.resource_select[1]", "write it in quotes"),
    Mistake("lsf:\n  resource_select: 5\n", 2, "runner.lsf.resource_select", "must be text, not the number 5"),
    Mistake("lsf:\n  resource_select: ['']\n", 2, "runner.lsf.resource_select[0]", "text of 1 or more characters"),
    Mistake("lsf:\n  resource_select: {a: b}\n", 2, "runner.lsf.resource_select", "must be a list of texts, not a mapping"),
    Mistake("runner:\n  default: ''\n", 2, "runner.default", "text of 1 or more characters"),
    Mistake("runner:\n  ? [a]\n  : 1\n", 2, "runner", "a key of `runner` must be text, not a list"),
    Mistake("limits:\n  '': 1\n", 2, "runner.limits", "a name in `runner.limits` must be printable and not empty"),
    # quantities
    Mistake("defaults:\n  memory: 32GB\n", 2, "runner.defaults.memory", "a number with K, M, G or T"),
    Mistake("defaults: {memory: -1G}\n", 1, "runner.defaults.memory", "a number with K, M, G or T"),
    Mistake("defaults: {memory: 0}\n", 1, "runner.defaults.memory", "must be at least 1 MiB, not the number 0"),
    Mistake("defaults: {memory: yes}\n", 1, "runner.defaults.memory", "not the boolean yes"),
    Mistake("task_log_limit: 1e3\n", 1, "runner.task_log_limit", "a number with K, M, G or T"),
    Mistake("task_log_limit: 0\n", 1, "runner.task_log_limit", "must be at least 1 bytes"),
    Mistake("defaults:\n  walltime: 1:30:00\n", 2, "runner.defaults.walltime", '"HH:MM" or a number of minutes'),
    Mistake("defaults:\n  walltime: ''\n", 2, "runner.defaults.walltime", '"HH:MM" or a number of minutes'),
    Mistake("defaults:\n  walltime: 0:00\n", 2, "runner.defaults.walltime", "at least 1 seconds"),
    Mistake("pool:\n  walltime: 2h\n", 2, "runner.pool.walltime", '"HH:MM" or a number of minutes'),
    Mistake("daemon:\n  worker_port: 65536\n", 2, "runner.daemon.worker_port", "at most 65535"),
    Mistake("daemon:\n  worker_port: 40100-40000\n", 2, "runner.daemon.worker_port", "a range that goes up"),
    Mistake("daemon:\n  worker_port: -1\n", 2, "runner.daemon.worker_port", "a port or a range"),
    Mistake("daemon:\n  worker_port: [40000, 40100]\n", 2, "runner.daemon.worker_port", "a port, or a range of ports, not a list"),
    # numbers out of bounds
    Mistake("pool:\n  min_workers: -1\n", 2, "runner.pool.min_workers", "must be at least 0"),
    Mistake("pool:\n  max_workers: 0\n", 2, "runner.pool.max_workers", "must be at least 1"),
    Mistake("pool:\n  launch_timeout: 99999999999\n", 2, "runner.pool.launch_timeout", "must be at most 2147483647"),
    Mistake(f"pool:\n  max_workers: {'9' * 5000}\n", 2, "runner.pool.max_workers", "999..."),
    Mistake("limits:\n  vcs: -4\n", 2, "runner.limits.vcs", "must be at least 0"),
    Mistake("retry: {infra: -1}\n", 1, "runner.retry.infra", "must be at least 0"),
    Mistake("defaults: {cores: 0}\n", 1, "runner.defaults.cores", "must be at least 1"),
    Mistake("pool:\n  min_workers: 3\n  max_workers: 2\n", 2, "runner.pool.min_workers", "`runner.pool.max_workers`, which is 2"),
    # twice
    Mistake("pool:\n  max_workers: 2\n  idle_timeout: 3\n  max_workers: 2\n", 4, "runner.pool.max_workers", "is set twice, first on line 2"),
    Mistake("runner: {}\nrunner: {}\n", 2, "runner", "is set twice, first on line 1"),
    Mistake("runner:\n  default: lsf\n  pool: {}\n  type: slurm\n", 4, "runner.type", "its synonym on line 2 is 'lsf'"),
    Mistake("type: slurm\ndefault: lsf\n", 2, "runner.default", "its synonym on line 1 is 'slurm'"),
    # no YAML
    Mistake("runner:\n  default: lsf\n  pool: {max_workers: 3\n", 4, "", "not valid YAML"),
    Mistake("runner:\n\tdefault: lsf\n", 2, "", "not valid YAML"),
]  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES, ids=[f"{m.line}-{m.key}" for m in MISTAKES])
def test_a_mistake_is_found_at_its_line_and_explained(
    mistake: Mistake, find_faults: Faults
) -> None:
    (fault,) = find_faults(project=mistake.text)
    assert fault.place is not None
    assert fault.place.line == mistake.line
    assert fault.place.column
    assert mistake.key in fault.what
    assert mistake.words in f"{fault.what}\n{fault.hint}"


def test_all_mistakes_of_a_file_are_found_at_once_in_the_order_of_its_lines(
    find_faults: Faults,
) -> None:
    text = """\
runner:
  default: lsf
  type: slurm
  pool: {max_wokers: 3, min_workers: -1, max_workers: many}
  lsf:
    queue: 5
    resource_select: [1, a, 2]
  limits: {vcs: -1}
  pbs: {queue: a}
rum: {}
"""
    lines = [fault.place.line for fault in find_faults(project=text) if fault.place]
    assert lines == [3, 4, 4, 4, 6, 7, 7, 8, 9, 10]


def test_a_fault_in_the_value_of_an_alias_is_where_the_value_is(find_faults: Faults) -> None:
    text = "resource_classes:\n  a: &a\n    cores: many\n  b:\n    <<: *a\n"
    places = [fault.place for fault in find_faults(project=text)]
    assert [place.line for place in places if place] == [3, 3]


def test_columns_point_at_the_key_or_at_the_value(find_faults: Faults) -> None:
    unknown, wrong = find_faults(project="pool: {max_wokers: 3, max_workers: x}")
    assert unknown.place is not None
    assert wrong.place is not None
    assert (unknown.place.column, wrong.place.column) == (8, 36)
