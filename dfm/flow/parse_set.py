"""Reads `set:` and `let:` of a task (section 24)."""

from dfm.flow.declarations import Assignment, Rebinding, Task
from dfm.flow.document import Where, describe
from dfm.flow.fields import Reader
from dfm.flow.language import REBINDING
from dfm.graph.values import Value


def parse_set(reader: Reader, where: Where, value: Value) -> list[Rebinding]:
    """Variables that are rebound, and parameters that are forced on nodes of a type or name."""
    found = []
    for place, fields in reader.list_of_maps(where, value):
        if REBINDING.keys().isdisjoint(fields):
            found.append(Rebinding(place, _assignments(place, fields)))
            continue
        reader.only_known(place, fields, REBINDING, "a scope of `set`")
        texts = {key: reader.text(place.at(key), fields[key])
                 for key in ("uses", "path") if key in fields}  # fmt: skip
        if not texts:
            reader.problems.add(place, "a scope of `set` needs `uses` or `path`")
        if "set" not in fields:
            reader.problems.add(place, "a scope of `set` needs a `set` of its own")
        assignments = [
            assignment
            for inner, given in reader.list_of_maps(place.at("set"), fields.get("set"))
            for assignment in _assignments(inner, given)
        ]
        found.append(
            Rebinding(place, assignments, texts.get("uses", ""), texts.get("path", ""), True)
        )
    return found


def _assignments(where: Where, fields: dict[str, Value]) -> list[Assignment]:
    return [Assignment(name, value, where.at(name)) for name, value in fields.items()]


def parse_let(reader: Reader, task: Task, where: Where, value: Value) -> None:
    """What `resolve()` finds below the task."""
    if value is not None and not isinstance(value, dict):
        reader.problems.add(where, f"`let` must be a map, not {describe(value)}")
        return
    task.lets = dict(value or {})
