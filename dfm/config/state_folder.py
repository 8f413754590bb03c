"""`<project>/.dfm/`: what the processes of one project find each other by, and who may look."""

import os
import stat
from collections.abc import Mapping

from dfm.errors import DaemonError

_MOST_BYTES = 107  # sun_path of sockaddr_un is 108 with its NUL: unix(7)
_EVERYBODYS = "/tmp"
_THROUGH = 0o711


class StateFolder:
    """The paths below one project's `.dfm/`. The constructor touches no file."""

    __slots__ = (
        "config",
        "credentials",
        "daemon_json",
        "journal",
        "lock",
        "log",
        "path",
        "project",
        "workers",
    )

    def __init__(self, project: str, path: str | None = None) -> None:
        """`path`: the state is kept there; of a daemon that serves one run only."""
        self.project = os.path.abspath(project)
        self.path = path or os.path.join(self.project, ".dfm")
        self.config = os.path.join(self.path, "config.yaml")
        self.daemon_json = os.path.join(self.path, "daemon.json")
        self.journal = os.path.join(self.path, "jobs.journal")
        self.lock = os.path.join(self.path, "daemon.lock")
        self.log = os.path.join(self.path, "daemon.log")
        self.workers = os.path.join(self.path, "workers")
        self.credentials = os.path.join(self.path, "credentials")

    def make(self) -> None:
        """Makes the folder with mode 0700; takes group and others out of one that is ours, but for
        the way through it that `let_others_through` has made.

        It may be a link to a folder elsewhere. Raises DaemonError.
        """
        try:
            try:
                os.mkdir(self.path, 0o700)
            except FileExistsError:
                pass
            _close_to_others(self.path, os.O_DIRECTORY)
        except OSError as error:
            raise DaemonError(f"cannot make the folder {self.path}: {error.strerror}") from error

    def let_others_through(self, socket: str, *, allowed: bool) -> None:
        """Whether other users get to the daemon's socket and to `daemon.json`. They cannot list the
        folder, and all else in it is closed to them. Raises DaemonError."""
        try:
            for folder in {self.path, os.path.dirname(socket)}:
                if allowed:
                    os.chmod(folder, _THROUGH)
                elif stat.S_IMODE(os.stat(folder).st_mode) == _THROUGH:
                    os.chmod(folder, 0o700)
        except OSError as error:
            raise DaemonError(
                f"cannot set the mode of {error.filename}: {error.strerror}"
            ) from error

    def socket_path(
        self, environ: Mapping[str, str], *, in_project: bool = True, for_others: bool = False
    ) -> str:
        """Where the daemon's Unix socket goes: into the project, if the kernel takes so long a path.

        `in_project=False`: its filesystem cannot hold sockets. Elsewhere means a folder of our own,
        which is made; `for_others`, not in $XDG_RUNTIME_DIR, which is closed to them. Raises
        DaemonError if somebody else's is in its place.
        """
        path = os.path.join(self.path, "daemon.sock")
        if in_project and _fits(path):
            return path
        runtime = "" if for_others else environ.get("XDG_RUNTIME_DIR", "")
        name = self._socket_folder_name()
        for base in (runtime, _EVERYBODYS):
            path = os.path.join(base, name, "daemon.sock")
            if os.path.isabs(base) and _fits(path) and _make_private(os.path.dirname(path)):
                return path
        raise DaemonError(
            f"no place for the daemon's socket: {self.path} is too long a path, or cannot hold"
            f" sockets, and neither {runtime or 'XDG_RUNTIME_DIR'} nor {_EVERYBODYS} takes a folder"
        )

    def _socket_folder_name(self) -> str:
        """One name for every way to write the project's path; another one for another user."""
        import hashlib  # only a long path pays for it

        digest = hashlib.sha256(os.fsencode(os.path.realpath(self.path))).hexdigest()
        return f"dfm-{os.geteuid()}-{digest[:16]}"


def _fits(path: str) -> bool:
    return len(os.fsencode(path)) <= _MOST_BYTES


def _make_private(path: str) -> bool:
    """False if there can be no folder at `path`; DaemonError if what is there is not safely ours."""
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        pass
    except OSError:
        return False
    try:
        is_ours = _close_to_others(path, os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        reason = f"it is a link, not a folder, or closed to us ({error.strerror})"
        raise DaemonError(f"refused to put the daemon's socket into {path}: {reason}") from error
    if not is_ours:
        raise DaemonError(
            f"refused to put the daemon's socket into {path}: the folder is another user's"
        )
    return True


def _close_to_others(path: str, flags: int) -> bool:
    """Takes the rights of group and others away from our folder; False if it is not ours.

    Through a descriptor: between a look at a path and a chmod of it another user could change it.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | flags)
    try:
        status = os.fstat(fd)
        if status.st_uid != os.geteuid():
            return False
        mode = stat.S_IMODE(status.st_mode)
        if mode & 0o077 and mode != _THROUGH:
            os.fchmod(fd, mode & ~0o077)
        return True
    finally:
        os.close(fd)
