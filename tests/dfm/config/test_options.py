from collections.abc import Callable

import pytest

from dfm.config.config import Config
from dfm.config.options import apply_options
from dfm.errors import UsageError

Load = Callable[..., Config]


def test_options_replace_scalars_of_the_runner_s_section(load_layers: Load) -> None:
    before = load_layers(project="lsf: {queue: a, project: p}\nslurm: {queue: s}")
    after = apply_options(before, "lsf", ["queue=b", "bsub_cmd=wrap --x=1"])
    assert after.runners["lsf"]["queue"] == "b"
    assert after.runners["lsf"]["bsub_cmd"] == "wrap --x=1"
    assert after.runners["lsf"]["project"] == "p"
    assert after.runners["slurm"] == before.runners["slurm"]
    assert before.runners["lsf"]["queue"] == "a"


def test_an_option_is_its_own_origin(load_layers: Load) -> None:
    config = apply_options(load_layers(project="lsf: {queue: a}"), "lsf", ["queue=b"])
    assert config.values["runner.lsf.queue"] == "b"
    assert config.origins["runner.lsf.queue"] == "--runner-opt"
    assert config.origins["runner.lsf.project"] == "default"


def test_the_last_of_two_options_wins(load_layers: Load) -> None:
    config = apply_options(load_layers(), "lsf", ["queue=a", "queue="])
    assert config.runners["lsf"]["queue"] == ""


def test_options_have_the_types_of_their_fields(load_layers: Load) -> None:
    options = ["nice=5", "exclusive=Yes", "scratch=2G", "warning_time=0:10"]
    lsf = apply_options(load_layers(), "lsf", options).runners["lsf"]
    assert (lsf["nice"], lsf["exclusive"]) == (5, True)
    assert (lsf["scratch"], lsf["warning_time"]) == (2048, 600)


def test_no_options_leave_the_configuration_alone(load_layers: Load) -> None:
    config = load_layers()
    assert apply_options(config, "nobody", []) is config


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("queue", "--runner-opt queue: not of the form key=value"),
        ("qeue=a", "the runner `lsf` has no option `qeue`\n     did you mean `queue`?"),
        ("=a", "has no option ``"),
        ("sbatch_cmd=a", "has no option `sbatch_cmd`"),
        ("optional=true", "has no option `optional`"),
        ("resource_select=a", "set `runner.lsf.resource_select` in a configuration file"),
        ("nice=-1", "`nice` must be at least 0"),
        ("nice=few", "`nice` must be a whole number"),
        ("nice=" + "9" * 5000, "`nice` must be a whole number"),
        ("exclusive=perhaps", "`exclusive` must be true or false"),
        ("scratch=2GB", "`scratch` must be a number with K, M, G or T"),
        ("warning_time=1h", '`warning_time` must be "HH:MM" or a number of minutes'),
        ("bsub_cmd=", "`bsub_cmd` must be text of 1 or more characters"),
        ("queue=a\nb", "`queue` must be one line of text"),
    ],
)
def test_a_bad_option_names_the_valid_keys(load_layers: Load, option: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        apply_options(load_layers(), "lsf", [option])
    assert words in str(caught.value)
    assert "  queue         the queue to submit to" in str(caught.value)
    assert "resource_select  " not in str(caught.value)


def test_all_bad_options_are_reported_and_the_keys_once(load_layers: Load) -> None:
    with pytest.raises(UsageError) as caught:
        apply_options(load_layers(), "lsf", ["queue=b", "a", "nice=x"])
    assert len(caught.value.problems) == 2
    assert str(caught.value).count("options of the runner `lsf`") == 1


def test_a_runner_without_options_says_so(load_layers: Load) -> None:
    with pytest.raises(UsageError, match="the runner `local` has no options"):
        apply_options(load_layers(), "local", ["queue=a"])


def test_a_runner_that_is_not_installed_takes_no_options(load_layers: Load) -> None:
    with pytest.raises(UsageError, match="no runner `pbs` is installed here"):
        apply_options(load_layers(), "pbs", ["queue=a"])
