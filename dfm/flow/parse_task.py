"""Reads one task of a flow file, with its body (section 10)."""

from collections.abc import Callable

from dfm.flow import plugins
from dfm.flow.declarations import Branch, CachePolicy, Context, Requirement, TagUse, Task
from dfm.flow.document import Where, describe
from dfm.flow.fields import Reader
from dfm.flow.language import (
    CACHE,
    COMPRESSIONS,
    EXAMPLE,
    NAMES,
    SHELLS,
    STRATEGY,
    SUMMARY,
    TASK,
    TASK_SUMMARY,
)
from dfm.flow.parse_control import cases, check_control, parse_control
from dfm.flow.parse_parameters import parse_parameters
from dfm.flow.parse_set import parse_let, parse_set
from dfm.flow.parse_strategy import check_strategy, parse_strategy
from dfm.graph.values import Value

_SCOPES = ("root", "export", "local")


def parse_task(
    reader: Reader, where: Where, fields: dict[str, Value], context: Context, *,
    prefix: str, enclosing: Task | None = None,
) -> Task | None:  # fmt: skip
    """A task whose full name is `prefix.NAME`; None if it has no name."""
    named = [key for key in NAMES if key in fields]
    if len(named) != 1:
        if named:
            words = " and ".join(f"`{key}`" for key in named)
            reader.problems.add(where, f"a task has one name, this one has {words}")
        else:
            reader.problems.add(
                where, "a task needs a name: one of `name`, `root`, `export`, `local`"
            )
        return None
    key = named[0]
    short = reader.name(where.at(key), fields[key])
    if not short:
        return None
    if key == "override" and enclosing is not None:
        reader.problems.add(where.at(key).key(), "`override` stands in no body of a task")
        return None
    task = Task(f"{prefix}.{short}", short, where, context, named_by=key, enclosing=enclosing)
    if key == "override":
        task.mentions = frozenset(fields)
    if key in _SCOPES:
        task.scopes = frozenset({key})
    for field, value in fields.items():
        read = _FIELDS.get(field)
        if read is not None:
            read(reader, task, where, value)
        elif field not in NAMES:
            reader.unknown(where, field, {*_FIELDS, *NAMES}, "a task")
    check_strategy(reader, task)
    check_control(reader, task)
    return task


def parse_body(
    reader: Reader, where: Where, value: Value, context: Context, enclosing: Task
) -> list[Task]:
    """The tasks of a body, after those that it has already; no two of one name."""
    tasks = {task.short: task for task in enclosing.body or ()}
    for place, fields in reader.list_of_maps(where, value):
        task = parse_task(
            reader, place, fields, context, prefix=enclosing.name, enclosing=enclosing
        )
        if task is None:
            continue
        if task.short in tasks:
            twice(reader, task, tasks[task.short])
        tasks[task.short] = task
    return list(tasks.values())


def twice(reader: Reader, task: Task, first: Task) -> None:
    reader.problems.add(
        task.where.at(task.named_by), f"task `{task.name}` is declared twice",
        hint=f"first at {first.place}",
    )  # fmt: skip


def _text(attribute: str, key: str) -> Callable[[Reader, Task, Where, Value], None]:
    def read(reader: Reader, task: Task, where: Where, value: Value) -> None:
        setattr(task, attribute, reader.text(where.at(key), value))

    return read


def _references(attribute: str, key: str) -> Callable[[Reader, Task, Where, Value], None]:
    def read(reader: Reader, task: Task, where: Where, value: Value) -> None:
        setattr(task, attribute, reader.references(where.at(key), value))

    return read


def _uses(reader: Reader, task: Task, where: Where, value: Value) -> None:
    task.uses = reader.text(where.at("uses"), value) if value is not None else ""


def _params(reader: Reader, task: Task, where: Where, value: Value) -> None:
    task.params = parse_parameters(reader, where.at("with"), value, task.context)


def _scope(reader: Reader, task: Task, where: Where, value: Value) -> None:
    words = [value] if isinstance(value, str) else reader.texts(where.at("scope"), value)
    task.scopes = task.scopes | frozenset(words)


def _iff(reader: Reader, task: Task, where: Where, value: Value) -> None:
    if isinstance(value, bool) or (isinstance(value, str) and "${{" in value):
        task.iff = value
    elif value is not None:
        what = f"`iff` is {describe(value)}, which is always true"
        hint = "true, false or ${{ ... }} is wanted"
        reader.problems.warn(where.at("iff"), what, hint=hint)


def _run(reader: Reader, task: Task, where: Where, value: Value) -> None:
    task.run = reader.text(where.at("run"), value)
    task.shell = task.shell or "bash"


def _shell(reader: Reader, task: Task, where: Where, value: Value) -> None:
    where = where.at("shell")
    name = reader.text(where, value)
    if name and name not in SHELLS:
        of_plugins = plugins.find().shells
        if name not in of_plugins:
            for text in plugins.find().broken:
                reader.problems.remark(text)
            name = reader.one_of(where, value, [*SHELLS, *of_plugins])
    if task.run_field != "pytask":
        task.shell = SHELLS.get(name, name or "bash")


def _pytask(reader: Reader, task: Task, where: Where, value: Value) -> None:
    task.run, task.run_field = reader.text(where.at("pytask"), value), "pytask"
    task.shell = "python"


def _body(key: str) -> Callable[[Reader, Task, Where, Value], None]:
    def read(reader: Reader, task: Task, where: Where, value: Value) -> None:
        task.body = parse_body(reader, where.at(key), value, task.context, task)

    return read


def _strategy(reader: Reader, task: Task, where: Where, value: Value) -> None:
    where = where.at("strategy")
    fields = reader.mapping(where, value)
    reader.ignore_unknown(where, fields, STRATEGY, "`strategy`")
    parse_strategy(reader, task, where, fields)
    if "body" in fields:
        _body("body")(reader, task, where, fields["body"])


def _patterns(reader: Reader, where: Where, value: Value) -> list[dict[str, Value]]:
    if not isinstance(value, list):
        reader.problems.add(where, f"must be a list of patterns, not {describe(value)}")
        return []
    found: list[dict[str, Value]] = []
    for number, element in enumerate(value):
        if isinstance(element, str):
            found.append({"type": element})
        else:
            found.append(reader.mapping(where.at(number), element))
    return found


def _selection(
    attribute: str, words: tuple[str, ...]
) -> Callable[[Reader, Task, Where, Value], None]:
    def read(reader: Reader, task: Task, where: Where, value: Value) -> None:
        where = where.at(attribute)
        if isinstance(value, str):
            setattr(task, attribute, reader.one_of(where, value, words))
        elif value is not None:
            setattr(task, attribute, _patterns(reader, where, value))

    return read


def _produces(reader: Reader, task: Task, where: Where, value: Value) -> None:
    if value is not None:
        task.produces = _patterns(reader, where.at("produces"), value)


def _rundir(reader: Reader, task: Task, where: Where, value: Value) -> None:
    task.rundir = reader.one_of(where.at("rundir"), value, ("unique", "inherit"))


def _uptodate(reader: Reader, task: Task, where: Where, value: Value) -> None:
    if isinstance(value, bool):
        task.uptodate = value
    else:
        task.uptodate = reader.text(where.at("uptodate"), value)


def parse_tags(reader: Reader, where: Where, value: Value) -> list[TagUse]:
    """`tags:` of a task, type or package (section 25)."""
    return _uses_of_types(reader, where, value, "a tag")


def _uses_of_types(reader: Reader, where: Where, value: Value, what: str) -> list[TagUse]:
    """A list of types, each alone or as a map of one type to the values of its fields."""
    if value is None:
        return []
    if not isinstance(value, list):
        name = where.path[-1]
        reader.problems.add(where, f"`{name}` must be a list, not {describe(value)}")
        return []
    found = []
    for number, element in enumerate(value):
        place = where.at(number)
        if isinstance(element, str):
            found.append(TagUse(element, place, {}))
        elif isinstance(element, dict) and len(element) == 1:
            name, fields = next(iter(element.items()))
            found.append(TagUse(name, place, reader.mapping(place.at(name), fields)))
        else:
            reader.problems.add(place, f"{what} is a type, or a map of one type to its fields")
    return found


def _tags(reader: Reader, task: Task, where: Where, value: Value) -> None:
    task.tags = parse_tags(reader, where.at("tags"), value)


def _requires(reader: Reader, task: Task, where: Where, value: Value) -> None:
    task.requires = [
        Requirement(use.type, use.where, use.fields)
        for use in _uses_of_types(reader, where.at("requires"), value, "a check")
    ]


def _control(reader: Reader, task: Task, where: Where, value: Value) -> None:
    where = where.at("control")
    task.control, other = parse_control(reader, where, value)
    if isinstance(value, dict) and "body" in value:
        _body("body")(reader, task, where, value["body"])
    task.body = task.body or []
    if other is not None:
        task.branches.append(Branch("_else", None, _branch(reader, task, where.at("else"), other)))
    for number, (place, when, body) in enumerate(cases(reader, where, value)):
        tasks = _branch(reader, task, place.at("body"), body)
        task.branches.append(Branch(f"_{number}", when, tasks))


def _branch(reader: Reader, task: Task, where: Where, value: Value) -> list[Task]:
    """Tasks of a branch, which may have the names of those of another."""
    found: dict[str, Task] = {}
    for place, fields in reader.list_of_maps(where, value):
        made = parse_task(reader, place, fields, task.context, prefix=task.name, enclosing=task)
        if made is not None:
            if made.short in found:
                twice(reader, made, found[made.short])
            found[made.short] = made
    return list(found.values())


def _set(key: str) -> Callable[[Reader, Task, Where, Value], None]:
    def read(reader: Reader, task: Task, where: Where, value: Value) -> None:
        task.sets = [*task.sets, *parse_set(reader, where.at(key), value)]

    return read


def _let(reader: Reader, task: Task, where: Where, value: Value) -> None:
    parse_let(reader, task, where.at("let"), value)


def _examples(reader: Reader, task: Task, where: Where, value: Value) -> None:
    """For those who read about the task."""
    for place, fields in reader.list_of_maps(where.at("examples"), value):
        reader.only_known(place, fields, EXAMPLE, "an example")
        example: dict[str, str] = {}
        for key in EXAMPLE:
            if key in fields:
                example[key] = reader.text(place.at(key), fields[key])
        if "code" not in fields:
            reader.problems.add(place, "an example needs `code`")
        task.examples.append({"lang": "yaml", **example})


def _cache(reader: Reader, task: Task, where: Where, value: Value) -> None:
    where = where.at("cache")
    if isinstance(value, bool):
        task.cache = CachePolicy(value, [], "no")
        return
    fields = reader.mapping(where, value)
    reader.only_known(where, fields, CACHE, "`cache`")
    is_enabled = (
        reader.flag(where.at("enabled"), fields["enabled"]) if "enabled" in fields else True
    )
    texts = reader.texts(where.at("hash"), fields.get("hash"))
    compression = fields.get("compression", False)
    if isinstance(compression, bool):  # unquoted, `no` is one
        compression = "yes" if compression else "no"
    word = reader.one_of(where.at("compression"), compression, COMPRESSIONS)
    task.cache = CachePolicy(is_enabled, texts, "gzip" if word == "yes" else word)


def _abstract(reader: Reader, task: Task, where: Where, value: Value) -> None:
    task.abstract = reader.flag(where.at("abstract"), value)


def _max_failures(reader: Reader, task: Task, where: Where, value: Value) -> None:
    task.max_failures = reader.integer(where.at("max_failures"), value)


def _function(attribute: str) -> Callable[[Reader, Task, Where, Value], None]:
    def read(reader: Reader, task: Task, where: Where, value: Value) -> None:
        text = reader.text(where.at(attribute), value)
        module, colon, function = text.partition(":")
        if not colon:
            module, _, function = text.rpartition(".")
        if not module or not function:
            reader.problems.add(where.at(attribute), f"`{text}` is not module:function")
        setattr(task, attribute, f"{module}:{function}")

    return read


def _summary(reader: Reader, task: Task, where: Where, value: Value) -> None:
    if not isinstance(value, dict):
        _function("summary")(reader, task, where, value)
        return
    place = where.at("summary")
    reader.only_known(place, value, SUMMARY, "`summary`")
    reader.one_of(place.at("builtin"), value.get("builtin"), (TASK_SUMMARY,))
    task.summary = ""


_FIELDS: dict[str, Callable[[Reader, Task, Where, Value], None]] = {
    "uses": _uses,
    "desc": _text("desc", "desc"),
    "doc": _text("doc", "doc"),
    "needs": _references("needs", "needs"),
    "feeds": _references("feeds", "feeds"),
    "with": _params,
    "scope": _scope,
    "iff": _iff,
    "run": _run,
    "shell": _shell,
    "pytask": _pytask,
    "body": _body("body"),
    "tasks": _body("tasks"),
    "strategy": _strategy,
    "consumes": _selection("consumes", ("all", "none")),
    "passthrough": _selection("passthrough", ("all", "none", "unused")),
    "produces": _produces,
    "rundir": _rundir,
    "uptodate": _uptodate,
    "tags": _tags,
    "examples": _examples,
    "cache": _cache,
    "requires": _requires,
    "control": _control,
    "set": _set("set"),
    "provide": _set("provide"),
    "let": _let,
    "abstract": _abstract,
    "max_failures": _max_failures,
    "summary": _summary,
    "elaborate": _function("elaborate"),
    "on_error": _function("on_error"),
}
assert _FIELDS.keys() == TASK.keys(), "every field of the table has its reader"
