"""The module `dv_flow.mgr`, as the code of Python tasks imports it: ours, whatever is installed.

Libraries of tasks are written against the Python package of that name, and bring it along. Its other
modules are not to be had here: two implementations of one name in one process do not mix.
"""

import importlib.abc
import importlib.machinery
import sys
from types import ModuleType
from typing import Any

from dfm.version import VERSION

NAME = "dv_flow.mgr"
_SERVED = (NAME, f"{NAME}.task_data", f"{NAME}.task_run_ctxt")


def names() -> dict[str, Any]:
    """What can be imported from it."""
    from dfm_worker import python_api, python_class, python_context  # they import asyncio

    found: dict[str, Any] = {"__version__": VERSION}
    for module in (python_api, python_context, python_class):
        public = getattr(module, "EXPORTED", None) or [
            name for name, value in vars(module).items()
            if name[0].isupper() and getattr(value, "__module__", "") == module.__name__
        ]  # fmt: skip
        found.update({name: getattr(module, name) for name in public})
    return found


def serve() -> None:
    """From now on imports of this process find these modules."""
    if not any(isinstance(finder, Served) for finder in sys.meta_path):
        sys.meta_path.insert(0, Served())
        sys.meta_path.append(Namespace())


class Served(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules that are ours."""

    def find_spec(
        self, fullname: str, path: Any = None, target: Any = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in _SERVED:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=fullname == NAME)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        vars(module).update(names())


class Namespace(importlib.abc.MetaPathFinder):
    """Makes `dv_flow` a package where nothing else does: asked last."""

    def find_spec(
        self, fullname: str, path: Any = None, target: Any = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != "dv_flow":
            return None
        spec = importlib.machinery.ModuleSpec(fullname, None, is_package=True)
        spec.submodule_search_locations = []
        return spec
