"""One run of a graph: visits what is ready, skips what is up to date, has the rest executed.

It waits for nothing itself. A dispatcher executes tasks somewhere and calls `started`, `finished`,
`lost` and `withdrawn`; whoever owns the loop calls `advance` after that. A run in which everything is
up to date needs neither a dispatcher nor a loop.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dfm.engine import contract, library, records, waiting
from dfm.engine.base import Base
from dfm.engine.bodies import Bodies
from dfm.engine.caching import Caching
from dfm.engine.claims import Claims
from dfm.engine.digests import Digests
from dfm.engine.dispatcher import Dispatcher
from dfm.engine.emitted import emitted, re_emitted
from dfm.engine.executions import Executions, digest
from dfm.engine.freshness import Freshness
from dfm.engine.gates import Gates
from dfm.engine.given import Given
from dfm.engine.incoming import Finished, View, Views
from dfm.engine.limits import Limits, tokens_of
from dfm.engine.outcome import Ending, Observer, Outcome, why_failed
from dfm.engine.ready import Ready, is_submitted
from dfm.engine.records import Input, Marker, Result, Usage
from dfm.engine.signatures import Signatures
from dfm.engine.specs import RunContext, question
from dfm.errors import FlowError
from dfm.graph.dataflow import Item, forwarded, inputs_of
from dfm.graph.node import (
    Compound,
    Disabled,
    Emit,
    Entry,
    Finish,
    Gate,
    GateError,
    Graph,
    Library,
    Node,
    Recorded,
    Said,
    Script,
)
from dfm.graph.plan import Plan, State
from dfm.graph.resources import Request
from dfm.graph.values import Fields
from dfm.wire.task import Requirements, TaskResult

if TYPE_CHECKING:
    from dfm.engine.cache import Cache

INTERRUPT_GRACE_S = 5.0
_NOT_DONE = frozenset({State.FAILED, State.SKIPPED, State.WAITING, State.READY, State.RUNNING})


class Run:
    """The state of one run of a graph."""

    def __init__(
        self,
        graph: Graph,
        context: RunContext,
        observer: Observer,
        *,
        keep_going: bool = False,
        force: bool = False,
        base: Base | None = None,
        cache: "Cache | None" = None,
    ) -> None:
        self.plan = Plan(graph, keep_going=keep_going)
        self.counts = dict.fromkeys(Ending, 0)
        self.wants_dispatcher = False
        self._graph = graph
        self._context = context
        self._observer = observer
        self._rundir = context.places.rundir
        self._dispatcher: Dispatcher | None = None
        self._resolve: Callable[[Request | None], Requirements]  # as soon as there is a dispatcher
        self._limits = Limits({})
        self._ready = Ready(graph.nodes)
        self._given: dict[int, Given] = {}
        self._finished: list[Finished | None] = [None] * len(graph.nodes)
        digests = Digests(self._rundir)
        self._digests = digests
        self._base = None if force else base
        self._freshness = Freshness(self._rundir, digests, force=force)
        self._caching = Caching(None if force else cache, self._rundir, self._freshness, observer)
        self._views = Views([node.name for node in graph.nodes], Signatures(digests))
        self._claims = Claims(self._rundir, observer)
        self._mementos: dict[str, Any] = {}
        self._executions = Executions()
        self._gates = Gates(self.output_of)
        self._bodies = Bodies(graph, self.plan, self._finished, self._gates)
        self._statuses: dict[int, int] = {}  # of nodes that failed

    # For whoever owns the loop

    def begin(self) -> None:
        self._claims.begin()
        self._ready.add(self.plan.begin())

    def attach(
        self,
        dispatcher: Dispatcher,
        resolve: Callable[[Request | None], Requirements],
        limits: Mapping[str, int],
    ) -> None:
        """`resolve` says what a request comes to there; `limits`, how many tokens of each name may be
        asked for by all that is submitted at once."""
        self._dispatcher = dispatcher
        self._resolve = resolve
        self._limits = Limits(limits)
        self.wants_dispatcher = False

    def is_over(self) -> bool:
        return not self.plan.left

    def succeeded(self) -> bool:
        """Whether every node of the graph was done, or did not have to be."""
        return not any(state in _NOT_DONE for state in self.plan.states)

    def output_of(self, number: int) -> Sequence[Item]:
        """What a node has emitted; nothing if it was not done."""
        end = self._finished[number]
        return end.output if end is not None else ()

    def is_blocked(self) -> bool:
        """Whether nodes wait for another run here: `advance` is to be called again in a while."""
        return self._claims.is_blocked()

    def advance(self, most: int) -> bool:
        """Visits up to `most` nodes that are ready. True if more can be visited at once."""
        self._ready.put_back([*self._claims.take_blocked(), *self._limits.take_fitting()])
        for _ in range(most):
            if not self._ready or not self._may_visit():
                break
            self._visit(self._ready.take())
        return self._may_visit() and (bool(self._ready) or self._limits.may_go_on())

    def interrupt(self, grace_s: float = INTERRUPT_GRACE_S) -> None:
        """Starts nothing more and ends what runs: SIGTERM, and SIGKILL after the grace."""
        self.plan.stop()
        if self._dispatcher is not None:
            self._dispatcher.withdraw()
            self._dispatcher.cancel(grace_s)

    def close(self) -> None:
        """Keeps what later runs can use, and gives the locks back."""
        self._digests.save()
        if self.counts[Ending.DONE] or self.counts[Ending.FAILED]:
            try:
                records.write_mementos(self._rundir, self._mementos)
            except OSError as error:
                self._observer.notice(f"cannot write {error.filename}: {error.strerror}")
        self._claims.close()

    # For the dispatcher

    def started(self, number: int, where: str) -> None:
        given = self._given.get(number)
        if given is None or not given.is_question:  # else the task itself may not have to run
            self._observer.started(self._graph.nodes[number], where)

    def finished(self, number: int, result: TaskResult) -> None:
        """A task that was submitted has ended."""
        node, given = self._graph.nodes[number], self._given.pop(number)
        if given.is_question:
            self._answered(node, given, result)
            return
        handed = contract.read(result, self._folder(node), self._graph.types)
        status = result.status or (0 if handed.is_sound else 1)
        markers = [*given.markers, *handed.markers]
        markers += [Marker("warning", text) for text in result.warnings]
        if status:
            assert given.requirements is not None
            markers.append(Marker("error", why_failed(result, given.requirements)))
        if result.console:
            self._observer.said(result.console.decode(errors="replace"))
        executed = Result(
            status, result.changed, handed.items, markers, handed.memento, result.commands,
            Usage(round(result.wall_ms / 1000, 6), round(result.cpu_s, 6), result.max_rss_kib),
        )  # fmt: skip
        cancelled = status and result.ended_by == "cancel"
        self._conclude(
            node, given, executed, Ending.CANCELLED if cancelled else None, result.wall_ms,
            result.log_tail.decode(errors="replace"),
        )  # fmt: skip

    def lost(self, number: int, reason: str) -> None:
        """A task that was submitted will not be executed: its worker was lost, time and again."""
        node = self._graph.nodes[number]
        del self._given[number]
        self._let_go(node)
        self._statuses[number] = 1
        self._end(Outcome(node, Ending.LOST, folder=self._folder(node), why=reason))
        self._more(self.plan.finish(number, ok=False))

    def withdrawn(self, numbers: Sequence[int]) -> None:
        """Tasks that were submitted have not started and will not."""
        for number in numbers:
            del self._given[number]
            self._let_go(self._graph.nodes[number])
            self._more(self.plan.skip(number))

    def why(self, task: str) -> dict[str, Any]:
        """Why tasks wait that the dispatcher does not have; empty: all of them."""
        graph, plan, held = self._graph, self.plan, self._limits.held()
        if task:
            return waiting.of_one(graph, plan, held, self._given, task)
        return waiting.of_all(graph, plan, held, self._given)

    # Visiting

    def _may_visit(self) -> bool:
        if self._dispatcher is None:
            return not self.wants_dispatcher
        return self._dispatcher.wants_more()

    def _visit(self, number: int) -> None:
        if not self.plan.may_start(number):
            self._more(self.plan.skip(number))
            return
        node = self._graph.nodes[number]
        if self._gates.leaves_out(node):
            self._do_nothing(node)
            return
        view = self._view(node)
        match node.work:
            case Disabled():
                self._do_nothing(node)
            case Recorded(items):
                known = [Item(fields, number, seq) for seq, fields in enumerate(items)]
                self._finished[number] = Finished(known, changed=False, execution="")
                self._more(self.plan.finish(number, ok=True))
            case Entry():
                self._keep_books(node, view, forwarded(node, view.items), ok=True)
            case Gate() as gate:
                self._decide(node, gate, view)
            case Compound(on_error=None, members=members):
                assert isinstance(node.work, Compound)
                is_plain = node.work.turns is None
                output = forwarded(node, view.items) if is_plain else self._gates.emitted(node.work)
                self._keep_books(node, view, output, ok=self.plan.are_done(members))
            case _:
                self._visit_task(node, view)

    def _view(self, node: Node) -> View:
        if isinstance(node.work, Compound) and node.work.on_error is not None:
            return self._bodies.view(self._views, node, node.work)
        return self._views.of(node.needs, self._finished)

    def _do_nothing(self, node: Node) -> None:
        self._finished[node.number] = Finished((), changed=False, execution="")
        self._more(self.plan.finish(node.number, ok=True))

    def _decide(self, node: Node, gate: Gate, view: View) -> None:
        """Opens a gate, or leaves it closed."""
        try:
            output = self._gates.decide(node, gate)
        except GateError as error:
            result = Result(1, True, [], [Marker("error", str(error))])
            self._statuses[node.number] = 1
            self._finished[node.number] = Finished(emitted(node, view, result), True, "")
            folder = self._folder(node)
            self._end(Outcome(node, Ending.FAILED, 1, markers=result.markers, folder=folder))
            self._more(self.plan.finish(node.number, ok=False))
            return
        self._keep_books(node, view, output, ok=True)

    def _visit_task(self, node: Node, view: View) -> None:
        """Executes a task, unless it is up to date or another run has it in hand."""
        done = self._base.record(node) if self._base is not None else None
        if done is not None:
            self._up_to_date(node, view, done, Ending.BASE)
            return
        record = self._freshness.record(node)
        if node.finish is not None and not self._finish(node, node.finish, view, record):
            return
        reason = self._freshness.why_stale(node, view, record)
        if record is not None and reason is None and not isinstance(node.uptodate, str):
            self._up_to_date(node, view, record)
            return
        if reason is not None and self._is_cached(node, view, record):
            return
        if self._dispatcher is None and is_submitted(node):
            self.wants_dispatcher = True
            self._ready.put_back([node.number])
            return
        tokens = tokens_of(node)
        if not self._limits.fit(tokens):
            self._limits.set_aside(node.number, tokens)
            return
        if not self._claims.take(node):
            return
        if self._claims.may_be_news(node):
            record = self._freshness.record(node)
            reason = self._freshness.why_stale(node, view, record)
            if record is not None and reason is None and not isinstance(node.uptodate, str):
                self._claims.release(node)
                self._up_to_date(node, view, record)
                return
        self._limits.take(tokens)
        self._execute(node, view, record, asks=reason is None)

    def _finish(
        self, node: Node, finish: Finish, view: View, record: dict[str, Any] | None
    ) -> bool:
        """Works out what needs the node's inputs; one that cannot be worked out fails."""
        fields, _ = view.inputs(node.consumes, inputs_of(node, view.items))
        memento = record["result"].get("memento") if record else None
        try:
            node.params, node.work = finish(fields, memento)
        except FlowError as error:
            if not self._claims.take(node):
                return False
            given = Given(view, self._input(node, view, fields, memento), record)
            markers = [Marker("error", str(problem)) for problem in error.problems]
            self.plan.run(node.number)
            self._conclude(node, given, Result(1, True, [], markers), Ending.FAILED, 0.0, "")
            return False
        return True

    def _is_cached(self, node: Node, view: View, record: dict[str, Any] | None) -> bool:
        """Whether its results came from the cache, or may once another run lets go of the task."""
        if not self._caching.has(node, view):
            return False
        if not self._claims.take(node):
            return True
        hit = self._caching.restore(node, view)
        if hit is None:
            self._claims.release(node)
            return False
        fields, _ = view.inputs(node.consumes, inputs_of(node, view.items))
        given = Given(view, self._input(node, view, fields, None), record)
        self.plan.run(node.number)
        result = Result(0, True, hit.items, memento=hit.memento)
        self._conclude(node, given, result, Ending.CACHE, 0.0, "")
        return True

    # Executing

    def _execute(
        self, node: Node, view: View, record: dict[str, Any] | None, *, asks: bool
    ) -> None:
        fields, inputs = view.inputs(node.consumes, inputs_of(node, view.items))
        memento = record["result"].get("memento") if record else None
        given = Given(view, self._input(node, view, fields, memento), record)
        self.plan.run(node.number)
        match node.work:
            case Script(srcdir=srcdir) if asks and isinstance(node.uptodate, str):
                given.is_question = True
                question = Script("python", node.uptodate, "", srcdir)
                self._submit(node, question, given, inputs, record=json.dumps(record))
            case Script() as script:
                self._submit(node, script, given, inputs)
            case Compound(on_error=Script() as script, members=members):
                body = self._bodies.subtasks(members, self._statuses)
                self._submit(node, script, given, inputs, subtasks=json.dumps(body))
            case Library(function):
                self._do_here(node, given, library.run(function, node, fields, self._folder(node)))
            case Said() as said:
                self._do_here(node, given, library.say(said, self._folder(node)))
            case Emit(type=name):
                self._do_here(node, given, library.Done([{"type": name, **node.params}], []))
            case _:
                self._do_here(node, given, library.Done([], []))

    def _input(self, node: Node, view: View, fields: Sequence[Fields], memento: Any) -> Input:
        return Input(
            view.names, view.signature(), fields, view.changed, memento, view.executions,
            self._freshness.run_hash(node),
        )  # fmt: skip

    def _submit(self, node: Node, script: Script, given: Given, inputs: bytes, **more: str) -> None:
        assert self._dispatcher is not None
        given.requirements = self._resolve(node.request)
        spec, given.markers = self._context.spec(
            node, script, given.view.items.items, given.input.memento, given.requirements,
            changed=given.view.changed, **more,
        )  # fmt: skip
        expected_s = records.wall_s(given.record)
        if given.is_question:
            spec = question(spec)
            expected_s = 0.0
        self._given[node.number] = given
        self._dispatcher.submit(node.number, spec, inputs, given.requirements, expected_s)

    def _answered(self, node: Node, given: Given, answer: TaskResult) -> None:
        """The task's own `uptodate` function has said whether the task is up to date."""
        if not self.plan.may_start(node.number):
            self._let_go(node)
            self._more(self.plan.skip(node.number))
        elif answer.status == 0 and not answer.changed and given.record is not None:
            self._let_go(node)
            self._up_to_date(node, given.view, given.record)
        else:
            given.is_question = False
            assert isinstance(node.work, Script)
            _, inputs = given.view.inputs(node.consumes, inputs_of(node, given.view.items))
            self._submit(node, node.work, given, inputs)

    def _do_here(self, node: Node, given: Given, done: library.Done) -> None:
        """Concludes what dfm has done itself."""
        self._observer.started(node, "")
        if done.console:
            self._observer.said(done.console)
        result = Result(done.status, True, done.items, done.markers, done.memento)
        self._conclude(node, given, result, None, 0.0, "")

    # Ends

    def _conclude(
        self,
        node: Node,
        given: Given,
        result: Result,
        ending: Ending | None,
        wall_ms: float,
        log_tail: str,
    ) -> None:
        """A node was executed: its items go on, its record is written."""
        output = emitted(node, given.view, result)
        execution = self._executions.name(given.record, changed=result.changed)
        fields = [item.fields for item in output]
        try:
            records.write(self._rundir, node, given.input, result, fields, execution)
        except OSError as error:
            trouble = Marker("error", f"cannot write {error.filename}: {error.strerror}")
            result = result._replace(status=result.status or 1, markers=[*result.markers, trouble])
        ok = result.status == 0
        if not ok:
            self._statuses[node.number] = result.status
        self._finished[node.number] = Finished(output, result.changed, execution)
        self._mementos[node.name] = result.memento
        if ending in (Ending.CACHE, Ending.FAILED):
            self._claims.release(node)  # it was not executed: it has no tokens
        else:
            self._caching.keep(node, given.view, result)
            self._let_go(node)
        ending = ending or (Ending.DONE if ok else Ending.FAILED)
        folder = self._folder(node)
        self._end(
            Outcome(
                node, ending, result.status, wall_ms, result.markers, folder, log_tail,
                usage=result.usage, changed=result.changed, inputs=given.input.inputs,
                output=fields,
            )
        )  # fmt: skip
        self._more(self.plan.finish(node.number, ok=ok))

    def _up_to_date(
        self,
        node: Node,
        view: View,
        record: Mapping[str, Any],
        ending: Ending = Ending.UP_TO_DATE,
    ) -> None:
        output = re_emitted(node, view, record["output"]["output"])
        self._finished[node.number] = Finished(
            output, changed=False, execution=record.get("execution", "")
        )
        self._mementos[node.name] = record["result"].get("memento")
        root = self._base.path if self._base and ending is Ending.BASE else self._rundir
        self._end(Outcome(node, ending, folder=f"{root}/{node.rundir}"))
        self._more(self.plan.finish(node.number, ok=True))

    def _keep_books(self, node: Node, view: View, output: Sequence[Item], *, ok: bool) -> None:
        """Entry nodes and compounds: they pass items on, and have a record of every run."""
        execution = digest(view.executions)
        result = Result(0 if ok else 1, view.changed, [])
        given = self._input(node, view, [i.fields for i in inputs_of(node, view.items)], None)
        try:
            if node.rundir and (self._base is None or self._base.record(node) is None):
                records.write(
                    self._rundir, node, given, result, [item.fields for item in output], execution
                )
        except OSError as error:
            self._observer.notice(f"cannot write {error.filename}: {error.strerror}")
            ok = False
        self._finished[node.number] = Finished(output, view.changed, execution)
        self._more(self.plan.finish(node.number, ok=ok))

    def _more(self, ready: Sequence[int]) -> None:
        """Goes on with nodes that became ready; tells of those that never will."""
        self._ready.add(ready)
        for number in self.plan.take_skipped():
            node = self._graph.nodes[number]
            if node.is_task:
                cause = self.plan.cause.get(number)
                why = f"{self._graph.nodes[cause].name} failed" if cause is not None else ""
                self._end(Outcome(node, Ending.SKIPPED, why=why))

    def _end(self, outcome: Outcome) -> None:
        self.counts[outcome.ending] += 1
        self._observer.ended(outcome)

    def _let_go(self, node: Node) -> None:
        """A node that was being executed is so no more, whatever came of it."""
        self._claims.release(node)
        self._limits.give_back(tokens_of(node))

    def _folder(self, node: Node) -> str:
        return f"{self._rundir}/{node.rundir}"
