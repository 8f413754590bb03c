"""Collects the faults of a flow, so that a user sees all of them at once."""

import functools
import heapq
import itertools
from collections.abc import Iterable
from typing import TypeAlias

from dfm.errors import FlowError, Problem
from dfm.flow.document import Where

_MOST = 50
_MOST_COMPARED = 200  # names, with one that is unknown
_Said: TypeAlias = tuple[Where | None, str, str]


class Problems:
    """Faults and warnings found so far, each once, however many nodes meet it."""

    def __init__(self) -> None:
        self.warnings: list[Problem] = []
        self._found: list[Problem] = []
        self._remarks: list[Problem] = []
        self._said: set[_Said] = set()
        self._warned: set[_Said] = set()

    def add(
        self, where: Where, what: str, *, within: str = "", hint: str = "",
        kind: str = "ParseError", tasks: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        """A fault. `within` is a part of the text at `where` to point at.

        Raises FlowError when there are so many that nobody reads on.
        """
        if self._is_new((where, what, within), self._said):
            self._found.append(Problem(what, where.place(within), hint, kind, tasks))
            if len(self._found) == _MOST:
                self.raise_any()

    def warn(self, where: Where | None, what: str, *, within: str = "", hint: str = "") -> None:
        """Something odd that stops nothing; without a place it is about the command line."""
        if len(self.warnings) < _MOST and self._is_new((where, what, within), self._warned):
            self.warnings.append(Problem(what, where.place(within) if where else None, hint))

    def remark(self, what: str) -> None:
        """A warning that may explain faults: it is said with them, too."""
        problem = Problem(what)
        if problem not in self._remarks:
            self._remarks.append(problem)
            self.warnings.append(problem)

    def take(self, error: FlowError) -> None:
        """The faults of a file that could not be read, which was not the only one."""
        for problem in error.problems:
            if problem not in self._found:
                self._found.append(problem)

    @staticmethod
    def _is_new(one: _Said, before: set[_Said]) -> bool:
        if one in before:
            return False
        before.add(one)
        return True

    def any(self) -> bool:
        return bool(self._found)

    def raise_any(self) -> None:
        """Raises FlowError if there are faults."""
        if self._found:
            # A file that is read for two packages has its faults twice.
            raise FlowError.of(dict.fromkeys([*self._found, *self._remarks]))


def _likely(name: str, choices: list[str]) -> list[str]:
    """The choices worth a comparison: one with each of 20,000 names takes a second, for every fault."""
    if len(choices) <= _MOST_COMPARED:
        return choices
    wanted = _pairs(name)

    def likeness(choice: str) -> float:
        pairs = _pairs(choice)
        return len(wanted & pairs) / (len(wanted) + len(pairs) + 1)

    return heapq.nlargest(_MOST_COMPARED, choices, likeness)


@functools.lru_cache(50_000)
def _pairs(word: str) -> frozenset[str]:
    """Its letters by twos."""
    return frozenset(map("".join, itertools.pairwise(word)))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint with the nearest known names, else with all if they are few."""
    from difflib import get_close_matches  # only a fault costs its import

    choices = sorted(set(known))
    near = get_close_matches(name, _likely(name, choices), n=3)
    if not near:  # `build` for `chip.build`
        near = [choice for choice in choices if choice.rpartition(".")[2] == name][:3]
    if near:
        return "did you mean " + " or ".join(f"`{choice}`" for choice in near) + "?"
    if 0 < len(choices) <= 24:
        return "known are " + ", ".join(f"`{choice}`" for choice in choices)
    return ""
