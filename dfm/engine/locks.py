"""One run at a time executes a node: locks between runs that share a run directory.

All locks are bytes of one file, `rundir/cache/locks`: a record lock (fcntl(2)) costs two system calls
and goes with its process, on NFS too. The byte is a hash of the node's directory and name.
"""

import fcntl
import hashlib
import os
import struct

from dfm.errors import RunnerError

_FLOCK = "hhqqi4x"  # struct flock: l_type, l_whence, l_start, l_len, l_pid
_PRESENCE = 1 << 62  # a byte that all runs in the directory share


class Locks:
    """The nodes that this run holds. `work` is false on a file system without locks: then two runs
    in one directory may execute a node both."""

    def __init__(self, rundir: str) -> None:
        """Makes the run directory. Raises RunnerError if it cannot be written."""
        try:
            os.makedirs(f"{rundir}/cache", exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            self._fd = os.open(f"{rundir}/cache/locks", flags, 0o666)
        except OSError as error:
            raise RunnerError(f"cannot write {error.filename}: {error.strerror}") from None
        try:
            fcntl.lockf(self._fd, fcntl.LOCK_SH, 1, _PRESENCE)
            self.work = True
        except OSError:
            self.work = False

    def take(self, key: str) -> int | None:
        """Takes a lock; the pid of its holder if another process has it (0 if that is unknown)."""
        if not self.work:
            return None
        place = _place(key)
        try:
            fcntl.lockf(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        except (BlockingIOError, PermissionError):
            return self._holder(place)
        return None

    def release(self, key: str) -> None:
        if self.work:
            fcntl.lockf(self._fd, fcntl.LOCK_UN, 1, _place(key))

    def others_run(self) -> bool:
        """Whether any other run is in this directory now."""
        return self.work and _lock_at(self._fd, _PRESENCE)[0] != fcntl.F_UNLCK

    def close(self) -> None:
        os.close(self._fd)

    def _holder(self, place: int) -> int:
        kind, pid = _lock_at(self._fd, place)
        return pid if kind != fcntl.F_UNLCK else 0


def _place(key: str) -> int:
    digest = hashlib.blake2b(key.encode(errors="surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 2


def is_run_in(rundir: str) -> bool:
    """Whether a run is at work in this directory now, on whichever host; true if that is unknown."""
    try:
        fd = os.open(f"{rundir}/cache/locks", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return _lock_at(fd, _PRESENCE)[0] != fcntl.F_UNLCK
    except OSError:
        return True
    finally:
        os.close(fd)


def _lock_at(fd: int, place: int) -> tuple[int, int]:
    """Kind and pid of another process's lock that keeps us from this byte."""
    question = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, place, 1, 0)
    answer = struct.unpack(_FLOCK, fcntl.fcntl(fd, fcntl.F_GETLK, question))
    return int(answer[0]), int(answer[4])
