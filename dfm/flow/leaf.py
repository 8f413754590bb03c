"""From an instance that has no body to its node."""

import hashlib
import re

from dfm.config.quantities import parse_walltime_s
from dfm.flow.declarations import MISSING, TagUse, Task
from dfm.flow.document import describe
from dfm.flow.evaluation import Evaluation
from dfm.flow.expressions import as_text
from dfm.flow.instance import Instance
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
        _take_resources(evaluation, node, shape.resources, scope)
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


def _take_resources(evaluation: Evaluation, node: Node, tag: TagUse, scope: Scope) -> None:
    """What the tag's use says; the defaults of its type count as not said."""
    for field, value in tag.fields.items():
        where = tag.where.at(tag.type, field)
        made = evaluation.value(value, scope, where, f"tag of {node.name}")
        try:
            if made is not None and field == "cores":
                node.cores = _cores(made)
            elif made is not None and field == "walltime":
                node.walltime_s = parse_walltime_s(str(made))  # YAML reads 1:30 as 90
        except ValueError as error:
            evaluation.problems.add(
                where, f"`{field}` of {node.name} must be {error}, not {describe(made)}"
            )


def _cores(value: Value) -> int:
    """Raises ValueError, in words for its reader."""
    if isinstance(value, str) and re.fullmatch(r"\d{1,9}", value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError("a number of cores, 1 or more")
    return value
