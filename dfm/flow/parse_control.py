"""Reads `control:` of a task (section 20), but for the tasks of its branches."""

from dfm.flow.declarations import Branch, Control, Task
from dfm.flow.document import Where
from dfm.flow.fields import Reader
from dfm.flow.language import CASE, CONTROL, CONTROL_NEEDS, STATE
from dfm.graph.values import Value


def parse_control(reader: Reader, where: Where, value: Value) -> tuple[Control | None, Value]:
    """The control, and the tasks of `else`, which somebody else reads."""
    fields = reader.mapping(where, value)
    reader.ignore_unknown(where, fields, CONTROL, "`control`")
    kind = reader.one_of(where.at("type"), fields.get("type"), CONTROL_NEEDS)
    if kind not in CONTROL_NEEDS:
        return None, None
    missing = [key for key in CONTROL_NEEDS[kind] if fields.get(key) is None]
    for key in missing:
        reader.problems.add(where, f"`control` of type {kind} needs `{key}`")
    if missing:
        return None, None
    state = reader.mapping(where.at("state"), fields.get("state"))
    reader.ignore_unknown(where.at("state"), state, STATE, "`state`")
    control = Control(
        where, kind, fields.get("cond"), fields.get("until"),
        fields.get("count") if kind == "repeat" else fields.get("max_iter"),
        reader.mapping(where.at("state", "init"), state.get("init")), state.get("feedback"),
    )  # fmt: skip
    return control, fields.get("else") if kind == "if" else None


def cases(reader: Reader, where: Where, value: Value) -> list[tuple[Where, Value, Value]]:
    """Of a `match`: the place, the condition (None: the default) and the tasks of each case."""
    found: list[tuple[Where, Value, Value]] = []
    fields = value if isinstance(value, dict) else {}
    if fields.get("type") != "match":
        return found
    for place, case in reader.list_of_maps(where.at("cases"), fields.get("cases")):
        reader.only_known(place, case, CASE, "a case")
        is_default = case.get("default") is True
        if is_default == ("when" in case):
            reader.problems.add(place, "a case has either `when` or `default: true`")
        found.append((place, None if is_default else case.get("when", True), case.get("body")))
    return found


def check_control(reader: Reader, task: Task) -> None:
    """What is seen when all fields of the task are read."""
    if task.control is None:
        return
    if task.has_strategy:
        reader.problems.add(task.where.at("control"), "`control` and `strategy` exclude each other")
    if task.control.kind != "match":
        task.branches.insert(0, Branch("", None, task.body or []))
