"""The process of one Python task: `python -m dfm_worker.python_task REQUEST ANSWER`, two file
descriptors of anonymous files. The answer is a TaskResult. In a process that python_template has
forked, `perform` is called instead.

The function runs in an event loop of its own. Standard output and error are the task's log.
"""

import ast
import asyncio
import importlib
import importlib.util
import inspect
import json
import linecache
import os
import re
import sys
import textwrap
import traceback
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

from dfm.wire.task import RESULT, Command, TaskResult, TaskSpec
from dfm_worker import python_class, python_names
from dfm_worker.python_api import (
    CompoundRunInput,
    FileSet,
    SubtaskSummary,
    TaskDataInput,
    TaskDataItem,
    TaskDataResult,
    TaskFailure,
    plain,
)
from dfm_worker.python_context import TaskRunCtxt
from dfm_worker.python_request import REQUEST, Request

# Where the frames are from that are not of the user's code.
_OURS = (
    *(os.path.dirname(file) for file in (__file__, asyncio.__file__, importlib.__file__)),
    "<frozen importlib",
)
_CLASSES: dict[str, type[TaskDataItem]] = {"std.FileSet": FileSet, "std.TaskFailure": TaskFailure}
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")


class NoSuchFunction(Exception):
    """A task names a module or function that is not there."""


def inline_function(body: str, name: str) -> Callable[..., Any]:
    """`async def` of a body that may await and return, whose lines count as the user wrote them."""
    source = textwrap.dedent(body)
    filename = f"<run of {name}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    statements = compile(source, filename, "exec", flags).body
    module = ast.parse("async def task(ctxt, input): pass")
    function = module.body[0]
    assert isinstance(function, ast.AsyncFunctionDef)
    function.body = statements or function.body
    names: dict[str, Any] = {"os": os, "__name__": "dfm_task"}
    exec(compile(ast.fix_missing_locations(module), filename, "exec"), names)
    found: Callable[..., Any] = names["task"]
    return found


def function_of_file(path: str, name: str, srcdir: str) -> Callable[..., Any]:
    """`file.py::function`, the file relative to the flow file."""
    place = os.path.join(srcdir, path)
    spec = importlib.util.spec_from_file_location("dfm_task_file", place)
    if spec is None or spec.loader is None or not os.path.isfile(place):
        raise NoSuchFunction(f"no Python file {place}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return _member(module, name, place)


def function_of_module(module: str, name: str) -> Callable[..., Any]:
    """`module.function`, found on the Python path, which the flow file's directory leads."""
    try:
        loaded = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise  # the module is there, and something that it imports is not
        raise NoSuchFunction(f"no Python module `{module}` on the path") from None
    return _member(loaded, name, module)


def _member(module: ModuleType, name: str, place: str) -> Callable[..., Any]:
    found = getattr(module, name, None)
    if not callable(found):
        raise NoSuchFunction(f"no function `{name}` in {place}")
    result: Callable[..., Any] = found
    return result


def find_function(run: str, name: str, srcdir: str) -> Callable[..., Any]:
    """The function that `run` means (section 30.1). `module:function` is the form of `on_error`."""
    line = run.strip()
    if "\n" in line:
        return inline_function(run, name)
    if "::" in line and " " not in line:
        path, _, function = line.rpartition("::")
        return function_of_file(path, function, srcdir)
    if re.fullmatch(r"[\w.]+:\w+", line):
        module, _, function = line.partition(":")
        return function_of_module(module, function)
    if _DOTTED.fullmatch(line):
        module, _, function = line.rpartition(".")
        return function_of_module(module, function)
    return inline_function(run, name)


def item(fields: dict[str, Any]) -> TaskDataItem:
    kind = _CLASSES.get(fields["type"], TaskDataItem)
    return kind(**fields)


def make_input(spec: TaskSpec, told: dict[str, str]) -> TaskDataInput:
    kind = CompoundRunInput if "subtasks" in told else TaskDataInput
    value = kind(
        name=spec.name,
        srcdir=spec.srcdir,
        rundir=spec.rundir,
        params=SimpleNamespace(**json.loads(spec.params)),
        inputs=[item(fields) for fields in json.loads(spec.inputs or b"[]")],
        changed=told.get("changed") == "true",
        memento=json.loads(spec.memento) if spec.memento is not None else None,
    )
    if "subtasks" in told:
        value.subtasks = [SubtaskSummary(*subtask) for subtask in json.loads(told["subtasks"])]
    return value


def make_context(spec: TaskSpec, told: dict[str, str]) -> TaskRunCtxt:
    return TaskRunCtxt(
        rundir=spec.rundir,
        root_rundir=told.get("root_rundir", ""),
        root_pkgdir=told.get("root_pkgdir", ""),
        cores=int(os.environ["DFM_CORES"]),
        types=json.loads(told.get("types", "{}")),
        again=json.loads(told.get("again", "{}")),
    )


async def call(function: Callable[..., Any], context: TaskRunCtxt, value: Any) -> Any:
    if python_class.is_task_class(function):
        return await python_class.run_class(function, context, value)  # type: ignore[arg-type]
    result = function(context, value)
    return await result if inspect.isawaitable(result) else result


async def is_up_to_date(function: Callable[..., Any], context: TaskRunCtxt, value: Any) -> bool:
    """Calls the function of `uptodate:` (section 33, rule 7)."""
    question = SimpleNamespace(**vars(value), exec=context.exec)
    result = function(question)
    return bool(await result if inspect.isawaitable(result) else result)


def run(spec: TaskSpec) -> bytes:
    """Calls the task's function; returns a packed TaskResult. What the function raises, or what cannot
    be made of its result, is the failure in that; the traceback goes to the log."""
    told = spec.python or {}
    context, value = make_context(spec, told), make_input(spec, told)
    failure, returned = "", TaskDataResult()
    try:
        function = find_function(spec.script, spec.name, told.get("flowdir") or spec.srcdir)
        if "record" in told:
            value.exec_data = json.loads(told["record"])
            returned.changed = not asyncio.run(is_up_to_date(function, context, value))
        else:
            returned = asyncio.run(call(function, context, value)) or returned
    except NoSuchFunction as error:
        failure = str(error)
        print(failure, file=sys.stderr)  # noqa: T201
    except (Exception, SystemExit, asyncio.CancelledError) as error:  # noqa: BLE001 - a user's code
        failure = f"{type(error).__name__}: {error}"
        print_traceback(error)
    try:
        return RESULT.pack(as_result(context, returned, failure))
    except Exception as error:  # noqa: BLE001 - of values that are no JSON
        print_traceback(error)
        context.markers.clear()
        failure = failure or f"{type(error).__name__}: {error}"
        return RESULT.pack(as_result(context, TaskDataResult(), failure))


def print_traceback(error: BaseException) -> None:
    """To the log, with the frames of the user's code; those of the errors that led to it, too."""
    whole = traceback.TracebackException.from_exception(error)
    one: traceback.TracebackException | None = whole
    while one is not None:
        theirs = [frame for frame in one.stack if not frame.filename.startswith(_OURS)]
        if theirs:
            one.stack[:] = theirs
        one = one.__cause__ or one.__context__
    print("".join(whole.format()), end="", file=sys.stderr)  # noqa: T201


def as_result(context: TaskRunCtxt, returned: Any, failure: str) -> TaskResult:
    status = getattr(returned, "status", 0)
    markers = [*context.markers, *getattr(returned, "markers", ())]
    memento = getattr(returned, "memento", None)
    return TaskResult(
        status=1 if failure else int(status),
        started_at=0.0,
        wall_ms=0.0,
        commands=[Command(words, code) for words, code in context.commands],
        warnings=[],
        output=_lines(getattr(returned, "output", ())),
        markers=_lines(markers),
        memento=None if memento is None else json.dumps(plain(memento)).encode(),
        changed=bool(getattr(returned, "changed", True)),
        failure=failure,
    )


def _lines(values: Any) -> bytes:
    return b"".join(json.dumps(plain(value)).encode() + b"\n" for value in values)


def perform(spec: TaskSpec, answer: int) -> None:
    """Runs the task of this process, and writes its result."""
    python_names.serve()
    told = spec.python or {}
    sys.path.insert(0, told.get("flowdir") or spec.srcdir)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr] # in order with errors
    result = run(spec)
    sys.stdout.flush()
    with open(answer, "wb") as file:
        file.write(result)


def read(request: int) -> bytes:
    """Whatever its offset is: a process that was given up may have read it before."""
    return os.pread(request, os.fstat(request).st_size, 0)


def main() -> None:
    request, answer = int(sys.argv[1]), int(sys.argv[2])
    told: Request = REQUEST.unpack(read(request))
    os.close(request)
    os.set_inheritable(answer, False)
    perform(told.spec, answer)


if __name__ == "__main__":
    main()
