"""Expressions and texts with expressions, ready to be evaluated any number of times.

`parse` and `template` remember what they parsed, by its text: callers need no cache of their own.
"""

from functools import lru_cache

from dfm.flow.expressions import tree
from dfm.flow.expressions.errors import ExpressionError
from dfm.flow.expressions.evaluate import prepare
from dfm.flow.expressions.markers import OPENING
from dfm.flow.expressions.parser import parse_expression, parse_text
from dfm.flow.expressions.scope import Reference, Scope
from dfm.graph.values import Value

# The texts of a large flow; the cells of a matrix share theirs.
_REMEMBERED = 4096


class Expression:
    """What stands between the markers of one `${{ }}`. Evaluation changes nothing in it."""

    __slots__ = ("_filters", "_references", "_step", "text")

    def __init__(self, text: str, node: tree.Node) -> None:
        self.text = text
        self._references = _references(node)
        self._filters = _filters(node)
        self._step = prepare(node)

    def references(self) -> tuple[Reference, ...]:
        """The names that it takes from the scope, in the order of the text."""
        return self._references

    def filters(self) -> tuple[tuple[str, int], ...]:
        """The filters that are not built in, with their offsets."""
        return self._filters

    def evaluate(self, scope: Scope) -> Value:
        """Raises ExpressionError, NameUnknown among them."""
        try:
            return self._step(scope, None)
        except RecursionError:
            raise _too_deep() from None


class Template(Expression):
    """A text with one or more `${{ }}`: an expression too, whose offsets are those of the whole text.

    Exactly one `${{ }}` yields the object itself; with text around it, blanks included, it is text.
    """

    __slots__ = ()


def parse(text: str) -> Expression:
    """The expression that stands between two markers. Raises ExpressionError with its offset."""
    return _parsed(text)


def template(text: str) -> Template | None:
    """The template of a text, None if it holds no `${{`. Raises ExpressionError with its offset."""
    return _template(text) if OPENING in text else None


@lru_cache(_REMEMBERED)
def _parsed(text: str) -> Expression:
    try:
        return Expression(text, parse_expression(text, 0, len(text)))
    except RecursionError:
        raise _too_deep() from None


@lru_cache(_REMEMBERED)
def _template(text: str) -> Template:
    try:
        return Template(text, parse_text(text))
    except RecursionError:
        raise _too_deep() from None


def _too_deep() -> ExpressionError:
    return ExpressionError("the expression, or a value in it, is nested too deeply")


def _references(root: tree.Node) -> tuple[Reference, ...]:
    found: list[Reference] = []
    for level in tree.levels(root):
        for node in level:
            match node:
                case tree.Name(path, at):
                    found.append(Reference(path, optional=False, offset=at))
                case tree.Fallback(tree.Name(path, at)):
                    found.append(Reference(path, optional=True, offset=at))
    return tuple(sorted(found, key=lambda reference: reference.offset))


def _filters(root: tree.Node) -> tuple[tuple[str, int], ...]:
    return tuple(
        (link.function, link.at)
        for level in tree.levels(root)
        for node in level
        if isinstance(node, tree.Chain)
        for link in node.links
        if isinstance(link, tree.Filtered)
    )
