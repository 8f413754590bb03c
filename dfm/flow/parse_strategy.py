"""Reads `strategy:` of a task (section 19), but for the body in it."""

from dfm.flow.declarations import MISSING, Generate, Select, Task
from dfm.flow.document import Where, describe
from dfm.flow.fields import Reader
from dfm.flow.language import GENERATE, SELECT, STRATEGIES
from dfm.graph.values import Value

_PYTHON = ("pytask", "python")
_DEFAULTS = ("all", "none")


def parse_strategy(reader: Reader, task: Task, where: Where, fields: dict[str, Value]) -> None:
    """What the fields of a strategy say, put into the task."""
    several = [key for key in STRATEGIES if key in fields]
    if len(several) > 1:
        words = " and ".join(f"`{key}`" for key in several)
        reader.problems.add(where, f"a strategy is one of these, not {words}")
    if "matrix" in fields:
        task.matrix = reader.mapping(where.at("matrix"), fields["matrix"])
    if "generate" in fields:
        task.generate = _generate(reader, where.at("generate"), fields["generate"])
    if "select" in fields:
        task.select = _select(reader, where.at("select"), fields["select"])
    if "chain" in fields:
        task.is_chain = reader.flag(where.at("chain"), fields["chain"])


def _generate(reader: Reader, where: Where, value: Value) -> Generate | None:
    if not isinstance(value, dict):
        hint = f"write {{run: {value}}}" if isinstance(value, str) else ""
        reader.problems.add(where, f"`generate` must be a map, not {describe(value)}", hint=hint)
        return None
    reader.only_known(where, value, GENERATE, "`generate`")
    if "shell" in value:
        reader.one_of(where.at("shell"), value["shell"], _PYTHON)
    run = reader.text(where.at("run"), value.get("run"))
    return Generate(where, run) if run else None


def _select(reader: Reader, where: Where, value: Value) -> Select | None:
    fields = reader.mapping(where, value)
    reader.only_known(where, fields, SELECT, "`select`")
    axes = reader.mapping(where.at("axes"), fields.get("axes"))
    if not axes:
        reader.problems.add(where, "`select` needs `axes`, a map of names to lists")
        return None
    key = reader.text(where.at("key"), fields["key"]) if "key" in fields else ""
    default = fields.get("default", MISSING)
    if isinstance(default, str):
        reader.one_of(where.at("default"), default, _DEFAULTS)
    elif isinstance(default, dict):
        reader.only_known(where.at("default"), default, axes, "the `default` of these axes")
    elif default is not MISSING:
        what = f"`default` is all, none, or a map of axes to values, not {describe(default)}"
        reader.problems.add(where.at("default"), what)
    return Select(where, axes, key, default)


def check_strategy(reader: Reader, task: Task) -> None:
    """What is seen when all fields of the task are read."""
    where = task.where.at("strategy")
    if task.select is not None:
        if task.enclosing is not None:
            reader.problems.add(where, "`select` is for tasks of a package, not of a body")
        if task.body is not None and len(task.body) != 1:
            what = f"the body of a `select` is one task, this one has {len(task.body)}"
            reader.problems.add(where, what)
    if task.generate is not None and task.body:
        reader.problems.add(where, "`generate` makes the body: there can be no other")
