"""Python functions that a flow names and dfm itself calls: checks, generators, summaries.

Other than tasks they run in this process, while the graph is built or when the run is over. What goes
wrong in them is a fault of the flow, told with the user's own frames.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_loaded: dict[str, str] = {}  # modules of users, by name: the folder that each was found from


class UserCodeError(Exception):
    """A function that is not there, or has raised. `frames` is a line for each frame of the user's."""

    def __init__(self, what: str, frames: str = "") -> None:
        super().__init__(what)
        self.frames = frames


def call(reference: str, subject: str, srcdir: str, *arguments: Any) -> Any:
    """Calls `module:function`, `module.function`, `file.py::function`, or a body of several lines
    with the arguments `ctxt` and `input`. Modules are found in `srcdir` first.

    Raises UserCodeError.
    """
    with _found_from(srcdir):
        try:
            return _call(_function(reference, subject, srcdir), arguments)
        except (UserCodeError, KeyboardInterrupt):
            raise
        except BaseException as error:  # noqa: BLE001 - a user's code may raise anything
            raise UserCodeError(f"{type(error).__name__}: {error}", _frames(error)) from None


def _function(reference: str, subject: str, srcdir: str) -> Callable[..., Any]:
    from dfm_worker import python_names, python_task  # it imports asyncio, and few flows need it

    python_names.serve()
    try:
        return python_task.find_function(reference, subject, srcdir)
    except python_task.NoSuchFunction as error:
        raise UserCodeError(str(error)) from None


def _call(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    import asyncio
    import inspect

    async def finish(waiting: Any) -> Any:
        return await waiting

    result = function(*arguments)
    return asyncio.run(finish(result)) if inspect.isawaitable(result) else result


@contextmanager
def _found_from(srcdir: str) -> Iterator[None]:
    """Imports look into `srcdir` first. Modules that were found from another folder are forgotten:
    two packages may have a `checks.py` each."""
    for name in [name for name, folder in _loaded.items() if folder != srcdir]:
        sys.modules.pop(name, None)
        del _loaded[name]
    before = set(sys.modules)
    sys.path.insert(0, srcdir)
    try:
        yield
    finally:
        if srcdir in sys.path:
            sys.path.remove(srcdir)
        for name in sys.modules.keys() - before:
            file = getattr(sys.modules[name], "__file__", None)
            if file and file.startswith(srcdir + os.sep):
                _loaded[name] = srcdir


def _frames(error: BaseException) -> str:
    """The user's, outermost first: what is dfm's own or Python's says nothing to them."""
    import traceback

    ours = (_PACKAGE, os.path.dirname(os.__file__) + os.sep, "<frozen ")
    worker = os.path.join(os.path.dirname(_PACKAGE), "dfm_worker")
    lines = [
        f"{frame.filename}:{frame.lineno} in {frame.name}: {frame.line}"
        for frame in traceback.extract_tb(error.__traceback__)
        if "site-packages" in frame.filename or not frame.filename.startswith((*ours, worker))
    ]
    return "\n".join(lines)
