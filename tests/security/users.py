"""A second user of this host, who runs the same dfm. Needs root, `setpriv` and `unshare`."""

import os
import pwd
import shlex
import shutil
import stat
import subprocess
import sys
from pathlib import Path

from tests.integration.conftest import DFM, Done, Project

CAN_BE_HAD = os.geteuid() == 0 and all(map(shutil.which, ("setpriv", "unshare")))
NAMELESS = 54321  # a uid without an entry in passwd

_NEEDED = (Path(sys.base_prefix), Path(__file__).parents[2])  # Python, and this checkout


def uid_of(name: str) -> int:
    return pwd.getpwnam(name).pw_uid


def start_as(uid: int, project: Project, *words: str, **more: str) -> subprocess.Popen[str]:
    """dfm, as this user starts it; without its own HOME, the way a service account has none."""
    views = project.folder.parent / "views"
    environment = {name: value for name, value in project.environment.items() if name != "HOME"}
    as_user = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", *DFM, *words]
    process = subprocess.Popen(
        ["unshare", "--mount", "sh", "-ec", f"{_opening(views)} exec {shlex.join(as_user)}"],
        cwd=project.folder, env={**environment, **more}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    project.processes.append(process)
    return process


def dfm_as(uid: int, project: Project, *words: str, **more: str) -> Done:
    return project.end(start_as(uid, project, *words, **more), *words)


def _opening(views: Path) -> str:
    """Commands that show what dfm needs to others, also if it is in a home that is closed to them.
    In a mount namespace: the modes of this host stay as they are."""
    closed = {folder: needed for needed in _NEEDED for folder in [_closed_above(needed)] if folder}
    lines = []
    for number, (folder, needed) in enumerate(closed.items()):
        view = views / str(number)
        view.mkdir(parents=True, exist_ok=True)
        lines += [
            ["mount", "--bind", str(needed), str(view)],
            ["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", str(folder)],
            ["mkdir", "-p", str(needed)],
            ["mount", "--bind", str(view), str(needed)],
        ]
    return "".join(f"{shlex.join(line)}; " for line in lines)


def _closed_above(path: Path) -> Path | None:
    above = [folder for folder in path.parents if not folder.stat().st_mode & stat.S_IXOTH]
    return above[-1] if above else None
