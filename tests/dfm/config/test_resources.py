"""Section 3 of the runners' contract: a test for every statement."""

from collections.abc import Callable

import pytest

from dfm.config.config import Config
from dfm.config.options import apply_options
from dfm.config.resources import Fault, find_faults, resolve
from dfm.graph.resources import Request
from dfm.wire.task import Requirements, WorkerShape

Load = Callable[..., Config]
CLASSES = """
resource_classes:
  large: {cores: 8, memory: 32G, walltime: "8:00", queue: regr, resource_select: [bigmem]}
  quick: {queue: short}
  empty: {}
"""


def lsf(config: Config, **said: object) -> Requirements:
    return resolve(Request(**said), config, "lsf")  # type: ignore[arg-type]


def faults(config: Config, runner: str | None = "lsf", **said: object) -> list[Fault]:
    return list(find_faults(Request(**said), config, runner))  # type: ignore[arg-type]


def test_a_class_gives_cores_memory_queue_walltime_and_select(load_layers: Load) -> None:
    needs = lsf(load_layers(project=CLASSES), resource_class="large")
    assert needs.worker == WorkerShape("large", 8, 32 * 1024, "regr", "large", ("bigmem",), "lsf")
    assert (needs.cores, needs.walltime_s) == (8, 8 * 3600)


def test_what_the_class_gives_goes_before_what_the_tag_says(load_layers: Load) -> None:
    said = {"cores": 2, "memory_mib": 512, "queue": "mine"}
    needs = lsf(load_layers(project=CLASSES), resource_class="large", **said)
    assert needs.worker == WorkerShape("large", 8, 32 * 1024, "regr", "large", ("bigmem",), "lsf")


def test_what_the_class_does_not_give_is_the_tags_own(load_layers: Load) -> None:
    said = {"cores": 2, "memory_mib": 512, "queue": "mine"}
    config = load_layers(project=CLASSES)
    assert lsf(config, resource_class="quick", **said).worker[1:4] == (2, 512, "short")
    assert lsf(config, resource_class="empty", **said).worker[1:4] == (2, 512, "mine")


def test_a_tags_own_walltime_goes_before_that_of_the_class(load_layers: Load) -> None:
    config = load_layers(project=CLASSES)
    own = lsf(config, resource_class="large", walltime_s=60)
    assert (own.walltime_s, own.walltime_from) == (60, "its own tag")
    of_class = lsf(config, resource_class="large")
    assert (of_class.walltime_s, of_class.walltime_from) == (8 * 3600, "its class, large")


@pytest.mark.parametrize("request_", [None, Request(), Request(resource_class="empty")])
def test_what_neither_sets_comes_from_the_defaults_and_the_runners_queue(
    load_layers: Load, request_: Request | None
) -> None:
    defaults = "defaults: {cores: 3, memory: 2G, walltime: '0:30'}\nlsf: {queue: normal}"
    needs = resolve(request_, load_layers(project=CLASSES + defaults), "lsf")
    assert needs.worker[1:4] == (3, 2048, "normal")
    assert (needs.walltime_s, needs.walltime_from) == (1800, "runner.defaults.walltime")


def test_each_runner_has_a_queue_of_its_own(load_layers: Load) -> None:
    config = load_layers(project="lsf: {queue: normal}\nslurm: {queue: long}")
    assert resolve(None, config, "slurm").worker.queue == "long"
    assert resolve(None, config, "local").worker.queue == ""
    assert resolve(Request(queue="q"), config, "slurm").worker.queue == "q"


def test_a_queue_by_runner_opt_is_part_of_the_shape(load_layers: Load) -> None:
    config = apply_options(load_layers(project="lsf: {queue: normal}"), "lsf", ["queue=night"])
    assert resolve(None, config, "lsf").worker == WorkerShape(
        "1c-1G-night", 1, 1024, "night", runner="lsf"
    )


def test_select_of_the_runner_and_of_the_class_accumulate(load_layers: Load) -> None:
    config = load_layers(project=CLASSES + "lsf: {resource_select: [rhel8, bigmem]}")
    assert lsf(config).worker.resource_select == ("rhel8", "bigmem")
    assert lsf(config, resource_class="large").worker.resource_select == ("rhel8", "bigmem")
    other = load_layers(project=CLASSES + "lsf: {resource_select: rhel8}")
    assert lsf(other, resource_class="large").worker.resource_select == ("rhel8", "bigmem")


@pytest.mark.parametrize(
    ("pool", "walltime_s", "source"),
    [
        ('""', 3600, "runner.defaults.walltime"),
        ('"0:30"', 1800, "runner.pool.walltime"),
        ('"2:00"', 3600, "runner.defaults.walltime"),
    ],
)
def test_a_walltime_that_nobody_names_is_the_smaller_of_default_and_pool(
    load_layers: Load, pool: str, walltime_s: int, source: str
) -> None:
    config = load_layers(project=CLASSES + f"pool: {{walltime: {pool}}}")
    for said in ({}, {"resource_class": "quick"}):
        needs = lsf(config, **said)
        assert (needs.walltime_s, needs.walltime_from) == (walltime_s, source)
        assert faults(config, **said) == [], "it always fits a fresh worker"


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ({}, "1c-1G"),
        ({"cores": 4, "memory_mib": 8192, "queue": "regr"}, "4c-8G-regr"),
        ({"memory_mib": 1536}, "1c-1536M"),
        ({"memory_mib": 2 * 1024**2}, "1c-2T"),
        ({"cores": 4, "queue": "q", "resource_class": "large"}, "large"),
        ({"resource_class": "empty"}, "empty"),
    ],
)
def test_a_pool_is_named_after_the_class_or_what_it_is_made_of(
    load_layers: Load, said: dict[str, object], name: str
) -> None:
    assert lsf(load_layers(project=CLASSES), **said).worker.name == name


def test_tasks_of_equal_resolved_shape_share_a_pool(load_layers: Load) -> None:
    config = load_layers(project=CLASSES)
    shapes = {lsf(config, **said).worker for said in (
        {}, {"cores": 1}, {"memory_mib": 1024}, {"walltime_s": 60}, {"priority": 7},
    )}  # fmt: skip
    assert len(shapes) == 1


def test_limits_and_priority_pass_as_they_are(load_layers: Load) -> None:
    config = load_layers(project="limits: {vcs: 4}")
    for runner in ("lsf", None):
        needs = resolve(Request(limits=(("vcs", 2),), priority=-3), config, runner)
        assert (needs.limits, needs.priority) == ((("vcs", 2),), -3)


def test_the_local_runner_ignores_queue_class_and_defaults(load_layers: Load) -> None:
    config = load_layers(project=CLASSES + "defaults: {cores: 3}\npool: {walltime: '0:10'}")
    said = Request(queue="q", memory_mib=1, resource_class="large", cores=2, walltime_s=3600)
    assert resolve(said, config, None)[1:4] == (2, 3600, "its own tag")
    for nothing in (None, Request(), Request(resource_class="large")):
        assert resolve(nothing, config, None)[1:3] == (0, 0)
    assert faults(config, None, walltime_s=3600) == [], "no worker's end is near"


# What no pool can ever meet


def test_an_unknown_class_is_said_with_the_nearest_and_all_known_ones(load_layers: Load) -> None:
    config = load_layers(project=CLASSES)
    for runner in ("lsf", "local", None):
        assert faults(config, runner, resource_class="lagre") == [
            Fault(
                "resource_class",
                "there is no resource class `lagre`",
                "did you mean `large`? known classes: empty, large, quick",
            )
        ]
    assert faults(config, resource_class="x")[0].hint == "known classes: empty, large, quick"


def test_where_no_classes_are_the_local_runner_takes_any(load_layers: Load) -> None:
    assert faults(load_layers(), None, resource_class="large") == []
    (fault,) = faults(load_layers(), "lsf", resource_class="large")
    assert fault.hint == "no classes are set (`runner.resource_classes`)"


@pytest.mark.parametrize("runner", ["lsf", None])
def test_an_unknown_limit_is_said_with_the_nearest_and_all_known_ones(
    load_layers: Load, runner: str | None
) -> None:
    config = load_layers(project="limits: {vcs: 40, xcelium: 8}")
    (fault,) = faults(config, runner, limits=(("vsc", 1),))
    assert fault.what == "there is no limit `vsc`"
    assert fault.hint == "did you mean `vcs`? known limits: vcs, xcelium"
    (fault,) = faults(load_layers(project=""), runner, limits=(("vcs", 1),))
    assert fault.hint == "no limits are set (`runner.limits`)"


@pytest.mark.parametrize("runner", ["lsf", None])
def test_more_tokens_than_there_are_can_never_be_had(load_layers: Load, runner: str | None) -> None:
    config = load_layers(project="limits: {vcs: 40}")
    assert faults(config, runner, limits=(("vcs", 40),)) == []
    (fault,) = faults(config, runner, limits=(("vcs", 41),))
    assert fault.what == "41 of the limit `vcs`, of which there are 40"
    assert fault.hint.startswith("`runner.limits.vcs` is set in /")
    assert fault.hint.endswith("config.yaml:1")


def test_a_walltime_longer_than_a_workers_can_never_be_had(load_layers: Load) -> None:
    config = load_layers(project=CLASSES + "pool: {walltime: '4:00'}")
    assert faults(config, walltime_s=4 * 3600) == []
    (fault,) = faults(config, walltime_s=4 * 3600 + 60)
    assert fault.field == "walltime"
    assert fault.what == "a walltime of 4:01 (its own tag) is longer than a worker's, 4:00"
    assert fault.hint.startswith("`runner.pool.walltime` is set in /")
    (fault,) = faults(config, resource_class="large")
    assert fault.field == "resource_class"
    assert "a walltime of 8:00 (its class, large)" in fault.what
    assert faults(config, resource_class="large", walltime_s=3600) == [], "its own is shorter"
    assert faults(load_layers(project=CLASSES), walltime_s=10**6) == [], "the queue's default"


def test_all_faults_of_a_request_are_found(load_layers: Load) -> None:
    config = load_layers(project="limits: {vcs: 1}\npool: {walltime: '1:00'}")
    found = faults(config, resource_class="x", limits=(("a", 1), ("vcs", 2)), walltime_s=7200)
    assert [fault.field for fault in found] == ["resource_class", "limits", "limits", "walltime"]
