"""The arrows between the rooms: who may import whom. A new arrow is a decision, and a change here."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = {
    "dfm": ROOT / "dfm",
    "dfm_worker": ROOT / "dfm_worker",
    "dfm_daemon": ROOT / "daemon" / "dfm_daemon",
}
STDLIB = sys.stdlib_module_names

# Each room, and what it may import beside itself, the standard library and `dfm.errors`.
ARROWS: dict[str, set[str]] = {
    "dfm.errors": set(),
    "dfm.version": set(),
    "dfm.wire": {"msgpack"},
    "dfm.link": {"dfm.wire"},
    "dfm.credentials": {"dfm.wire"},
    "dfm.graph": set(),
    "dfm.config": {"yaml", "dfm.graph", "dfm.wire"},
    "dfm.flow": {"dfm.graph", "dfm.config", "yaml", "dfm_worker"},
    "dfm.engine": {"dfm.graph", "dfm.wire"},
    "dfm.runners": {"dfm.config", "dfm.wire", "dfm_worker"},
    "dfm.client": {
        "dfm.wire", "dfm.link", "dfm.credentials", "dfm.config", "dfm.version", "msgpack",
    },
    "dfm.cli": {
        "dfm.flow", "dfm.graph", "dfm.engine", "dfm.runners", "dfm.client", "dfm.config",
        "dfm.version", "dfm_worker", "dfm.wire", "typer", "rich", "textual", "uvloop",
    },
    "dfm.__main__": {"dfm.cli", "dfm_worker"},
    "dfm.command_name": {"dfm.__main__", "dfm_worker"},
    "dfm_worker": {"dfm.wire", "dfm.credentials", "dfm.version", "msgpack"},
    "dfm_daemon.core": {"dfm.wire"},
    "dfm_daemon.shell": {
        "dfm_daemon.core", "dfm.wire", "dfm.link", "dfm.credentials", "dfm.runners", "dfm.config",
        "dfm.version", "cryptography",
    },
    "dfm_daemon.__main__": {"dfm_daemon.shell", "dfm.config", "dfm.runners", "uvloop"},
    "dfm_daemon.gc": {"dfm_daemon.shell", "dfm.config", "dfm.runners"},
}  # fmt: skip

# Rooms and files that decide, and so know no clock, no process and no socket.
PURE = ("dfm.wire", "dfm.graph", "dfm_daemon.core", "dfm_worker.agent")
IMPURE = {"asyncio", "datetime", "os", "random", "socket", "subprocess", "threading", "time"}

# Of a room as a whole only these modules may use an arrow.
ONLY = {
    ("dfm.config", "dfm.graph"): {"dfm.config.resources"},
    ("dfm.config", "dfm.wire"): {"dfm.config.resources"},
    ("dfm.runners", "dfm_worker"): {
        "dfm.runners.local",
        "dfm.runners.processes",
        "dfm.runners.adopted",
    },
    ("dfm.runners", "dfm.wire"): {"dfm.runners.local"},
    ("dfm.flow", "dfm_worker"): {
        "dfm.flow.plugins",  # the names that plugins import
        "dfm.flow.user_code",  # finds functions as tasks do
    },
    ("dfm.cli", "dfm.wire"): {
        f"dfm.cli.monitor.{name}" for name in ("history", "status_bar", "tables", "view")
    },
    ("dfm.cli", "textual"): {"dfm.cli.monitor.app"},
    ("dfm.cli", "dfm_worker"): {"dfm.cli.app", "dfm.cli.execute"},
}


def modules() -> Iterator[tuple[str, Path]]:
    for package, folder in SOURCES.items():
        for file in sorted(folder.rglob("*.py")):
            parts = file.relative_to(folder).with_suffix("").parts
            name = ".".join([package, *(part for part in parts if part != "__init__")])
            yield name, file


def imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: a relative import"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(module: str) -> str | None:
    """The room of a module, or the package that is none of ours; None for the standard library."""
    matches = [name for name in ARROWS if module == name or module.startswith(f"{name}.")]
    if matches:
        return max(matches, key=len)
    package = module.split(".")[0]
    return None if package in STDLIB else package


@pytest.mark.parametrize(("name", "file"), list(modules()))
def test_a_module_imports_only_what_its_room_may(name: str, file: Path) -> None:
    home = room(name)
    if name in SOURCES:
        assert file.stat().st_size == 0, "the __init__ of a package is empty"
        return
    assert home in ARROWS, f"{name} is in no room"
    for imported in imports(file):
        target = room(imported)
        if target is None or target in (home, "dfm.errors"):
            continue
        assert target in ARROWS[home], f"{name} imports {imported}: {home} may not use {target}"
        allowed = ONLY.get((home, target))
        assert allowed is None or name in allowed, f"{name} may not use {target}"


def test_every_arrow_is_used() -> None:
    used: dict[str, set[str]] = {home: set() for home in ARROWS}
    for name, file in modules():
        home = room(name)
        if home in ARROWS:
            used[home] |= {target for target in map(room, imports(file)) if target}
    for home, targets in ARROWS.items():
        assert targets <= used[home], f"{home} does not use {targets - used[home]} any more"


@pytest.mark.parametrize(
    ("name", "file"), [(name, file) for name, file in modules() if name.startswith(PURE)]
)
def test_a_module_that_decides_touches_nothing_outside(name: str, file: Path) -> None:
    found = {imported.split(".")[0] for imported in imports(file)} & IMPURE
    assert not found, f"{name} imports {found}"


def modules_after(*words: str) -> set[str]:
    """`sys.modules` of a process that ran these statements."""
    script = f"import json, sys\n{'; '.join(words)}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    return set(json.loads(done.stdout))


def test_a_worker_loads_neither_typer_nor_yaml_nor_the_flow_language() -> None:
    loaded = modules_after("import dfm_worker.worker", "import dfm_worker.__main__")
    heavy = {"typer", "yaml", "asyncio", "subprocess", "uvloop", "rich", "dataclasses", "logging"}
    assert not loaded & heavy
    rooms = {name for name in loaded if name.startswith("dfm.")}
    assert {room(name) for name in rooms} <= {
        "dfm.wire", "dfm.credentials", "dfm.errors", "dfm.version",
    }  # fmt: skip


def test_dfm_run_loads_no_loop_and_no_display_before_something_has_to_run() -> None:
    loaded = modules_after("import dfm.cli.app", "import dfm.cli.run")
    assert not loaded & {"asyncio", "uvloop", "ssl", "rich", "msgpack._unpacker", "cryptography"}


def test_help_loads_the_command_line_only() -> None:
    loaded = modules_after("import dfm.cli.app")
    assert {name for name in loaded if name.startswith("dfm.")} <= {
        "dfm.cli", "dfm.cli.app", "dfm.cli.daemon_commands", "dfm.cli.flow_commands",
        "dfm.cli.options", "dfm.cli.show_commands", "dfm.cli.site_commands", "dfm.errors",
        "dfm.version",
    }  # fmt: skip
    assert not loaded & {"yaml", "asyncio", "rich"}


def test_the_package_that_a_worker_reads_first_is_empty() -> None:
    assert not (ROOT / "dfm" / "__init__.py").read_text()


def test_there_is_no_import_package_called_daemon() -> None:
    assert not (ROOT / "daemon" / "__init__.py").exists()
