"""The fields of a flow file that this version runs: what each takes, and one line of help.

The parsers know by these tables which fields there are; the JSON schema for editors is made from them.
"""

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

Shape: TypeAlias = str | tuple[str, ...]  # a definition of `json_schema`, or the accepted words


class Field(NamedTuple):
    """One field. The numbers in its help are sections of the language."""

    shape: Shape
    help: str


Table: TypeAlias = Mapping[str, Field]

PACKAGE: Table = {
    "name": Field("name", "name of the package; tasks are PACKAGE.TASK"),
    "desc": Field("text", "what the package is, in one line"),
    "doc": Field("text", "the same, as prose"),
    "with": Field("any", "variables of the package; expressions see them by name"),
    "tasks": Field("tasks", "the tasks"),
    "types": Field("types", "types of data items and of tags"),
    "filters": Field("filters", "functions for pipes in expressions"),
    "configs": Field("configurations", "named sets of changes, for `dfm run -c NAME`"),
    "fragments": Field("texts", "more files of the package, or folders with such"),
    "imports": Field("imports", "other packages, by name or by path"),
    "package-map": Field("text_or_texts", "files that say where packages are, by their names"),
    "overrides": Field("overrides", "tasks, and what is built in place of them"),
    "uses": Field("text", "a package whose tasks, variables and configurations this one inherits"),
    "tags": Field("tags", "tags of the package"),
    "type": Field("any", "accepted without effect"),
}
FRAGMENT: Table = {
    "name": Field("name", "a name of its own; tasks are then PACKAGE.FRAGMENT.TASK"),
    "tasks": Field("tasks", "more tasks of the package"),
    "types": Field("types", "more types"),
    "configs": Field("configurations", "more configurations"),
    "fragments": Field("texts", "more files of the package, or folders with such"),
    "imports": Field("imports", "packages that the package imports"),
    "filters": Field("filters", "functions for the right side of a pipe"),
}
IMPORT: Table = {
    "name": Field(
        "name", "name of the package; with `from` a pin: that file, wherever it is imported"
    ),
    "from": Field("name", "path of its flow file, or of a folder with one"),
    "as": Field("name", "another name for the package in this one"),
    "config": Field("name", "configuration of the package that is to be applied"),
    "with": Field("parameters", "values for variables of the package"),
}
PACKAGE_MAP: Table = {
    "version": Field("one", "1"),
    "packages": Field("mapped", "the packages"),
}
MAPPED: Table = {
    "name": Field("name", "name of a package"),
    "path": Field("name", "its flow file or folder, relative to the map"),
}

SHELLS = {"bash": "bash", "shell": "bash", "csh": "csh", "tcsh": "tcsh", "pytask": "python"}
NAMES: Table = {
    "name": Field("name", "name of the task"),
    "root": Field("name", "name of a task that users run; `dfm run` lists it"),
    "export": Field("name", "name of a task that other packages use"),
    "local": Field("name", "name of a task that is seen in this file only"),
    "override": Field(
        "name", "the task that this one replaces, of the base package; what it does not say stays"
    ),
}
SCOPED_NAMES: Table = {
    "name": Field("name", "its name"),
    "root": Field("name", "its name; `root` has no effect here"),
    "export": Field("name", "its name; other packages see it"),
    "local": Field("name", "its name; seen in this file only"),
}
TASK: Table = {
    "uses": Field("text_or_nothing", "the task or type that this one is made from; may hold ${{ }}"),
    "desc": Field("text", "what the task does, in one line"),
    "doc": Field("text", "the same, as prose"),
    "needs": Field("references", "tasks that are done first, and whose outputs come in"),
    "feeds": Field("references", "tasks that get this one as a need"),
    "with": Field("parameters", "parameters; the script finds NAME as $DFM_PARAM_NAME"),
    "scope": Field("scope", "who sees the task: root, export, local"),
    "iff": Field("any", "build the task only if this is true: a boolean or ${{ }}"),
    "run": Field("text", "the script; for `shell: pytask` Python"),
    "shell": Field("shell", "what runs the script; default: bash"),
    "pytask": Field("text", "older form of `run` with `shell: pytask`"),
    "body": Field("tasks", "tasks inside of this one, which makes it a compound"),
    "tasks": Field("tasks", "the same as `body`"),
    "strategy": Field("strategy", "makes several nodes of one task"),
    "consumes": Field("consumed", "which incoming items the task reads; default: all"),
    "passthrough": Field("passed", "which incoming items it hands on; default: unused"),
    "produces": Field("patterns", "what it may emit"),
    "rundir": Field(("unique", "inherit"), "a directory of its own, or that of the compound"),
    "uptodate": Field("uptodate", "false: always run; or a function of Python that decides"),
    "tags": Field("tags", "tags, such as std.ResourceTag"),
    "examples": Field("examples", "for readers of the documentation"),
    "cache": Field("cache", "whether its results may come from $DV_FLOW_CACHE"),
    "abstract": Field("flag", "only a base for `uses`: cannot be run"),
    "requires": Field("tags", "checks of the graph, for this task and those made from it"),
    "control": Field("control", "under which conditions, and how often, the body is done"),
    "set": Field("rebindings", "variables and parameters for all that is below this task"),
    "provide": Field("rebindings", "the same as `set`"),
    "let": Field("map", "older form: names that resolve() finds below this task"),
    "elaborate": Field("text", "module:function that makes the node of the graph"),
    "summary": Field("summary", "module:function that reports when the run is over"),
    "max_failures": Field("integer", "failures that a compound bears before it stops; -1: the default"),
    "on_error": Field("text", "module:function that decides what becomes of a failed compound"),
}  # fmt: skip
FILTER: Table = {
    "scope": Field("scope", "who sees the filter: root, export, local"),
    "with": Field("parameters", "its arguments, in order"),
    "desc": Field("text", "what it does, in one line"),
    "doc": Field("text", "the same, as prose"),
    "expr": Field("text", "an expression over `input`, $arg0, $arg1, ..."),
    "run": Field("text", "a script: JSON on its input and output; or Python with `def filter`"),
    "shell": Field(
        ("bash", "shell", "csh", "tcsh", "python", "pytask"), "what runs the script; default: bash"
    ),
}
FILTER_SHELLS = {**SHELLS, "python": "python"}
STRATEGY: Table = {
    "matrix": Field("map", "one node for each combination of the axes' values: {axis: [values]}"),
    "select": Field("select", "a family of variants, each a task of its own: TASK.VALUE.VALUE"),
    "generate": Field("generate", "a function of Python that makes the body"),
    "chain": Field("flag", "the tasks of the body one after the other"),
    "body": Field("tasks", "the same as the task's `body`"),
}
STRATEGIES = ("matrix", "generate", "select")  # of which a task has one
CONTROL_NEEDS = {
    "if": ("cond",),
    "match": ("cases",),
    "while": ("cond", "max_iter"),
    "do-while": ("until", "max_iter"),
    "repeat": ("count",),
}
CONTROL: Table = {
    "type": Field(tuple(CONTROL_NEEDS), "what kind"),
    "cond": Field("any", "of `if` and `while`: an expression"),
    "else": Field("tasks", "of `if`: what is done if `cond` is false"),
    "cases": Field("cases", "of `match`: the branches, of which the first that fits is done"),
    "until": Field("any", "of `do-while` and `repeat`: an expression that ends the loop"),
    "max_iter": Field("any", "of `while` and `do-while`: at most so many iterations"),
    "count": Field("any", "of `repeat`: how often"),
    "state": Field("state", "what iterations hand on"),
    "body": Field("tasks", "the same as the task's `body`"),
}
CASE: Table = {
    "when": Field("any", "an expression"),
    "default": Field("flag", "done if no case before is"),
    "body": Field("tasks", "the tasks of the case"),
}
STATE: Table = {
    "type": Field("any", "accepted without effect"),
    "init": Field("map", "the state of the first iteration"),
    "feedback": Field("any", "an expression: the items that come into the next iteration"),
}
TASK_SUMMARY = "task-summary"
SUMMARY: Table = {"builtin": Field((TASK_SUMMARY,), "task-summary: the usual one")}
SELECT: Table = {
    "axes": Field("map", "names of axes to lists of values"),
    "key": Field("text", "the name of a variant; default: the values joined by dots"),
    "default": Field("default", "what the family's own name means: all, none, or values of axes"),
}
REBINDING: Table = {
    "set": Field("assignments", "the parameters, each a map of names to values"),
    "uses": Field("text", "of nodes whose type fits this pattern"),
    "path": Field("text", "of nodes whose name fits this pattern"),
}
GENERATE: Table = {
    "run": Field("text", "several lines of Python, or module.function, called with ctxt and input"),
    "shell": Field(("pytask", "python"), "what the text is"),
}
PARAMETER: Table = {
    "type": Field("kind", "str, int, float, bool, list or map"),
    "value": Field("any", "the value; may hold ${{ }}"),
    "doc": Field("text", "what it is for"),
    "desc": Field("text", "what it is for"),
    "values": Field("accepted", "a closed set of values; with {of: [...], open: true} a hint"),
    "cli": Field("cli", "an option --NAME of `dfm run TASK`: true, false, {name, short, hidden}"),
    "append": Field("any", "put behind an inherited list"),
    "prepend": Field("any", "put before an inherited list"),
    "path-append": Field("any", "put behind an inherited path"),
    "path-prepend": Field("any", "put before an inherited path"),
}
ACCEPTED: Table = {
    "of": Field("list", "the values; one may be {value: ..., desc: ...}"),
    "open": Field("any", "true: other values are taken, too, with a warning"),
}
CLI: Table = {
    "name": Field("text", "the option's name; default: that of the parameter"),
    "short": Field("text", "one letter, for -X"),
    "hidden": Field("flag", "works, and is not in the help"),
}
TYPE: Table = {
    "name": Field("name", "name of the type"),
    "uses": Field("text", "the type that it is made from"),
    "doc": Field("any", "what it is"),
    "desc": Field("any", "what it is, in one line"),
    "with": Field("parameters", "its fields"),
    "tags": Field("tags", "tags of the type"),
    "check": Field("text", "of a check: module:function, called for each task that requires it"),
}
CONFIGURATION: Table = {
    "name": Field("name", "name, for `dfm run -c NAME`"),
    "desc": Field("any", "what it changes, in one line"),
    "doc": Field("any", "the same, as prose"),
    "uses": Field("text", "the configuration that this one goes on from"),
    "with": Field("parameters", "values for variables of the package"),
    "extensions": Field("extensions", "changes of tasks"),
    "overrides": Field("replacements", "tasks, and what is built in place of them"),
    "tasks": Field("tasks", "more tasks; one with `override` changes the task of that name"),
    "types": Field("types", "more types"),
    "imports": Field("imports", "more packages"),
    "fragments": Field("texts", "more files of the package"),
}
REPLACEMENT: Table = {
    "task": Field("name", "the task in place of which another is built"),
    "override": Field("name", "older spelling of `task`"),
    "package": Field("name", "the package in place of which another is meant"),
    "with": Field("text_or_task", "the other: its name, or a task"),
}
EXTENSION: Table = {
    "task": Field("name", "the task that is changed"),
    "with": Field("parameters", "values for its parameters"),
    "needs": Field("references", "more needs"),
    "uses": Field("any", "accepted without effect"),
}
EXAMPLE: Table = {
    "title": Field("text", "headline"),
    "code": Field("text", "the example itself"),
    "caption": Field("text", "what it shows"),
    "lang": Field("text", "language of the code; default: yaml"),
}
CACHE: Table = {
    "enabled": Field("flag", "whether results are kept"),
    "hash": Field("texts", "what else they depend on"),
    "compression": Field("compression", "no, gzip, bzip2 or yes"),
}
COMPRESSIONS = ("no", "gzip", "bzip2", "yes")
