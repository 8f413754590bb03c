"""What the operators do to two values. Kinds do not mix but int with float; `==` never fails."""

import operator
from collections.abc import Callable, Mapping
from math import isfinite
from typing import TypeAlias

from dfm.flow.expressions.errors import ExpressionError
from dfm.flow.expressions.values import equal, is_number, kind
from dfm.graph.values import Value

Operator: TypeAlias = Callable[[Value, Value], Value]
_Compute: TypeAlias = Callable[[float, float], float]

# Beyond all widths and addresses, and far from numbers that take seconds (`9 ** 9 ** 9`) or that
# Python does not print.
_MAX_BITS = 10_000
# A few dozen `map(input + input)` would double a word beyond all memory.
_MAX_LENGTH = 10_000_000


def _number(left: Value, right: Value, verb: str, compute: _Compute) -> Value:
    if not (is_number(left) and is_number(right)):
        raise ExpressionError(f"cannot {verb} {kind(left)} and {kind(right)}")
    try:
        result = compute(left, right)
    except ZeroDivisionError:
        raise ExpressionError("division by zero") from None
    except OverflowError:
        raise _too_large() from None
    return bounded(result)


def bounded(number: float) -> float:
    """The number, if it is one to go on with. Raises ExpressionError for huge and infinite ones."""
    if isinstance(number, int):
        if number.bit_length() > _MAX_BITS:
            raise _too_large()
    elif not isfinite(number):
        raise _too_large()
    return number


def _too_large() -> ExpressionError:
    return ExpressionError("the number is too large")


def _power(base: float, exponent: float) -> float:
    if isinstance(base, int) and isinstance(exponent, int):
        # The least that the result can have, before the time is spent.
        if (base.bit_length() - 1) * exponent > _MAX_BITS:
            raise _too_large()
    elif base < 0 and not float(exponent).is_integer():
        raise ExpressionError("a negative number has no power with a fraction")
    result: float = base**exponent
    return result


def add(left: Value, right: Value) -> Value:
    if isinstance(left, str) and isinstance(right, str):
        _check_length(len(left) + len(right))
        return left + right
    if isinstance(left, list) and isinstance(right, list):
        _check_length(len(left) + len(right))
        return left + right
    return _number(left, right, "add", operator.add)


def _check_length(length: int) -> None:
    if length > _MAX_LENGTH:
        raise ExpressionError(f"the sum would have a length of more than {_MAX_LENGTH}")


def negate(value: Value) -> Value:
    if not is_number(value):
        raise ExpressionError(f"cannot negate {kind(value)}")
    return -value


def _arithmetic(verb: str, compute: _Compute) -> Operator:
    return lambda left, right: _number(left, right, verb, compute)


def _comparison(
    sign: str, numbers: Callable[[float, float], bool], strings: Callable[[str, str], bool]
) -> Operator:
    def compare(left: Value, right: Value) -> bool:
        if isinstance(left, str) and isinstance(right, str):
            return strings(left, right)
        if is_number(left) and is_number(right):
            return numbers(left, right)
        raise ExpressionError(f"cannot compare {kind(left)} and {kind(right)} by `{sign}`")

    return compare


OPERATORS: Mapping[str, Operator] = {
    "==": equal,
    "!=": lambda left, right: not equal(left, right),
    "<": _comparison("<", operator.lt, operator.lt),
    "<=": _comparison("<=", operator.le, operator.le),
    ">": _comparison(">", operator.gt, operator.gt),
    ">=": _comparison(">=", operator.ge, operator.ge),
    "+": add,
    "-": _arithmetic("subtract", operator.sub),
    "*": _arithmetic("multiply", operator.mul),
    "/": _arithmetic("divide", operator.truediv),
    "//": _arithmetic("divide", operator.floordiv),
    "%": _arithmetic("divide", operator.mod),
    "**": _arithmetic("take the power of", _power),
}
