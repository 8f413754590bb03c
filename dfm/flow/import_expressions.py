"""Expressions in names and paths of imports: they see the environment, and the variables of the
package that imports, as its configuration and the command line leave them (section 7)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from dfm.flow.command_line import variables_of
from dfm.flow.declarations import Context, Package, Parameter, Program
from dfm.flow.document import Where
from dfm.flow.expressions import ExpressionError, as_text
from dfm.flow.parameters import BadValue
from dfm.flow.problems import Problems
from dfm.flow.shapes import Merged
from dfm.flow.templates import evaluate, has_expressions, report
from dfm.flow.world import Scope, World


class Outside(NamedTuple):
    """What is the same for all packages."""

    environ: Mapping[str, str]
    root_file: str
    definitions: Sequence[str]  # -D


class Expansion:
    """Expands the texts of one package."""

    def __init__(
        self,
        package: Package,
        variables: Mapping[str, Merged],
        writings: Iterable[Parameter],
        outside: Outside,
        problems: Problems,
    ) -> None:
        """`writings` are values of configurations and of imports. Raises UsageError for a `-D` that a
        variable cannot have."""
        self._package = package
        self._problems = problems
        values = dict(variables)
        for one in writings:
            is_foreign = one.context.package != package.name  # whose variables are not known yet
            if one.name in values and not (is_foreign and any(map(has_expressions, one.parts()))):
                values[one.name] = values[one.name].changed_by(one)
        self._values = values
        self._outside = outside
        self._world: World | None = None

    def expand(self, text: str, where: Where, context: Context) -> str:
        """The text with its expressions replaced; empty after the fault is said."""
        if "${{" not in text:
            return text
        try:
            return as_text(evaluate(text, Scope(self._made(), context)))
        except ExpressionError as error:
            report(error, where, text, self._problems, f"import `{text}`")
        except BadValue:
            pass
        return ""

    def of_package(self, text: str, where: Where) -> str:
        """The same for a text that stands where the package's own file is."""
        return self.expand(text, where, self._package.context)

    def _made(self) -> World:
        if self._world is None:
            name, values, outside = self._package.name, self._values, self._outside
            self._world = World(
                Program(self._package, {name: self._package}, {}, {}), self._problems,
                environ=outside.environ, root_file=outside.root_file, variables={name: values},
                overrides={name: variables_of(name, values, outside.definitions)},
            )  # fmt: skip
        return self._world
