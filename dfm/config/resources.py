"""What a task's request comes to in a configuration, and what no worker could ever meet: pure
(section 3 of the runners' contract). The runner is that of the workers, whether or not a daemon has
them already; None: the task runs in the process of `dfm run` itself."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeAlias

from dfm.config.config import Config, ResourceClass
from dfm.config.merge import Origin
from dfm.config.quantities import show_memory, show_walltime
from dfm.config.spelling import nearest
from dfm.errors import Place
from dfm.graph.resources import Request
from dfm.wire.task import Requirements, WorkerShape

Resolve: TypeAlias = Callable[[Request | None], Requirements]
_NOTHING = Request()
_NO_CLASS = ResourceClass(None, None, None, None, ())


class Fault(NamedTuple):
    """Why a request can never be met."""

    field: str  # of the tag
    what: str
    hint: str


def resolve(
    request: Request | None,
    config: Config,
    runner: str | None,
    options: tuple[tuple[str, str], ...] = (),
) -> Requirements:
    """Field by field: the class, then the task's own tag (for the walltime the other way round), then
    the defaults. The request must have no faults; None: the task has no tag. `options` of the runner
    are for the workers of this run alone."""
    request = request or _NOTHING
    if runner is None:
        return _resolve_here(request)
    chosen = _class_of(request, config)
    queue = chosen.queue or request.queue or _text(config, runner, "queue")
    cores = chosen.cores or request.cores or config.defaults.cores
    memory_mib = chosen.memory_mib or request.memory_mib or config.defaults.memory_mib
    walltime_s, walltime_from = _walltime(request, chosen, config)
    name = request.resource_class or "-".join(
        part for part in (f"{cores}c", show_memory(memory_mib), queue) if part
    )
    select = (*_texts(config, runner, "resource_select"), *chosen.resource_select)
    shape = WorkerShape(
        name, cores, memory_mib, queue, request.resource_class or "", tuple(dict.fromkeys(select)),
        runner, options,
    )  # fmt: skip
    return Requirements(
        shape, cores, walltime_s, walltime_from, request.limits, request.priority,
        names_walltime=bool(request.walltime_s or chosen.walltime_s),
    )  # fmt: skip


def find_faults(request: Request, config: Config, runner: str | None) -> Iterator[Fault]:
    """Everything that is wrong with it."""
    class_name = request.resource_class
    # Where no classes are, as on a laptop, the local runner need not know those of the cluster.
    knows_classes = runner is not None or config.resource_classes
    if class_name is not None and class_name not in config.resource_classes and knows_classes:
        yield unknown_class(class_name, config)
    for name, count in request.limits:
        if name not in config.limits:
            yield _unknown_limit(name, config)
        elif count > config.limits[name]:
            origin = _shown(config.origins[f"runner.limits.{name}"])
            what = f"{count} of the limit `{name}`, of which there are {config.limits[name]}"
            yield Fault("limits", what, f"`runner.limits.{name}` is set in {origin}")
    if runner is not None:
        yield from _too_long(request, config)


def unknown_class(name: str, config: Config) -> Fault:
    hint = _known(name, config.resource_classes, "classes", "runner.resource_classes")
    return Fault("resource_class", f"there is no resource class `{name}`", hint)


def _unknown_limit(name: str, config: Config) -> Fault:
    hint = _known(name, config.limits, "limits", "runner.limits")
    return Fault("limits", f"there is no limit `{name}`", hint)


def _known(name: str, known: Iterable[str], plural: str, key: str) -> str:
    names = sorted(known)
    near = nearest(name, names)
    hint = f"did you mean `{near}`? " if near else ""
    listed = ", ".join(names)
    return hint + (f"known {plural}: {listed}" if listed else f"no {plural} are set (`{key}`)")


def _too_long(request: Request, config: Config) -> Iterator[Fault]:
    """A walltime that is longer than a worker lives. That of a task that names none never is."""
    most = config.pool.walltime_s
    walltime_s, source = _walltime(request, _class_of(request, config), config)
    if most and walltime_s > most:
        field = "walltime" if request.walltime_s else "resource_class"
        origin = _shown(config.origins["runner.pool.walltime"])
        what = (
            f"a walltime of {show_walltime(walltime_s)} ({source}) is longer than a worker's,"
            f" {show_walltime(most)}"
        )
        yield Fault(field, what, f"`runner.pool.walltime` is set in {origin}")


def _resolve_here(request: Request) -> Requirements:
    """In this process there are no pools, so no classes, queues and defaults of workers either."""
    walltime_s = request.walltime_s or 0
    return Requirements(
        WorkerShape("", request.cores or 1, 0), request.cores or 0, walltime_s, "its own tag",
        request.limits, request.priority,
    )  # fmt: skip


def _class_of(request: Request, config: Config) -> ResourceClass:
    return config.resource_classes.get(request.resource_class or "", _NO_CLASS)


def _walltime(request: Request, chosen: ResourceClass, config: Config) -> tuple[int, str]:
    """Seconds, and who says so. One that nobody names always fits a fresh worker."""
    if request.walltime_s:
        return request.walltime_s, "its own tag"
    if chosen.walltime_s:
        return chosen.walltime_s, f"its class, {request.resource_class}"
    default_s, most_s = config.defaults.walltime_s, config.pool.walltime_s
    if most_s and most_s < default_s:
        return most_s, "runner.pool.walltime"
    return default_s, "runner.defaults.walltime"


def _text(config: Config, runner: str, key: str) -> str:
    value = config.runners.get(runner, {}).get(key)
    return value if isinstance(value, str) else ""


def _texts(config: Config, runner: str, key: str) -> tuple[str, ...]:
    value = config.runners.get(runner, {}).get(key)
    return tuple(map(str, value)) if isinstance(value, tuple) else ()


def _shown(origin: Origin) -> str:
    return f"{origin.file}:{origin.line}" if isinstance(origin, Place) else origin
