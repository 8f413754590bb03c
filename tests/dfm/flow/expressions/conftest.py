"""A scope of plain names, and the value of an expression in it."""

from collections.abc import Callable, Mapping

import pytest

from dfm.flow.expressions import NameUnknown, Scope, Value, parse


class Names(Scope):
    """Names with or without dots, as a package has them."""

    def __init__(self, known: Mapping[str, Value]) -> None:
        self._known = known

    def resolve(self, path: tuple[str, ...]) -> tuple[Value, int]:
        for used in range(len(path), 0, -1):
            name = ".".join(path[:used])
            if name in self._known:
                return self._known[name], used
        raise NameUnknown(path)


@pytest.fixture(scope="session")
def scope() -> Callable[..., Scope]:
    return lambda **known: Names(known)


@pytest.fixture(scope="session")
def value() -> Callable[..., Value]:
    return lambda text, **known: parse(text).evaluate(Names(known))
