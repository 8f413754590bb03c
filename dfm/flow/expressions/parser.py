"""Tokens -> tree, by precedence climbing.

Every kind of nesting is counted and every chain of equals is a loop, so that no text, however long
or deep, reaches the end of Python's stack.
"""

from dfm.flow.expressions import markers, tree
from dfm.flow.expressions.builtins import PIPED, Builtin, called
from dfm.flow.expressions.cursor import Cursor
from dfm.flow.expressions.errors import ExpressionError
from dfm.flow.expressions.lexer import unquoted
from dfm.flow.expressions.operators import bounded

MAX_DEPTH = 100

_OR, _AND, _EQUALITY, _ORDER, _SUM, _PRODUCT = range(1, 7)
_LEVELS = {
    "||": _OR,
    "&&": _AND,
    **dict.fromkeys(("==", "!="), _EQUALITY),
    **dict.fromkeys(("<", "<=", ">", ">="), _ORDER),
    **dict.fromkeys(("+", "-", "|"), _SUM),
    **dict.fromkeys(("*", "/", "//", "%"), _PRODUCT),
}
_TIGHTER_THAN_PIPE = frozenset({"*", "/", "//", "%", "**", "[", "."})
_CONSTANTS = {"true": True, "false": False, "null": None}
_ELEMENT = frozenset({"input", "item"})


def parse_text(text: str, start: int = 0, depth: int = 0, *, bound: bool = False) -> tree.Node:
    """The tree of a text with `${{ }}` in it, from `start` on. Raises ExpressionError.

    `depth` is that of the expression around the text, and `bound` says that it gives `input` a
    meaning.
    """
    parts = tuple(
        part
        if isinstance(part, str)
        else parse_expression(text, part.start, part.end, depth, bound=bound)
        for part in markers.split(text, start)
    )
    if len(parts) == 1 and not isinstance(parts[0], str):
        return parts[0]
    return _checked(tree.Text(parts), start)


def parse_expression(
    text: str, start: int, end: int, depth: int = 0, *, bound: bool = False
) -> tree.Node:
    """The tree of the expression `text[start:end]`. Raises ExpressionError."""
    fallback = markers.fallback(text, start, end)
    if fallback is None:
        return _checked(_Parser(text, start, end, depth, bound=bound).whole(), start)
    nested = text.find(markers.OPENING, fallback.end, end)
    if nested >= 0:
        raise ExpressionError("a fallback is plain text: it cannot hold `${{ }}`", nested)
    name = _named(fallback.path, fallback.at, bound=bound)
    return tree.Fallback(name, text[fallback.end : end].strip())


def _named(path: tuple[str, ...], at: int, *, bound: bool) -> tree.Name | tree.Element:
    return tree.Element(path, at) if bound and path[0] in _ELEMENT else tree.Name(path, at)


def _checked(node: tree.Node, at: int) -> tree.Node:
    if sum(1 for _ in tree.levels(node)) > MAX_DEPTH:
        raise _too_deep(at)
    return node


def _too_deep(at: int) -> ExpressionError:
    return ExpressionError(f"the expression is nested deeper than {MAX_DEPTH} levels", at)


class _Parser:
    """One pass over the tokens of one expression."""

    def __init__(self, text: str, start: int, end: int, depth: int, *, bound: bool) -> None:
        self._start = start
        self._tokens = Cursor(text, start, end)
        self._depth = depth
        self._bindings = int(bound)  # of `input`, around the next token
        self._commands = 0  # calls of `shell` around it

    def whole(self) -> tree.Node:
        if self._tokens.next.kind == "end":
            raise ExpressionError("the expression is empty", self._start)
        node = self._expression()
        if self._tokens.next.kind != "end":
            self._tokens.fail("an operator")
        return node

    def _enter(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _too_deep(self._tokens.next.at)

    # Levels, from the weakest

    def _expression(self) -> tree.Node:
        branches: list[tree.Branch] = []
        value = self._binary(_OR)
        while self._tokens.accept("if"):
            condition = self._binary(_OR)
            self._tokens.expect("else")
            branches.append(tree.Branch(condition, value))
            value = self._binary(_OR)
        return tree.Conditional(tuple(branches), value) if branches else value

    def _binary(self, weakest: int) -> tree.Node:
        """Operators of level `weakest` and tighter ones."""
        self._enter()
        left = self._prefixed()
        while (level := _LEVELS.get(self._tokens.next.kind, 0)) >= weakest:
            if level == _OR:
                left = tree.Or(self._operands(left, level))
            elif level == _AND:
                left = tree.And(self._operands(left, level))
            else:
                left = _chained(left, *self._links(level))
        self._depth -= 1
        return left

    def _operands(self, left: tree.Node, level: int) -> tuple[tree.Node, ...]:
        operands = [left]
        while _LEVELS.get(self._tokens.next.kind) == level:
            self._tokens.advance()
            operands.append(self._binary(level + 1))
        return tuple(operands)

    def _links(self, level: int) -> list[tree.Link]:
        links: list[tree.Link] = []
        while _LEVELS.get(self._tokens.next.kind) == level:
            sign, _, at = self._tokens.advance()
            if sign == "|":
                links.append(self._pipe())
            else:
                links.append(tree.Binary(sign, self._binary(level + 1), at))
        return links

    def _prefixed(self) -> tree.Node:
        """`!` and `-`, any number of them, then `**`, which binds tighter than the minus before it."""
        sign, _, at = self._tokens.next
        if sign not in {"!", "-"}:
            return self._power()
        times = 0
        while self._tokens.accept(sign):
            times += 1
        # Two stand for any even number: they too check the operand and change nothing else.
        times = 2 - times % 2
        if sign == "-":
            return _chained(self._power(), *[tree.Negate(at)] * times)
        node = self._binary(_EQUALITY)
        for _ in range(times):
            node = tree.Not(node)
        return node

    def _power(self) -> tree.Node:
        base = _chained(self._primary(), *self._suffixes())
        at = self._tokens.next.at
        if not self._tokens.accept("**"):
            return base
        self._enter()
        exponent = self._prefixed()
        self._depth -= 1
        return _chained(base, tree.Binary("**", exponent, at))

    def _suffixes(self) -> list[tree.Link]:
        links: list[tree.Link] = []
        while True:
            at = self._tokens.next.at
            if self._tokens.accept("["):
                links.append(self._subscript(at))
            elif self._tokens.accept("."):
                links.append(tree.Field(self._field(), at))
            else:
                return links

    def _subscript(self, at: int) -> tree.Link:
        if self._tokens.accept("]"):
            return tree.Each(at)
        low = None if self._tokens.next.kind == ":" else self._expression()
        if self._tokens.accept("]"):
            assert low is not None, "only a `:` is passed over"
            return tree.Index(low, at)
        self._tokens.expect(":")
        high = None if self._tokens.next.kind == "]" else self._expression()
        self._tokens.expect("]")
        return tree.Slice(low, high, at)

    def _primary(self) -> tree.Node:
        kind, text, at = self._tokens.next
        if kind == "name":
            return self._name()
        if kind == "number":
            self._tokens.advance()
            return tree.Literal(_number(text, at))
        if kind == "string":
            self._tokens.advance()
            return self._string(text, at)
        if kind in _CONSTANTS:
            self._tokens.advance()
            return tree.Literal(_CONSTANTS[kind])
        if self._tokens.accept("("):
            node = self._expression()
            self._tokens.expect(")")
            return node
        if self._tokens.accept("["):
            return tree.ListOf(self._listed("]"))
        self._tokens.fail("a value")

    def _string(self, text: str, at: int) -> tree.Node:
        string = unquoted(text)
        if not self._commands or markers.OPENING not in string:
            return tree.Literal(string)
        # A command may hold expressions. The blanks make their offsets those of the text around.
        padded = " " * (at + 1) + string
        return parse_text(padded, at + 1, self._depth, bound=self._bindings > 0)

    # Names, calls and pipes

    def _name(self) -> tree.Node:
        at = self._tokens.next.at
        path = self._path()
        if self._tokens.next.kind == "(":
            return self._call(".".join(path), at)
        return _named(path, at, bound=self._bindings > 0)

    def _path(self) -> tuple[str, ...]:
        parts = [self._tokens.advance().text.removeprefix("$")]
        while self._tokens.accept("."):
            parts.append(self._field())
        return tuple(parts)

    def _field(self) -> str:
        # Not the kind: after a dot a reserved word is as good a name as any.
        if not self._tokens.next.text.isidentifier():
            self._tokens.fail("a name after `.`")
        return self._tokens.advance().text

    def _call(self, function: str, at: int) -> tree.Node:
        builtin = called(function, at)
        return tree.Call(function, self._arguments(function, builtin, at), at)

    def _pipe(self) -> tree.Link:
        at = self._tokens.next.at
        if self._tokens.next.kind != "name":
            self._tokens.fail("the name of a filter after `|`")
        function = ".".join(self._path())
        builtin = PIPED.get(function)
        if builtin is None:
            arguments = self._listed(")") if self._tokens.accept("(") else ()
        else:
            arguments = self._arguments(function, builtin, at)
        if self._tokens.next.kind in _TIGHTER_THAN_PIPE:
            what = f"`{self._tokens.next.text}` binds tighter than the `|` before it"
            raise ExpressionError(what, self._tokens.next.at, f"write (... | {function})")
        if builtin is None:
            return tree.Filtered(function, arguments, at)
        if builtin.per_element:
            return tree.PipeEach(function, arguments[0], at)
        return tree.Pipe(function, arguments, at)

    def _arguments(self, function: str, builtin: Builtin, at: int) -> tuple[tree.Node, ...]:
        self._bindings += builtin.per_element
        self._commands += builtin.expands
        arguments = self._listed(")") if self._tokens.accept("(") else ()
        self._bindings -= builtin.per_element
        self._commands -= builtin.expands
        if not builtin.least <= len(arguments) <= builtin.most:
            wanted = " or ".join(map(str, range(builtin.least, builtin.most + 1)))
            plural = "" if wanted == "1" else "s"
            what = f"`{function}` takes {wanted} argument{plural}, not {len(arguments)}"
            raise ExpressionError(what, at)
        return arguments

    def _listed(self, closing: str) -> tuple[tree.Node, ...]:
        nodes: list[tree.Node] = []
        while not self._tokens.accept(closing):
            if nodes:
                self._tokens.expect(",")
            nodes.append(self._expression())
        return tuple(nodes)


def _chained(first: tree.Node, *links: tree.Link) -> tree.Node:
    if not links:
        return first
    if isinstance(first, tree.Chain):
        return tree.Chain(first.first, first.links + links)
    return tree.Chain(first, links)


def _number(text: str, at: int) -> int | float:
    try:
        number = bounded(int(text) if text.isdigit() else float(text))
    except ValueError:  # Python's limit of decimal digits
        raise ExpressionError("the number is too large", at) from None
    except ExpressionError as error:
        error.locate(at)
        raise
    return number
