from collections.abc import Callable

from dfm.config.config import Config, ResourceClass
from dfm.errors import Place, Problem

Load = Callable[..., Config]
Faults = Callable[..., tuple[Problem, ...]]


def test_the_last_layer_that_sets_a_scalar_wins(load_layers: Load) -> None:
    config = load_layers(
        install="runner: {default: lsf, lsf: {queue: a}}",
        site="runner: {default: slurm, lsf: {queue: b}}",
        project="runner: {lsf: {queue: c}}",
    )
    assert config.runner == "slurm"
    assert config.runners["lsf"]["queue"] == "c"


def test_scalars_win_field_by_field(load_layers: Load) -> None:
    config = load_layers(
        install="runner: {pool: {min_workers: 2, max_workers: 8}}",
        project="runner: {pool: {max_workers: 4}}",
    )
    assert (config.pool.min_workers, config.pool.max_workers) == (2, 4)
    assert config.pool.idle_timeout_s == 300


def test_an_empty_text_of_a_later_layer_wins_too(load_layers: Load) -> None:
    config = load_layers(site="runner: {lsf: {queue: a}}", project='runner: {lsf: {queue: ""}}')
    assert config.runners["lsf"]["queue"] == ""


def test_lists_accumulate_in_layer_order(load_layers: Load) -> None:
    config = load_layers(
        install="runner: {lsf: {resource_select: [a, b]}}",
        site="runner: {lsf: {resource_select: [c]}}",
        project="runner: {lsf: {resource_select: [a, d]}}",
    )
    assert config.runners["lsf"]["resource_select"] == ("a", "b", "c", "a", "d")


def test_a_lone_string_is_a_list_of_one(load_layers: Load) -> None:
    config = load_layers(
        site="runner: {daemon: {advertise: first}}",
        project="runner: {daemon: {advertise: [second]}}",
    )
    assert config.daemon.advertise == ("first", "second")


def test_a_lone_empty_string_is_an_empty_list(load_layers: Load) -> None:
    config = load_layers(project='runner: {lsf: {resource_select: ""}}')
    assert config.runners["lsf"]["resource_select"] == ()


def test_resource_classes_merge_by_name_then_by_field(load_layers: Load) -> None:
    config = load_layers(
        install="runner: {resource_classes: {big: {cores: 4, memory: 8G}, small: {cores: 1}}}",
        site="runner: {resource_classes: {big: {memory: 16G, queue: regr}}}",
        project='runner: {resource_classes: {huge: {walltime: "8:00"}}}',
    )
    assert config.resource_classes == {
        "big": ResourceClass(4, 16384, None, "regr", ()),
        "small": ResourceClass(1, None, None, None, ()),
        "huge": ResourceClass(None, None, 28800, None, ()),
    }


def test_the_lists_of_a_class_accumulate(load_layers: Load) -> None:
    config = load_layers(
        site="runner: {resource_classes: {big: {resource_select: [bigmem]}}}",
        project="runner: {resource_classes: {big: {resource_select: avx}}}",
    )
    assert config.resource_classes["big"].resource_select == ("bigmem", "avx")


def test_a_class_without_fields_exists(load_layers: Load) -> None:
    config = load_layers(project="runner:\n  resource_classes:\n    plain:\n    other: {}\n")
    assert config.resource_classes == dict.fromkeys(
        ("plain", "other"), ResourceClass(None, None, None, None, ())
    )


def test_limits_merge_by_name(load_layers: Load) -> None:
    config = load_layers(
        site="runner: {limits: {vcs: 40, xcelium.pro: 3}}", project="runner: {limits: {vcs: 20}}"
    )
    assert config.limits == {"vcs": 20, "xcelium.pro": 3}


def test_a_value_remembers_the_place_that_set_it(load_layers: Load) -> None:
    config = load_layers(
        site="runner:\n  lsf:\n    queue: a\n    project: p\n",
        project="runner:\n  lsf: {queue: b}\n",
    )
    queue, project = config.origins["runner.lsf.queue"], config.origins["runner.lsf.project"]
    assert isinstance(queue, Place)
    assert queue.file.endswith("/chip/.dfm/config.yaml")
    assert queue[1:] == (2, 9)
    assert isinstance(project, Place)
    assert project.file.endswith("/xdg/dfm/site.yaml")
    assert project[1:] == (4, 5)
    assert config.origins["runner.pool.max_workers"] == "default"


def test_every_element_of_a_list_remembers_its_place(load_layers: Load) -> None:
    config = load_layers(
        site="runner:\n  lsf:\n    resource_select:\n    - a\n    - b\n",
        project="runner:\n  lsf:\n    nice: 3\n    resource_select: c\n",
    )
    key = "runner.lsf.resource_select"
    lines = [
        place.line
        for place in map(config.origins.get, (f"{key}[{i}]" for i in range(3)))
        if isinstance(place, Place)
    ]
    assert lines == [4, 5, 4]
    assert f"{key}[3]" not in config.origins


def test_every_value_has_an_origin(load_layers: Load) -> None:
    config = load_layers(
        project="pool: {max_workers: 3}\nresource_classes: {a: {cores: 2}}\nlimits: {l: 1}\n"
    )
    assert config.values.keys() <= config.origins.keys()
    assert config.values["runner.resource_classes.a.cores"] == 2


def test_fewer_workers_at_most_than_at_least_names_both_places(find_faults: Faults) -> None:
    (fault,) = find_faults(
        site="runner:\n  pool:\n    min_workers: 20\n",
        project="runner:\n  default: lsf\n  pool: {max_workers: 4}\n",
    )
    assert fault.place is not None
    assert fault.place.line == 3
    assert fault.place.file.endswith("site.yaml")
    assert "`runner.pool.min_workers` is 20" in fault.what
    assert "`runner.pool.max_workers`, which is 4" in fault.what
    assert "config.yaml:3:10" in fault.what


def test_more_workers_at_least_than_the_default_allows_is_a_fault(find_faults: Faults) -> None:
    (fault,) = find_faults(project="pool: {min_workers: 17}")
    assert "which is 16 (default)" in fault.what


def test_a_higher_layer_can_make_the_pool_possible(load_layers: Load) -> None:
    config = load_layers(install="pool: {min_workers: 20}", project="pool: {max_workers: 20}")
    assert (config.pool.min_workers, config.pool.max_workers) == (20, 20)


def test_a_faulty_value_makes_no_second_fault_in_the_merged_result(find_faults: Faults) -> None:
    (fault,) = find_faults(site="pool: {min_workers: 20}", project="pool: {max_workers: many}")
    assert "the text 'many'" in fault.what


def test_a_file_that_cannot_be_read_makes_no_fault_in_the_others(find_faults: Faults) -> None:
    (fault,) = find_faults(site="pool: {min_workers: 20}", project="pool: {max_workers: 30")
    assert "not valid YAML" in fault.what


def test_a_section_of_an_absent_runner_is_skipped_if_optional(load_layers: Load) -> None:
    config = load_layers(project="runner: {pbs: {optional: true, queue: [not, checked]}}")
    assert "pbs" not in config.runners


def test_one_layer_makes_an_absent_runner_s_section_optional_in_all(load_layers: Load) -> None:
    config = load_layers(
        install="runner: {pbs: {optional: yes}}", project="runner: {pbs: {queue: regr}}"
    )
    assert "pbs" not in config.runners


def test_a_later_layer_takes_optional_back(find_faults: Faults) -> None:
    faults = find_faults(
        install="runner: {pbs: {optional: yes}}", project="runner: {pbs: {optional: no}}"
    )
    assert ["no runner `pbs` is installed here" in fault.what for fault in faults] == [True, True]


def test_optional_of_an_installed_runner_changes_nothing(load_layers: Load) -> None:
    config = load_layers(project="runner: {lsf: {optional: true, queue: regr}}")
    assert config.runners["lsf"]["queue"] == "regr"
    assert "optional" not in config.runners["lsf"]
