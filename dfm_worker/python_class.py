"""Tasks that are classes: `PyTask` of section 30.1.

@dataclasses.dataclass
class Report(PyTask):
    @dataclasses.dataclass
    class Params:
        title: str = ""

    async def __call__(self):
        return f"echo {self.params.title}"      # a text is run as a shell script
"""

import dataclasses
import inspect
from types import SimpleNamespace
from typing import Any, TypeVar

from dfm_worker.python_api import TaskDataResult
from dfm_worker.python_context import TaskRunCtxt

EXPORTED = ("PyPkg", "PyTask", "pypkg", "pytask")
Made = TypeVar("Made")


class PyTask:
    """Base of such classes. An object is made for each execution; `_ctxt` and `_input` are its context
    and input, `params` its parameters: a `Params` if the class has one."""

    Params: Any = None
    _ctxt: TaskRunCtxt
    _input: Any
    params: Any

    async def __call__(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no __call__")


class PyPkg:
    """Base of packages that are written in Python, which cannot be loaded: flow files bring packages."""


def pytask(*_words: Any, **_fields: Any) -> Any:
    """Marks a function or class as a task of a Python package; both stay what they are."""
    return _marked(_words)


def pypkg(*_words: Any, **_fields: Any) -> Any:
    """The same for a package."""
    return _marked(_words)


def _marked(words: tuple[Any, ...]) -> Any:
    """With or without arguments: `@pytask` and `@pytask(...)`."""
    return words[0] if len(words) == 1 and callable(words[0]) else lambda made: made


def is_task_class(value: Any) -> bool:
    """Whether it is to be instantiated and not called with context and input."""
    return inspect.isclass(value) and issubclass(value, PyTask)


async def run_class(made: type[PyTask], context: TaskRunCtxt, value: Any) -> Any:
    """Makes an object of the class, and calls it. Raises what the class does."""
    task = made()
    task._ctxt, task._input = context, value
    task.params = parameters(made, value.params)
    result = task()  # type: ignore[operator,unused-ignore]
    result = await result if inspect.isawaitable(result) else result
    if isinstance(result, str):
        status = await context.exec(
            ["/bin/bash", "-c", result], logfile=f"{value.name.replace('/', '_')}_script.log"
        )
        return TaskDataResult(status=status)
    return result


def parameters(made: type[PyTask], given: SimpleNamespace) -> Any:
    """The task's parameters as its `Params`, which may have fewer or more fields."""
    kind: Any = made.Params
    if kind is None:
        return given
    if hasattr(kind, "__dataclass_fields__"):
        known = {field.name for field in dataclasses.fields(kind)}
        return kind(**{name: one for name, one in vars(given).items() if name in known})
    result = kind()
    vars(result).update(vars(given))
    return result
