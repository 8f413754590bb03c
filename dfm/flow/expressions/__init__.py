"""The language between `${{` and `}}`: pure but for the built-in `shell`, ignorant of tasks and files."""

from dfm.flow.expressions.errors import ExpressionError, NameUnknown
from dfm.flow.expressions.expression import Expression, Template, parse, template
from dfm.flow.expressions.scope import Reference, Scope
from dfm.flow.expressions.values import as_text, truth
from dfm.graph.values import Value

__all__ = [
    "Expression",
    "ExpressionError",
    "NameUnknown",
    "Reference",
    "Scope",
    "Template",
    "Value",
    "as_text",
    "parse",
    "template",
    "truth",
]
