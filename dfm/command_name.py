"""Keeps the commands `dfm` and `dfm-out` ours where the package dv-flow-mgr is installed as well.

Libraries of tasks bring that package along, and pip lets whoever comes last write `bin/dfm`: a script
that imports `main` from one of the modules below. `dfm_command.pth`, a file of ours that Python reads
when it starts, imports this module in processes of such a script, and in no other.
"""

import importlib.abc
import importlib.machinery
import sys
from types import ModuleType
from typing import Any

_PACKAGE = "dv_flow.mgr"
_MODULES = (_PACKAGE, f"{_PACKAGE}.__main__", f"{_PACKAGE}.out")


class Commands(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules that the scripts import."""

    def find_spec(
        self, fullname: str, path: Any = None, target: Any = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in _MODULES:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=fullname == _PACKAGE)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        match module.__name__:
            case "dv_flow.mgr.__main__":
                from dfm.__main__ import main

                vars(module)["main"] = main
            case "dv_flow.mgr.out":
                from dfm_worker.dfm_out import main as out

                vars(module)["main"] = out
            case _:
                vars(module)["__getattr__"] = _of_tasks


def _of_tasks(name: str) -> Any:
    """For plugins, which may import what tasks use."""
    from dfm_worker.python_names import names

    try:
        return names()[name]
    except KeyError:
        raise AttributeError(name) from None


sys.meta_path.insert(0, Commands())
