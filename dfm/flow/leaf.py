"""From an instance that has no body to its node."""

import hashlib

from dfm.flow import plugins
from dfm.flow.declarations import MISSING, Task
from dfm.flow.evaluation import Evaluation
from dfm.flow.expressions import as_text
from dfm.flow.instance import Instance
from dfm.flow.language import SHELLS
from dfm.flow.parameters import Parameters
from dfm.flow.resources import request_of
from dfm.flow.shapes import Shape
from dfm.flow.world import Scope
from dfm.graph.node import Caching, Emit, Library, Node, Nothing, Script, Selection, Work
from dfm.graph.values import Fields, Value

_RUNDIR = "\0rundir\0"  # stands for the run directory while a script is hashed


def bare_node(instance: Instance, work: Work) -> Node:
    """A node with nothing in it but what its place in the graph says."""
    node = Node(
        instance.number,
        instance.name,
        instance.rundir,
        instance.task.context.srcdir,
        work,
        needs=tuple(instance.needs or ()),
        inherits_rundir=instance.rundir != instance.folder,
        stem=instance.stem,
        scope=instance.scope,
        gate=instance.gate,
    )
    if instance.body is not None:
        node.bindings = dict(instance.body.bindings)
    return node


def leaf_node(
    evaluation: Evaluation,
    instance: Instance,
    shape: Shape,
    params: Parameters,
    late: frozenset[str] | None = None,
) -> Node:
    """With `late`, that of a task whose script and these parameters are known when it runs.

    Raises BadValue after the fault is said.
    """
    scope = evaluation.scope(instance, instance.task, params)
    if late is None:
        node = bare_node(instance, work_of(evaluation, instance, shape, params))
        node.params = params.all()
    else:
        node = bare_node(instance, _kind_of_work(shape))
        node.params = {name: params[name] for name in params if name not in late}
    if shape.consumes is not MISSING:
        node.consumes = _selection(shape.consumes)
    if shape.passthrough is not MISSING:
        node.passthrough = _selection(shape.passthrough)
    if shape.produces is not None:
        node.produces = products(evaluation, shape.produces, scope)
    if shape.uptodate is not None and shape.uptodate.uptodate is not None:
        node.uptodate = shape.uptodate.uptodate
    if shape.cache is not None and node.uptodate is not False:
        node.cache = _caching(evaluation, shape.cache, scope)
    if shape.resources is not None:
        node.request = request_of(evaluation, node.name, shape.resources, scope)
    return node


def work_of(evaluation: Evaluation, instance: Instance, shape: Shape, params: Parameters) -> Work:
    """Raises BadValue after the fault is said."""
    if shape.run is not None:
        return _script(evaluation, instance, shape.run, params)
    return _kind_of_work(shape)


def _kind_of_work(shape: Shape) -> Work:
    if shape.run is not None:
        return Script(shape.run.shell, "", "", shape.run.context.srcdir)
    if shape.library:
        return Library(shape.library)
    if shape.item_type is not None:
        return Emit(shape.item_type.name)
    return Nothing()


def _script(evaluation: Evaluation, instance: Instance, owner: Task, params: Parameters) -> Script:
    scope = evaluation.scope(instance, owner, params)
    scope.rundir = _RUNDIR
    where = owner.where.at(owner.run_field)
    assert owner.run is not None
    text = as_text(
        evaluation.value(owner.run, scope, where, f"`{owner.run_field}` of {owner.name}")
    )
    digest = hashlib.blake2b(
        f"{owner.shell}\0{text}".encode(errors="surrogateescape"), digest_size=16
    ).hexdigest()
    text = text.replace(_RUNDIR, f"{evaluation.rundir}/{instance.rundir}")
    if owner.shell not in SHELLS.values():
        text = plugins.python_of(owner.shell, text, owner.context.srcdir)
        return Script("python", text, digest, owner.context.srcdir)
    return Script(owner.shell, text, digest, owner.context.srcdir)


def _selection(value: Value) -> Selection:
    if isinstance(value, list):
        return [pattern for pattern in value if isinstance(pattern, dict)]
    assert value in ("all", "none", "unused"), value
    return value  # type: ignore[return-value]


def _caching(evaluation: Evaluation, owner: Task, scope: Scope) -> Caching | None:
    policy = owner.cache
    if policy is None or not policy.is_enabled:
        return None
    values = [
        evaluation.value(
            text if "${{" in text else f"${{{{ {text} }}}}", scope,
            owner.where.at("cache", "hash", number), f"`cache` of {owner.name}",
        )
        for number, text in enumerate(policy.hash)
    ]  # fmt: skip
    return Caching(tuple(values), policy.compression)


def products(evaluation: Evaluation, owner: Task, scope: Scope) -> list[Fields]:
    """What a task declares to emit. Raises BadValue after the fault is said."""
    patterns = []
    for number, pattern in enumerate(owner.produces or ()):
        where = owner.where.at("produces", number)
        made = evaluation.value(pattern, scope, where, f"`produces` of {owner.name}")
        assert isinstance(made, dict), made
        patterns.append(made)
    return patterns
