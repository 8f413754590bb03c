import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dfm.config.config import Config, DaemonConfig, Pool, Resources
from dfm.config.fields import CLASS_FIELDS, SETTINGS, Section
from dfm.config.loading import load
from dfm.config.quantities import PortRange
from dfm.errors import ConfigError, Problem

Load = Callable[..., Config]
Faults = Callable[..., tuple[Problem, ...]]

COMPLETE = """
runner:
  type: slurm
  pool:
    min_workers: 1
    max_workers: 32
    idle_timeout: 60
    launch_batch_size: 8
    launch_timeout: 900
    walltime: "12:00"
    slots_per_worker: 2
  lsf: {bsub_cmd: "lsf_bsub --tool dfm", queue: regr, exclusive: yes, scratch: 2G}
  defaults: {memory: "2G", cores: 2, walltime: 0:30}
  resource_classes:
    large: {cores: 8, memory: 32G, walltime: 8:00, queue: regr, resource_select: [bigmem]}
  limits:
    vcs: 40
  task_log_limit: 100M
  retry: {infra: 0}
  daemon: {bind: 10.0.0.1, advertise: [farm], worker_port: 40000-40100, tls: off, allow_users: bob}
run:
  keep_going: true
"""


def test_defaults_without_any_file(load_layers: Load) -> None:
    config = load_layers()
    assert config.runner == "local"
    assert config.pool == Pool(0, 16, 300, 4, 0, 0, 1)
    assert config.defaults == Resources(cores=1, memory_mib=1024, walltime_s=3600)
    assert config.daemon == DaemonConfig("", (), PortRange(0, 0), True, ())
    assert (config.task_log_limit_bytes, config.retry_infra) == (1024**3, 2)
    assert config.resource_classes == {}
    assert config.limits == {}
    assert config.keep_going is False
    assert config.runners["slurm"]["sbatch_cmd"] == "sbatch"
    assert set(config.origins.values()) == {"default"}


def test_every_setting_arrives_in_its_unit(load_layers: Load) -> None:
    config = load_layers(project=COMPLETE)
    assert config.runner == "slurm"
    assert config.pool == Pool(1, 32, 60, 8, 900, 43200, 2)
    assert config.defaults == Resources(cores=2, memory_mib=2048, walltime_s=1800)
    assert config.daemon == DaemonConfig(
        "10.0.0.1", ("farm",), PortRange(40000, 40100), False, ("bob",)
    )
    assert config.resource_classes["large"].walltime_s == 28800
    assert config.resource_classes["large"].memory_mib == 32768
    assert config.limits == {"vcs": 40}
    assert (config.task_log_limit_bytes, config.retry_infra) == (100 * 1024**2, 0)
    assert config.keep_going is True
    lsf = config.runners["lsf"]
    assert (lsf["bsub_cmd"], lsf["queue"]) == ("lsf_bsub --tool dfm", "regr")
    assert (lsf["exclusive"], lsf["scratch"]) == (True, 2048)


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "---\n", "runner:\n", "runner:\n  pool:\n", "{}"]
)
def test_a_file_that_says_nothing_is_fine(load_layers: Load, text: str) -> None:
    assert load_layers(project=text).values == load_layers().values


def test_a_mapping_without_runner_counts_as_below_it(load_layers: Load) -> None:
    config = load_layers(
        project="default: lsf\npool: {max_workers: 3}\nrun: {keep_going: yes}\nlsf: {queue: q}\n"
    )
    assert (config.runner, config.pool.max_workers, config.keep_going) == ("lsf", 3, True)
    assert config.runners["lsf"]["queue"] == "q"


def test_default_and_type_may_both_be_there_if_they_agree(load_layers: Load) -> None:
    assert load_layers(project="runner: {default: lsf, type: lsf}").runner == "lsf"


def test_default_and_type_of_two_layers_may_differ(load_layers: Load) -> None:
    assert (
        load_layers(site="runner: {default: lsf}", project="runner: {type: slurm}").runner
        == "slurm"
    )


def test_pool_walltime_may_be_empty(load_layers: Load) -> None:
    config = load_layers(site="pool: {walltime: 60}", project='pool: {walltime: ""}')
    assert config.pool.walltime_s == 0


def test_an_alias_and_a_merge_key_work_as_in_yaml(load_layers: Load) -> None:
    config = load_layers(
        project="""\
resource_classes:
  small: &small {cores: 1, memory: 2G}
  large:
    <<: *small
    cores: 8
"""
    )
    large = config.resource_classes["large"]
    assert (large.cores, large.memory_mib) == (8, 2048)


def test_all_faults_of_all_layers_are_reported_together(find_faults: Faults) -> None:
    faults = find_faults(
        install="runner: {pool: {max_workers: -1, idle_timeout: soon}}",
        site="runner: [",
        project="runner: {lfs: {queue: a}, defaults: {memory: 1Q}}",
    )
    files = [Path(fault.place.file).name for fault in faults if fault.place]
    assert files == ["install.yaml", "install.yaml", "site.yaml", "config.yaml", "config.yaml"]


def test_an_unreadable_file_is_a_fault(find_faults: Faults, tmp_path: Path) -> None:
    (tmp_path / "chip" / ".dfm" / "config.yaml").mkdir(parents=True)
    (fault,) = find_faults()
    assert fault.what == "cannot read the project configuration: Is a directory"
    assert fault.place is not None
    assert fault.place.file == str(tmp_path / "chip" / ".dfm" / "config.yaml")


def test_an_install_layer_that_is_named_and_missing_is_a_fault() -> None:
    with pytest.raises(ConfigError, match=r"/nowhere/a\.yaml: cannot read the install") as caught:
        load("/chip", {"DFM_INSTALL_CONFIG": "/nowhere/a.yaml", "HOME": "/nowhere"}, {})
    assert "DFM_INSTALL_CONFIG" in str(caught.value)
    assert caught.value.exit_code == 2


def test_loading_without_a_file_imports_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys; from dfm.config.loading import load;"
        "from dfm.config.selection import select_runner; from dfm.config.state_folder import StateFolder;"
        f"config = load({str(tmp_path)!r}, {{'HOME': {str(tmp_path)!r}}}, {{}});"
        "select_runner(config, {}, None);"
        "print(*{'yaml', 'difflib', 'hashlib', 'dfm.config.checking'} & set(sys.modules))"
    )
    root = str(Path(__file__).parents[3])
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=root,
        env=dict(os.environ),
        check=True,
    )
    assert done.stdout.split() == []


_KNOWN = sorted(
    {part for field in (*SETTINGS, *CLASS_FIELDS) for part in field.key.split(".")}
    | {"type", "resource_classes", "limits", "lsf", "queue", "optional"}
)
_KEYS = st.one_of(
    st.sampled_from(_KNOWN), st.text(max_size=8), st.integers(), st.booleans(), st.none()
)
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.binary(max_size=8),
    st.dates(),
    st.datetimes(),
    st.sampled_from(["1G", "1:00", "40000-40100", "yes", "-1", "<<", "="]),
)
_DATA = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(_KEYS, inner, max_size=6),
        st.dictionaries(st.sampled_from(_KNOWN), inner, max_size=6),
    ),
    max_leaves=25,
)


@given(data=_DATA)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300
)
def test_any_data_is_a_configuration_or_a_config_error(
    data: Any, tmp_path: Path, sections: dict[str, Section]
) -> None:
    folder = tmp_path / ".dfm"
    folder.mkdir(exist_ok=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(data), encoding="utf-8")
    _loads_or_explains(tmp_path, sections)


@given(content=st.one_of(st.binary(), st.text("{}[]:-,&*!|>'\"%@`#? \n\tab01<").map(str.encode)))
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300
)
def test_any_bytes_are_a_configuration_or_a_config_error(
    content: bytes, tmp_path: Path, sections: dict[str, Section]
) -> None:
    folder = tmp_path / ".dfm"
    folder.mkdir(exist_ok=True)
    (folder / "config.yaml").write_bytes(content)
    _loads_or_explains(tmp_path, sections)


def _loads_or_explains(project: Path, sections: dict[str, Section]) -> None:
    problems: tuple[Problem, ...] = ()
    try:
        load(str(project), {"HOME": "/nowhere"}, sections)
    except ConfigError as error:
        problems = error.problems
    assert all(problem.place and str(problem) for problem in problems)
