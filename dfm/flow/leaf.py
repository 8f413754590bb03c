"""From an instance that has no body to its node."""

import hashlib

from dfm.flow.declarations import MISSING, Task
from dfm.flow.evaluation import Evaluation
from dfm.flow.expressions import as_text
from dfm.flow.instance import Instance
from dfm.flow.resources import request_of
from dfm.flow.shapes import Shape
from dfm.flow.world import Parameters, Scope
from dfm.graph.node import Emit, Library, Node, Nothing, Script, Selection, Work
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
        scope=instance.scope,
        gate=instance.gate,
    )
    if instance.body is not None:
        node.bindings = dict(instance.body.bindings)
    return node


def leaf_node(evaluation: Evaluation, instance: Instance, shape: Shape, params: Parameters) -> Node:
    """Raises BadValue after the fault is said."""
    scope = evaluation.scope(instance, instance.task, params)
    node = bare_node(instance, _work(evaluation, instance, shape, params))
    node.params = params.all()
    if shape.consumes is not MISSING:
        node.consumes = _selection(shape.consumes)
    if shape.passthrough is not MISSING:
        node.passthrough = _selection(shape.passthrough)
    if shape.produces is not None:
        node.produces = _produces(evaluation, shape.produces, scope)
    if shape.uptodate is not None and shape.uptodate.uptodate is not None:
        node.uptodate = shape.uptodate.uptodate
    if shape.resources is not None:
        node.request = request_of(evaluation, node.name, shape.resources, scope)
    return node


def _work(evaluation: Evaluation, instance: Instance, shape: Shape, params: Parameters) -> Work:
    if shape.run is not None:
        return _script(evaluation, instance, shape.run, params)
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
    return Script(owner.shell, text, digest, owner.context.srcdir)


def _selection(value: Value) -> Selection:
    if isinstance(value, list):
        return [pattern for pattern in value if isinstance(pattern, dict)]
    assert value in ("all", "none", "unused"), value
    return value  # type: ignore[return-value]


def _produces(evaluation: Evaluation, owner: Task, scope: Scope) -> list[Fields]:
    patterns = []
    for number, pattern in enumerate(owner.produces or ()):
        where = owner.where.at("produces", number)
        made = evaluation.value(pattern, scope, where, f"`produces` of {owner.name}")
        assert isinstance(made, dict), made
        patterns.append(made)
    return patterns
