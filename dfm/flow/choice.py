"""Which of the tests of a runner are chosen, and what is left out of the graph for that (section 31.8)."""

import fnmatch
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from dfm.errors import UsageError
from dfm.flow.expressions import as_text
from dfm.flow.problems import did_you_mean
from dfm.flow.suites import Case, Edge, Variant
from dfm.graph.values import Fields, Value


class Selection(NamedTuple):
    """The parameters that choose; empty ones choose all."""

    tests: list[str]
    views: list[str]
    exclude: list[str]

    @classmethod
    def of(cls, params: Fields) -> "Selection":
        return cls(*(words(params[name]) for name in ("tests", "views", "exclude")))

    def chooses_all(self) -> bool:
        return not (self.tests or self.views or self.exclude)


class LeftOut(NamedTuple):
    """What is not built: needs between tasks, and cells of matrices by task and suffix."""

    edges: frozenset[Edge]
    cells: frozenset[tuple[int, str]]

    def with_more(self, more: "LeftOut") -> "LeftOut":
        return LeftOut(self.edges | more.edges, self.cells | more.cells)


NOTHING_LEFT_OUT = LeftOut(frozenset(), frozenset())


def choose(cases: Sequence[Case], selection: Selection, of: str) -> list[Case]:
    """The chosen cases with their chosen variants. Raises UsageError for a pattern that matches none,
    and if nothing is left."""
    wanted = list(cases)
    if selection.tests:
        matched = _matching(cases, selection.tests, of)
        wanted = [case for case in cases if case.path in matched]
    if selection.views:
        known = {view for case in cases for view in case.views()}
        for pattern in selection.views:
            if not fnmatch.filter(known, pattern):
                raise UsageError(f"{of}: no view `{pattern}`", hint=did_you_mean(pattern, known))
        wanted = [_in_views(case, selection.views) for case in wanted]
    if selection.exclude:
        matched = _matching(cases, selection.exclude, of)
        wanted = [case for case in wanted if case.path not in matched]
    wanted = [case for case in wanted if case.variants]
    if not wanted:
        raise UsageError(f"{of}: no test is left by this selection")
    return wanted


def left_out(cases: Sequence[Case], chosen: Sequence[Case]) -> LeftOut:
    """What only tests need that were not chosen."""
    kept = {edge for case in chosen for edge in case.edges}
    edges = {edge for case in cases for edge in case.edges if edge not in kept}
    cells = {(id(case.task), one.cell) for case in chosen for one in case.variants if one.cell}
    all_cells = {(id(case.task), one.cell) for case in cases for one in case.variants if one.cell}
    return LeftOut(frozenset(edges), frozenset(all_cells - cells))


def _in_views(case: Case, views: Iterable[str]) -> Case:
    """A test without views is in each of them."""
    variants: list[Variant] = [
        one
        for one in case.variants
        if not one.view or any(fnmatch.fnmatchcase(one.view, view) for view in views)
    ]
    return Case(case.path, case.task, case.edges, variants)


def _matching(cases: Sequence[Case], patterns: Sequence[str], of: str) -> set[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    for pattern in patterns:
        matched = {case.path for case in cases if matches(pattern, case.path)}
        if not matched:
            names = {name for case in cases for name in (*case.path, ".".join(case.path))}
            raise UsageError(
                f"{of}: no test matches `{pattern}`", hint=did_you_mean(pattern, names)
            )
        found |= matched
    return found


def matches(pattern: str, path: Sequence[str]) -> bool:
    """Whether a pattern means the test of this path, or a suite around it."""
    is_below = pattern.endswith(".")
    core = "".join(
        {"**": ".*", "*": "[^.]*"}.get(part, re.escape(part))
        for part in re.split(r"(\*\*|\*)", pattern.strip("."))
    )
    before = "" if pattern.startswith(".") else r"(?:.*\.)?"
    longest = len(path) - is_below
    return any(
        re.fullmatch(before + core, ".".join(path[:length])) for length in range(1, longest + 1)
    )


def words(value: Value) -> list[str]:
    """A list whose elements may themselves be lists with commas."""
    texts = value if isinstance(value, list) else [value]
    return [word for text in texts for word in as_text(text).split(",") if word]
