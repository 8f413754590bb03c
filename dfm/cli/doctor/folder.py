"""Whether the project's folder can hold a daemon's state, and workers elsewhere can see it."""

import fcntl
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time

from dfm.cli.doctor.finding import Findings, good, odd, wrong
from dfm.config.state_folder import StateFolder
from dfm.errors import DaemonError

_OF_ONE_HOST = frozenset("ext2 ext3 ext4 xfs btrfs zfs f2fs tmpfs overlay ramfs".split())
_SKEW_S = 2.0
_ROOM_BYTES = 100 * 1024 * 1024
_CONTENDER = """import fcntl, sys
try:
    fcntl.lockf(open(sys.argv[1], "r+"), fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError:
    sys.exit(7)"""
_WAS_LOCKED = 7


def findings(state: StateFolder, *, is_remote: bool) -> Findings:
    """`is_remote`: workers run on other hosts."""
    try:
        state.make()
        with tempfile.NamedTemporaryFile(dir=state.path, prefix="doctor-") as file:
            now = time.time()
            file.write(b"x")
            file.flush()
            skew_s = os.fstat(file.fileno()).st_mtime - now
            is_locking = _locks(file.name)
    except (OSError, DaemonError) as error:
        yield wrong("folder", str(error), "the daemon and its workers write there")
        return
    yield from _mode(state)
    yield from _file_system(state, is_remote=is_remote)
    if is_locking:
        yield good("locks", "a second process sees them")
    else:
        yield wrong(
            "locks", f"a lock on {state.path} does not keep a second process out",
            "mount it with locks (NFS: not `nolock`, not `local_lock`)",
        )  # fmt: skip
    if abs(skew_s) > _SKEW_S:
        yield wrong("clock", f"the file server's is {skew_s:+.1f} s from this host's", "run NTP")
    else:
        yield good("clock", f"within {_SKEW_S:.0f} s of the file server's")
    yield from _socket(state)


def _mode(state: StateFolder) -> Findings:
    status = os.stat(state.path)
    mode = stat.S_IMODE(status.st_mode)
    said = f"{state.path}, mode {mode:04o}"
    if status.st_uid != os.geteuid():
        yield wrong(
            "folder", f"{said}, belongs to uid {status.st_uid}", "its owner runs the daemon"
        )
    elif mode & 0o077:
        yield wrong("folder", f"{said}: others can look in", "the file system ignores chmod")
    else:
        yield good("folder", f"{said}, writable")
    free = shutil.disk_usage(state.path).free
    if free < _ROOM_BYTES:
        yield wrong("space", f"{free // 2**20} MiB left for {state.path}", "make room")


def _file_system(state: StateFolder, *, is_remote: bool) -> Findings:
    kind, place = _mount(state.path)
    if is_remote and kind in _OF_ONE_HOST:
        yield odd(
            "shared", f"{place} is {kind}: other hosts hardly see it",
            "`dfm doctor --probe` tells; else move the project to a shared file system",
        )  # fmt: skip
    else:
        yield good("shared", f"{place} is {kind}" + ("" if is_remote else "; workers run here"))


def _mount(path: str) -> tuple[str, str]:
    """Type and mount point of the file system of a path: proc_pid_mountinfo(5)."""
    device = os.stat(path).st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    path = os.path.realpath(path)
    found = ("unknown", "/")
    with open("/proc/self/mountinfo") as file:
        for line in file:
            left, _, right = line.partition(" - ")
            words = left.split()
            point = words[4].encode().decode("unicode_escape")
            is_around = path == point or path.startswith(point.rstrip("/") + "/")
            if is_around and (words[2] == number or len(point) >= len(found[1])):
                found = (right.split()[0], point)
    return found


def _locks(path: str) -> bool:
    """Whether a lock of ours keeps another process out."""
    with open(path, "r+") as file:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        done = subprocess.run([sys.executable, "-c", _CONTENDER, path], check=False)
        return done.returncode == _WAS_LOCKED


def _socket(state: StateFolder) -> Findings:
    try:
        path = state.socket_path(os.environ)
        if not path.startswith(state.path):
            yield good("socket", f"{path}, since the project's path is too long for one")
            return
        trial = os.path.join(state.path, f"doctor{os.getpid() % 10000}")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            try:
                listener.bind(trial)
                os.unlink(trial)
                yield good("socket", path)
            except OSError as error:
                elsewhere = state.socket_path(os.environ, in_project=False)
                yield good(
                    "socket", f"{elsewhere}, since {state.path} takes none: {error.strerror}"
                )
    except DaemonError as error:
        yield wrong("socket", str(error), "set XDG_RUNTIME_DIR to a short folder of your own")
