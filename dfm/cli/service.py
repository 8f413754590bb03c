"""`dfm daemon service install`, `show` and `uninstall`: the daemon as a service of systemd."""

import getpass
import os
import pwd
import shlex
import subprocess
import sys

from dfm.cli.daemon import project_folder
from dfm.cli.unit import Service, text
from dfm.errors import DaemonError, UsageError

_SYSTEM_UNITS = "/etc/systemd/system"
_LINGER = "/var/lib/systemd/linger"
_ANSWER_S = 150.0  # starting and stopping a daemon have 90 s in the unit


def install(root: str, *, system: bool, user: str) -> int:
    """Writes the unit, and starts it where a manager runs. Raises UsageError, DaemonError."""
    service = _service(root, system=system, user=user)
    folder = _folder(system=system)
    path = os.path.join(folder, service.name)
    try:
        os.makedirs(folder, exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text(service))
    except OSError as error:
        hint = "--system is for root; without it the service is your own" if system else ""
        raise DaemonError(f"cannot write {path}: {error.strerror}", hint=hint) from None
    print(f"written: {path}")  # noqa: T201
    manager = _manager(system=system)
    start = [[*manager, "daemon-reload"], [*manager, "enable", "--now", service.name]]
    trouble = _no_manager(system=system)
    if trouble:
        _say_how(trouble, start, system=system)
        return 0
    for words in start:
        _run(words)
    print(f"started: {' '.join(manager)} status {service.name}")  # noqa: T201
    if not system and not os.path.exists(os.path.join(_LINGER, getpass.getuser())):
        print(f"it ends with your last login, unless: loginctl enable-linger {getpass.getuser()}")  # noqa: T201
    return 0


def show(root: str, *, system: bool, user: str) -> int:
    """Prints the unit that is installed, else the one that `install` would write."""
    service = _service(root, system=system, user=user, needs_user=False)
    path = os.path.join(_folder(system=system), service.name)
    try:
        with open(path, encoding="utf-8") as file:
            print(f"# {path}\n{file.read()}", end="")  # noqa: T201
    except OSError:
        print(f"# {path} (not installed)\n{text(service)}", end="")  # noqa: T201
    return 0


def uninstall(root: str, *, system: bool) -> int:
    """Stops the service and removes its unit. Raises DaemonError."""
    service = _service(root, system=system, user="", needs_user=False)
    path = os.path.join(_folder(system=system), service.name)
    if not os.path.exists(path):
        print(f"there is no {path}")  # noqa: T201
        return 0
    manager = _manager(system=system)
    is_managed = not _no_manager(system=system)
    if is_managed:
        _run([*manager, "disable", "--now", service.name])
    try:
        os.unlink(path)
    except OSError as error:
        raise DaemonError(f"cannot remove {path}: {error.strerror}") from None
    if is_managed:
        _run([*manager, "daemon-reload"])
    print(f"removed: {path}")  # noqa: T201
    return 0


def _service(root: str, *, system: bool, user: str, needs_user: bool = True) -> Service:
    project = os.path.abspath(project_folder(root))
    if not project.isprintable():
        raise UsageError(f"a unit cannot hold the path {project!r}")
    if user and not system:
        raise UsageError("--user goes with --system; a service of your own runs as you")
    if system and not user:
        if needs_user:
            raise UsageError(
                "--system needs --user NAME: whom the daemon runs as",
                hint="mostly the owner of the project's folder",
            )
        user = pwd.getpwuid(os.stat(project).st_uid).pw_name
    if user:
        try:
            pwd.getpwnam(user)
        except KeyError:
            raise UsageError(f"there is no user `{user}` on this host") from None
    return Service(project, user, os.environ)


def _folder(*, system: bool) -> str:
    if system:
        return _SYSTEM_UNITS
    home = os.environ.get("XDG_CONFIG_HOME", "")
    base = home if os.path.isabs(home) else os.path.join(os.path.expanduser("~"), ".config")
    return os.path.join(base, "systemd", "user")


def _manager(*, system: bool) -> list[str]:
    return ["systemctl"] if system else ["systemctl", "--user"]


def _no_manager(*, system: bool) -> str:
    """Why systemctl cannot be asked; empty if it can. By its socket, so that it need not answer."""
    if system:
        return "" if os.path.isdir("/run/systemd/system") else "systemd does not run on this host"
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime and os.path.exists(os.path.join(runtime, "systemd", "private")):
        return ""
    where = f"{runtime}/systemd/private is not there" if runtime else "XDG_RUNTIME_DIR is not set"
    return f"no systemd manager of {getpass.getuser()} runs here ({where})"


def _say_how(trouble: str, start: list[list[str]], *, system: bool) -> None:
    """What is to be done by hand."""
    lines = [f"not started: {trouble}", "where one runs, this starts it:"]
    lines += [f"  {shlex.join(words)}" for words in start]
    if not system:
        me = getpass.getuser()
        lines += [
            f"a login by ssh mostly brings one; `sudo loginctl enable-linger {me}` keeps it for good",
            f"where hosts have none: sudo dfm daemon service install --system --user {me}",
        ]
    print("\n".join(lines), file=sys.stderr)  # noqa: T201


def _run(words: list[str]) -> None:
    """Raises DaemonError in systemctl's own words."""
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, errors="replace", timeout=_ANSWER_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DaemonError(f"{shlex.join(words)}: {error}") from None
    if done.returncode:
        raise DaemonError(f"{shlex.join(words)}: {done.stderr.strip() or done.returncode}")
