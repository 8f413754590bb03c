"""Values of a flow file with `${{ }}` in them, and their errors as faults of the flow."""

from collections.abc import Iterator

from dfm.flow.document import Where
from dfm.flow.expressions import ExpressionError, NameUnknown, Scope, template
from dfm.flow.problems import Problems
from dfm.graph.values import Value


def evaluate(value: Value, scope: Scope) -> Value:
    """A value with its expressions replaced, in lists and maps too. Raises ExpressionError.

    A list's element that is exactly one `${{ }}` and gives a list is spliced.
    """
    if isinstance(value, str):
        text = template(value)
        return value if text is None else text.evaluate(scope)
    if isinstance(value, list):
        result: list[Value] = []
        for element in value:
            made = evaluate(element, scope)
            if isinstance(made, list) and isinstance(element, str):
                result += made
            else:
                result.append(made)
        return result
    if isinstance(value, dict):
        return {key: evaluate(element, scope) for key, element in value.items()}
    return value


def has_expressions(value: Value) -> bool:
    return next(texts(value), None) is not None


def report(
    error: ExpressionError, where: Where, value: Value, problems: Problems, subject: str
) -> None:
    """An error of an expression as a fault of the flow, with the place of the expression."""
    within = ""
    if isinstance(value, str) and error.offset is not None:
        within = value[error.offset :].split("\n", 1)[0][:60]
    kind = "UndefinedVariableReference" if isinstance(error, NameUnknown) else "ParseError"
    problems.add(where, f"{subject}: {error.message}", within=within, hint=error.hint, kind=kind)


def texts(value: Value) -> Iterator[str]:
    """All texts in a value that hold expressions."""
    todo = [value]
    while todo:
        element = todo.pop()
        if isinstance(element, str):
            if "${{" in element:
                yield element
        elif isinstance(element, list):
            todo += element
        elif isinstance(element, dict):
            todo += element.values()
