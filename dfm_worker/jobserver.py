"""The GNU make jobserver, both sides: the tokens of a parent `make -jN`, and a server of our own for
the `make`, `ninja` and `cargo` that tasks start.

Protocol: https://www.gnu.org/software/make/manual/html_node/POSIX-Jobserver.html. A token is one
byte, read to get it and written back to return it; every process has one implicit token besides,
which is never in the pipe.
"""

import fcntl
import os
import re
import shutil
import stat
import struct
import subprocess
import tempfile
import termios
from collections.abc import Mapping

_AUTH = re.compile(r"--jobserver-(?:auth|fds)=(\S+)")
_OURS_TO_SET = re.compile(
    r"\s*(?<!\S)(?:--jobserver-(?:auth|fds)=\S+|(?:-j|--jobs=?)(?:\s*\d+)?(?!\S))"
)
_FIFO_SINCE = (4, 4)
_TOKEN = b"+"


class JobserverUnusable(Exception):
    """MAKEFLAGS names a jobserver that cannot be reached from here; says why and what helps."""


class Jobserver:
    """A pool of tokens. `fd` is readable while there is one; `makeflags` is what tasks are given."""

    def __init__(self, reader: int, writer: int, makeflags: str, own: "_OwnServer | None") -> None:
        self.fd = reader
        self.makeflags = makeflags
        self._writer = writer
        self._own = own

    @property
    def is_parents(self) -> bool:
        return self._own is None

    def acquire(self) -> bytes | None:
        """One token; None if there is none now."""
        try:
            return os.read(self.fd, 1) or None
        except BlockingIOError:
            return None

    def release(self, token: bytes) -> None:
        os.write(self._writer, token)

    def refill(self) -> None:
        """Brings back what killed tasks took with them. Only when none of ours is taken."""
        if self._own is None:
            return
        there = struct.unpack("i", fcntl.ioctl(self.fd, termios.FIONREAD, bytes(4)))[0]
        if there < self._own.tokens:
            os.write(self._writer, _TOKEN * (self._own.tokens - there))

    def close(self) -> None:
        os.close(self.fd)
        os.close(self._writer)
        if self._own is not None:
            self._own.close()


class _OwnServer:
    """What a jobserver that we made holds besides: its fifo's folder, or its inherited pipe."""

    def __init__(self, tokens: int, folder: str, inherited: tuple[int, ...]) -> None:
        self.tokens = tokens
        self._folder = folder
        self._inherited = inherited

    def close(self) -> None:
        for fd in self._inherited:
            os.close(fd)
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)


def of_parent(makeflags: str) -> Jobserver | None:
    """The jobserver that MAKEFLAGS names; None if it names none.

    Raises JobserverUnusable if it cannot be used: make closes the pipe for recipes that it does not
    take for a make.
    """
    flags, _, _variables = makeflags.partition(" -- ")
    found = _AUTH.findall(flags)
    if not found:
        return None
    where: str = found[-1]
    if where.startswith("fifo:"):
        paths = (where[5:], where[5:])
    elif match := re.fullmatch(r"(\d+),(\d+)", where):
        # Opened anew through /proc: our non-blocking flag must not be seen by make and its children.
        paths = (f"/proc/self/fd/{match[1]}", f"/proc/self/fd/{match[2]}")
        if not all(_is_pipe(path) for path in paths):
            raise JobserverUnusable(
                f"make's jobserver ({where}) is closed here: put a `+` before the recipe's line"
            )
    else:
        raise JobserverUnusable(f"make says that it has no jobserver for this recipe ({where})")
    if not _is_pipe(paths[0]):
        raise JobserverUnusable(f"make's jobserver ({where}) is not there")
    try:
        reader = os.open(paths[0], os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        writer = os.open(paths[1], os.O_WRONLY | os.O_CLOEXEC)
    except OSError as error:
        raise JobserverUnusable(f"make's jobserver ({where}) cannot be opened: {error}") from None
    return Jobserver(reader, writer, makeflags, None)


def _is_pipe(path: str) -> bool:
    try:
        return stat.S_ISFIFO(os.stat(path).st_mode)
    except OSError:
        return False


def create(slots: int, environment: Mapping[str, str]) -> Jobserver:
    """A jobserver for `slots` jobs at once: fifo style unless the `make` on PATH is too old for it."""
    folder = ""
    if (make_version(environment) or _FIFO_SINCE) >= _FIFO_SINCE:
        folder = tempfile.mkdtemp(prefix="dfm-jobserver-")
        path = f"{folder}/fifo"
        os.mkfifo(path, 0o600)
        auth = f"fifo:{path}"
        reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        writer = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        inherited: tuple[int, ...] = ()
    else:
        inherited = os.pipe()
        for fd in inherited:
            os.set_inheritable(fd, True)
        auth = f"{inherited[0]},{inherited[1]}"
        reader = os.open(
            f"/proc/self/fd/{inherited[0]}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
        )
        writer = os.open(f"/proc/self/fd/{inherited[1]}", os.O_WRONLY | os.O_CLOEXEC)
    tokens = min(slots - 1, fcntl.fcntl(writer, fcntl.F_GETPIPE_SZ))  # more would wait for ever
    os.write(writer, _TOKEN * tokens)
    makeflags = with_jobserver(environment.get("MAKEFLAGS", ""), slots, auth)
    return Jobserver(reader, writer, makeflags, _OwnServer(tokens, folder, inherited))


def with_jobserver(makeflags: str, slots: int, auth: str) -> str:
    """MAKEFLAGS with this jobserver in place of another; flags and variables of the user stay."""
    flags, dashes, variables = makeflags.partition(" -- ")
    flags = _OURS_TO_SET.sub("", flags)
    return f"{flags} -j{slots} --jobserver-auth={auth}{dashes}{variables}"


def make_version(environment: Mapping[str, str]) -> tuple[int, int] | None:
    """Version of the `make` that tasks find; None if there is none, or none of GNU's."""
    make = shutil.which("make", path=environment.get("PATH"))
    if make is None:
        return None
    try:
        said = subprocess.run(
            [make, "--version"], capture_output=True, text=True, timeout=10, check=False
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.match(r"GNU Make (\d+)\.(\d+)", said)
    return (int(match[1]), int(match[2])) if match else None
