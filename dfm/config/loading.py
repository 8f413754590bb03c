"""From the layers' files to a Config, or to every fault in them.

With no file around this costs three failed opens: YAML and the checks are imported when there is
something to check.
"""

from collections.abc import Mapping

from dfm.config.config import Config, DaemonConfig, Pool, ResourceClass, Resources
from dfm.config.fields import CLASSES, LIMITS, Section, Value
from dfm.config.layers import Layer, find_layers, read
from dfm.config.merge import Merged, absent_runners, contradictions, merge
from dfm.config.quantities import PortRange
from dfm.config.settings import FileSettings
from dfm.errors import ConfigError, Place, Problem


def load(project: str, environ: Mapping[str, str], sections: Mapping[str, Section]) -> Config:
    """The configuration of the project in that folder; `sections`: the runners installed here.

    Raises ConfigError with every fault of every layer.
    """
    layers = find_layers(project, environ)
    files: list[FileSettings] = []
    problems: list[Problem] = []
    unread = 0
    for layer in layers:
        try:
            file = _load_layer(layer, sections)
        except ConfigError as error:
            problems += error.problems
            unread += 1
        else:
            if file is not None:
                files.append(file)
                problems += file.problems
    merged = merge(files, sections)
    problems += absent_runners(files)
    if not unread:
        problems += contradictions(merged, files)
    if problems:
        order = [layer.path for layer in layers]
        raise ConfigError.of(sorted(problems, key=lambda problem: _rank(problem, order)))
    return _typed(merged, sections)


def _rank(problem: Problem, order: list[str]) -> tuple[int, int, int]:
    assert problem.place is not None
    return order.index(problem.place.file), problem.place.line, problem.place.column


def _load_layer(layer: Layer, sections: Mapping[str, Section]) -> FileSettings | None:
    try:
        data = read(layer)
    except OSError as error:
        what = f"cannot read the {layer.name} configuration: {error.strerror or error}"
        hint = "DFM_INSTALL_CONFIG names this file" if layer.required else ""
        raise ConfigError(what, place=Place(layer.path), hint=hint) from error
    if data is None:
        return None
    from dfm.config.checking import check  # with the YAML library
    from dfm.config.reading import compose
    from dfm.config.schema import build_schema

    document = compose(data, layer.path)
    return check(document, build_schema(sections)) if document is not None else None


def _typed(merged: Merged, sections: Mapping[str, Section]) -> Config:
    values = _Values(merged.values)
    limits = [key for key in merged.values if key.startswith(f"{LIMITS}.")]
    return Config(
        runner=values.text("runner.default"),
        pool=Pool(
            min_workers=values.number("runner.pool.min_workers"),
            max_workers=values.number("runner.pool.max_workers"),
            idle_timeout_s=values.number("runner.pool.idle_timeout"),
            launch_batch_size=values.number("runner.pool.launch_batch_size"),
            launch_timeout_s=values.number("runner.pool.launch_timeout"),
            walltime_s=values.number("runner.pool.walltime"),
            slots_per_worker=values.number("runner.pool.slots_per_worker"),
        ),
        defaults=Resources(
            cores=values.number("runner.defaults.cores"),
            memory_mib=values.number("runner.defaults.memory"),
            walltime_s=values.number("runner.defaults.walltime"),
        ),
        resource_classes={
            name: ResourceClass(
                cores=values.number_if_set(f"{CLASSES}.{name}.cores"),
                memory_mib=values.number_if_set(f"{CLASSES}.{name}.memory"),
                walltime_s=values.number_if_set(f"{CLASSES}.{name}.walltime"),
                queue=values.text_if_set(f"{CLASSES}.{name}.queue"),
                resource_select=values.texts(f"{CLASSES}.{name}.resource_select"),
            )
            for name in merged.classes
        },
        limits={key.removeprefix(f"{LIMITS}."): values.number(key) for key in limits},
        task_log_limit_bytes=values.number("runner.task_log_limit"),
        retry_infra=values.number("runner.retry.infra"),
        daemon=DaemonConfig(
            bind=values.text("runner.daemon.bind"),
            advertise=values.texts("runner.daemon.advertise"),
            worker_port=values.ports("runner.daemon.worker_port"),
            tls=values.flag("runner.daemon.tls"),
            allow_users=values.texts("runner.daemon.allow_users"),
        ),
        runners={
            name: {
                field.key: merged.values[f"runner.{name}.{field.key}"]
                for field in section.fields
                if f"runner.{name}.{field.key}" in merged.values
            }
            for name, section in sections.items()
        },
        keep_going=values.flag("run.keep_going"),
        values=merged.values,
        origins=merged.origins,
        sections=sections,
    )


class _Values:
    """Values with the type that their field's kind promises."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._values = values

    def text(self, key: str) -> str:
        value = self._values[key]
        assert isinstance(value, str), key
        return value

    def number(self, key: str) -> int:
        value = self._values[key]
        assert isinstance(value, int), key
        return value

    def flag(self, key: str) -> bool:
        value = self._values[key]
        assert isinstance(value, bool), key
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._values[key]
        assert isinstance(value, tuple), key
        assert not isinstance(value, PortRange), key
        return value

    def ports(self, key: str) -> PortRange:
        value = self._values[key]
        assert isinstance(value, PortRange), key
        return value

    def number_if_set(self, key: str) -> int | None:
        return self.number(key) if key in self._values else None

    def text_if_set(self, key: str) -> str | None:
        return self.text(key) if key in self._values else None
