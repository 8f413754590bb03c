"""Bodies and nodes that a flow's own Python makes (sections 19.2 and 26)."""

from collections.abc import Callable, Mapping

from dfm.errors import FlowError
from dfm.flow.body import Body
from dfm.flow.declarations import Context, Program, Task
from dfm.flow.document import Where
from dfm.flow.evaluation import Evaluation
from dfm.flow.families import Families
from dfm.flow.generated import Entry, GenContext, NodeHandle, Unusable, declaration, seen_task
from dfm.flow.instance import Instance, Level
from dfm.flow.layout import Layout
from dfm.flow.names import find_task, find_type, known_names
from dfm.flow.needs import Needs
from dfm.flow.parameters import BadValue, Parameters
from dfm.flow.problems import did_you_mean
from dfm.flow.shapes import Shape
from dfm.flow.user_code import UserCodeError, call

MOST_GENERATED = 100  # a generator may make a node of its own task


class PythonNodes:
    """Calls the functions, and makes declarations and instances of what they say."""

    def __init__(
        self,
        program: Program,
        families: Families,
        evaluation: Evaluation,
        layout: Layout,
        needs: Needs,
        new: Callable[[Instance | None, Task | None], int],
    ) -> None:
        self._program = program
        self._families = families
        self._evaluation = evaluation
        self._problems = evaluation.problems
        self._layout = layout
        self._needs = needs
        self._new = new

    def generate(
        self, instance: Instance, owner: Task, params: Parameters, entry: int, scope: int | None,
        bodies: frozenset[int],
    ) -> tuple[list[Instance], list[int]]:  # fmt: skip
        """Has the body of a task made: its nodes, and the numbers of those that no other of them needs."""
        assert owner.generate is not None
        where = owner.generate.where
        if instance.depth() > MOST_GENERATED:
            what = (
                f"`generate` of {owner.name}: more than {MOST_GENERATED} bodies within each other"
            )
            raise FlowError(what, place=where.place())
        rundir = f"{self._evaluation.rundir}/{instance.rundir}"
        ctxt = GenContext(instance.name, rundir, owner.context.srcdir)
        seen = seen_task(owner, params.all(), instance.name)
        seen.rundir = rundir
        self._call(owner.generate.run, where.at("run"), f"`generate` of {instance.name}",
                   owner.context.srcdir, ctxt, seen)  # fmt: skip
        body = self._evaluation.body(instance, params, {})
        members = {
            id(handle): self._generated(handle, instance, owner, body, scope, bodies)
            for handle in ctxt.added
        }
        needed: set[int] = set()
        for handle in ctxt.added:
            member = members[id(handle)]
            numbers = self._needs_of_handle(handle, member, members, entry, where)
            if member.gate is not None and not numbers:  # nothing of it may start before
                numbers = [entry]
            member.needs = list(dict.fromkeys([*self._needs.of(member), *numbers]))
            needed |= {number for number in member.needs if number != member.number}
        made = list(members.values())
        return made, [one.number for one in made if one.number not in needed]

    def _generated(
        self, handle: NodeHandle, compound: Instance, owner: Task, body: Body,
        scope: int | None, bodies: frozenset[int],
    ) -> Instance:  # fmt: skip
        assert owner.generate is not None
        task = self._declared(handle, handle.name, owner.generate.where, owner.context)
        repeats = compound.is_cell or compound.is_copy
        inside = compound.folder if repeats else compound.inside
        folder = self._layout.generated(task.name, inside)
        return Instance(
            self._new(compound, task), task, task.name, folder, folder, inside,
            body, Level(compound.level), compound, scope,
            bodies=bodies, gate=compound.gate, is_copy=repeats,
            stem=self._layout.stem(task.name, folder, is_shared=False),
        )  # fmt: skip

    def _declared(self, handle: NodeHandle, name: str, where: Where, context: Context) -> Task:
        """What Python has made, as a declaration. Raises BadValue."""
        try:
            task = declaration(handle, name, where, context)
        except Unusable as error:
            self._problems.add(where.at("run"), f"{name}: {error}")
            raise BadValue from None
        base = find_task(self._program, handle.type, context)
        if base is None and find_type(self._program, handle.type, context) is None:
            known = known_names(self._program, context, types=True)
            hint = did_you_mean(handle.type, known)
            self._problems.add(where.at("run"), f"{name}: no task type `{handle.type}`", hint=hint)
            raise BadValue
        if base is not None and self._families.owner(base) is not None:
            what = f"{name}: {base.name} is a family of variants, which is no type of a node"
            self._problems.add(where.at("run"), what)
            raise BadValue
        return task

    def _needs_of_handle(
        self, handle: NodeHandle, member: Instance, members: Mapping[int, Instance], entry: int,
        where: Where,
    ) -> list[int]:  # fmt: skip
        numbers: list[int] = []
        for need in handle.needs:
            one = need[0] if isinstance(need, tuple) and need else need
            if isinstance(one, Entry):
                numbers.append(entry)
            elif isinstance(one, NodeHandle) and id(one) in members:
                numbers.append(members[id(one)].number)
            elif isinstance(one, NodeHandle):
                what = f"{member.name} needs {one.name}, which was made and not added"
                self._problems.add(where.at("run"), what)
            elif isinstance(one, str):
                numbers += self._needs.named(one, member, where.at("run"))
            else:
                self._problems.add(
                    where.at("run"), f"{member.name} needs {one!r}, which is no node"
                )
        return numbers

    def elaborate(self, instance: Instance, shape: Shape, owner: Task, params: Parameters) -> None:
        """Puts what a task's own function makes in place of the declaration. Raises BadValue."""
        where = owner.where.at("elaborate")
        rundir = f"{self._evaluation.rundir}/{instance.rundir}"
        ctxt = GenContext(instance.name, rundir, owner.context.srcdir)
        subject = f"`elaborate` of {instance.name}"
        seen = seen_task(shape.task, params.all(), instance.name)
        made = self._call(
            owner.elaborate, where, subject, owner.context.srcdir, ctxt, seen, instance.name
        )
        if not isinstance(made, NodeHandle):
            self._problems.add(where, f"{subject} must return what ctxt.mkTaskNode() has made")
            raise BadValue
        if ctxt.added:
            self._problems.add(where, f"{subject} makes one node, and cannot add others")
            raise BadValue
        instance.declared = instance.task
        # Errors in it are at the field, and it stands where the task does.
        task = self._declared(made, instance.task.name, where, instance.task.context)
        task.named_by, task.enclosing = instance.task.named_by, instance.task.enclosing
        task.where, task.short = instance.task.where, instance.task.short
        instance.task = task
        numbers = self._needs_of_handle(made, instance, {}, -1, owner.where)
        instance.needs = list(dict.fromkeys([*self._needs.of(instance), *numbers]))

    def _call(
        self, reference: str, where: Where, subject: str, srcdir: str, *arguments: object
    ) -> object:
        """Calls a function of the user's. Raises BadValue."""
        try:
            return call(reference, subject, srcdir, *arguments)
        except UserCodeError as error:
            self._problems.add(where, f"{subject} failed: {error}", hint=error.frames)
            raise BadValue from None
