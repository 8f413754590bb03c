"""Checks of the graph that tasks require (section 26), once all of it stands."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from dfm.flow.declarations import Context, Requirement, Task
from dfm.flow.document import Where
from dfm.flow.evaluation import Evaluation
from dfm.flow.instance import Instance
from dfm.flow.parameters import BadValue, Parameters
from dfm.flow.products import Products
from dfm.flow.shapes import Shape, Shapes
from dfm.flow.user_code import UserCodeError, call
from dfm.graph.node import Entry, Node, Nothing
from dfm.graph.values import Fields, Value

_SEVERITIES: Final = ("error", "warning", "off")


class Wanted(NamedTuple):
    """One check of one node, to be made when the graph stands."""

    instance: Instance
    owner: Task  # that requires it
    requirement: Requirement
    check: str  # full name of its type
    function: str
    context: Context  # of the type
    fields: Fields


class NodeView:
    """A node as a check sees it."""

    def __init__(self, node: Node, nodes: Sequence[Node]) -> None:
        self.name = node.name
        self.params = node.params
        self.srcdir = node.srcdir
        self.produces = node.produces
        self._node = node
        self._nodes = nodes

    @property
    def needs(self) -> list["NodeView"]:
        """What it needs directly, in order."""
        return [NodeView(node, self._nodes) for node in needs_of(self._node, self._nodes)]


class CheckContext:
    """What the function of a check is called with."""

    def __init__(self, node: NodeView, fields: Fields) -> None:
        self.node = node
        self.name = node.name
        self.params = fields
        self.errors: list[str] = []
        self.warnings: list[str] = []

    def error(self, msg: object) -> None:
        self.errors.append(str(msg))

    def warning(self, msg: object) -> None:
        self.warnings.append(str(msg))


class Requirements:
    """Collects the checks while nodes are made, and makes them at the end."""

    def __init__(self, shapes: Shapes, evaluation: Evaluation, products: Products) -> None:
        self._shapes = shapes
        self._evaluation = evaluation
        self._products = products
        self._wanted: list[Wanted] = []

    def note(self, instance: Instance, shape: Shape, params: Parameters) -> None:
        """The checks of one node. Raises BadValue."""
        for requirement, owner in shape.requires.values():
            kind = self._shapes.type_of(requirement.type, owner.context)
            assert kind is not None, "those without a type are no part of a shape"
            merged = self._shapes.of_type(kind)
            fields = {name: one.default() for name, one in merged.items()}
            scope = self._evaluation.scope(instance, owner, params)
            for name, value in requirement.fields.items():
                where = requirement.field_where(name)
                fields[name] = self._evaluation.value(
                    value, scope, where, f"`requires` of {owner.name}"
                )
            if fields["severity"] is False:  # `off`, as YAML reads it
                continue
            if fields["severity"] not in _SEVERITIES:
                where = requirement.field_where("severity")
                what = f"`severity` must be one of {', '.join(_SEVERITIES)}"
                self._evaluation.problems.add(where, what, hint='write "off" in quotes')
                raise BadValue
            if fields["severity"] == "off":
                continue
            function, context = self._function(kind.name, requirement)
            self._wanted.append(
                Wanted(instance, owner, requirement, kind.name, function, context, fields)
            )

    def _function(self, name: str, requirement: Requirement) -> tuple[str, Context]:
        for link in self._shapes.types_below(name):
            if link.check or link.name in _BUILT_IN:
                return link.check or link.name, link.context
        what = f"`{requirement.type}` checks nothing: its type has no `check`"
        self._evaluation.problems.add(requirement.where, what)
        raise BadValue

    def check(self, nodes: Sequence[Node]) -> None:
        """Makes all checks; what they find is in the problems."""
        for wanted in self._wanted:
            node = nodes[wanted.instance.number]
            found = CheckContext(NodeView(node, nodes), wanted.fields)
            if wanted.function in _BUILT_IN:
                for fault in _BUILT_IN[wanted.function](node, nodes, wanted, self._products):
                    found.error(fault)
            else:
                self._call(wanted, found)
            self._say(wanted, found)

    def _call(self, wanted: Wanted, found: CheckContext) -> None:
        try:
            call(wanted.function, wanted.check, wanted.context.srcdir, found)
        except UserCodeError as error:
            what = f"check {wanted.check} of {wanted.instance.name} failed: {error}"
            self._evaluation.problems.add(wanted.requirement.where, what, hint=error.frames)

    def _say(self, wanted: Wanted, found: CheckContext) -> None:
        place, hint = self._place(wanted), str(wanted.fields["hint"] or "")
        name = wanted.instance.name
        is_warning = wanted.fields["severity"] == "warning"
        for text in found.errors:
            what = f"{name}: {text} (required by {wanted.owner.name})"
            if is_warning:
                self._evaluation.problems.warn(place, what, hint=hint)
            else:
                self._evaluation.problems.add(place, what, hint=hint)
        for text in found.warnings:
            self._evaluation.problems.warn(place, f"{name}: {text}", hint=hint)

    @staticmethod
    def _place(wanted: Wanted) -> Where:
        task = wanted.instance.task
        return task.where.at(task.named_by)


def needs_of(node: Node, nodes: Sequence[Node]) -> list[Node]:
    """What a node needs; for what comes in through the entry of a body, the needs of its compound."""
    found: list[Node] = []
    for number in node.needs:
        need = nodes[number]
        found += [nodes[one] for one in need.needs] if isinstance(need.work, Entry) else [need]
    return found


def _reached(node: Node, nodes: Sequence[Node]) -> Iterator[Node]:
    seen = {node.number}
    todo = list(node.needs)
    while todo:
        number = todo.pop()
        if number not in seen:
            seen.add(number)
            yield nodes[number]
            todo += nodes[number].needs


def _implemented(
    node: Node, nodes: Sequence[Node], _wanted: Wanted, _products: Products
) -> Iterator[str]:
    if isinstance(node.work, Nothing) and not needs_of(node, nodes):
        yield "it has no `run`, no body and no needs"


def _needs(node: Node, nodes: Sequence[Node], wanted: Wanted, products: Products) -> Iterator[str]:
    fields = wanted.fields
    needs = needs_of(node, nodes)
    least, most = _count(fields["min"]), _count(fields["max"])
    if len(needs) < least:
        yield f"it needs {len(needs)} tasks, and {least} or more are wanted"
    if 0 <= most < len(needs):
        yield f"it needs {len(needs)} tasks, and {most} or fewer are wanted"
    for name in _listed(fields["named"]):
        if not any(need.name == name or need.name.endswith(f".{name}") for need in needs):
            yield f"it needs no task `{name}`"
    for pattern in _listed(fields["produces"] or []):
        wants = {"type": pattern} if isinstance(pattern, str) else pattern
        if isinstance(wants, dict) and not any(
            products.declares(reached, wants, wanted.owner.context)
            for reached in _reached(node, nodes)
        ):
            shown = ", ".join(f"{key}: {value}" for key, value in wants.items())
            yield f"nothing that it needs declares to produce {{{shown}}}"


def _count(value: Value) -> int:
    return value if isinstance(value, int) else 0


def _listed(value: Value) -> list[Any]:
    return value if isinstance(value, list) else [value]


_Check = Callable[[Node, Sequence[Node], Wanted, Products], Iterable[str]]
_BUILT_IN: Mapping[str, _Check] = {"std.check.Implemented": _implemented, "std.check.Needs": _needs}
