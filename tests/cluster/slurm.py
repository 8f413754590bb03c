"""A real Slurm of virtual nodes on this host: in a folder of its own, nothing of it elsewhere.

Several may be up at once, of this user or of others. One whose owner was killed is cleaned up when
the next one starts.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.cluster import configuration, owned
from tests.cluster.configuration import Plan

PROGRAMS = ("slurmctld", "slurmd", "sbatch", "munged")
_PREFIX = "dfm-slurm-"
_PATIENCE_S = 60.0
_YOUNG_S = 60.0  # a folder without an owner may be one that is being made


def unavailable() -> str:
    """Why there can be no cluster here, in one line; "" if there can."""
    missing = [program for program in PROGRAMS if shutil.which(program, path=_path()) is None]
    if missing:
        packages = "munge slurmctld slurmd slurm-client"
        return f"no {', '.join(missing)} here; on Debian: apt-get install {packages}"
    return ""


class Slurm:
    """One cluster, up between `start` and `stop` or within `with`."""

    def __init__(self, plan: Plan | None = None, folder: Path | None = None) -> None:
        self.plan = plan or Plan()
        self._wanted = folder
        self.folder = folder or Path()
        self._owner = -1
        self._daemons: list[subprocess.Popen[bytes]] = []

    @property
    def environment(self) -> dict[str, str]:
        """What Slurm's commands need to find this cluster."""
        return {"SLURM_CONF": f"{self.folder}/slurm.conf", "PATH": _path()}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Returns when all nodes are idle."""
        remove_stale()
        self.folder = self._wanted or Path(tempfile.mkdtemp(prefix=_PREFIX))
        self.folder.mkdir(mode=0o755, exist_ok=True)
        self.folder.chmod(0o755)  # munge wants others to be able to reach its socket
        self._owner = os.open(self.folder / "owner", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
        fcntl.flock(self._owner, fcntl.LOCK_EX)
        try:
            configuration.write(self.folder, self.plan)
            self._start_munge()
            self.start_controller()
            for node in self.plan.names:
                self.start_node(node)
            self.until(lambda: self.idle_nodes() == self.plan.nodes, "all nodes are idle")
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Nothing is left: no process, no file."""
        remove(self.folder)
        for daemon in self._daemons:
            daemon.wait()
        self._daemons.clear()
        if self._owner >= 0:
            os.close(self._owner)
            self._owner = -1

    # Asking

    def run(self, *words: str, check: bool = True, **more: str) -> str:
        """What a command of Slurm prints."""
        done = subprocess.run(
            words,
            env={**os.environ, **self.environment, **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
        )
        assert not check or done.returncode == 0, f"{words}: {done.returncode}\n{done.stderr}"
        return done.stdout.strip()

    def idle_nodes(self) -> int:
        shown = self.run("sinfo", "-h", "-p", "normal", "-t", "idle", "-o", "%D", check=False)
        return int(shown or 0)

    def jobs(self) -> list[str]:
        """Ids of jobs that wait, run or are being ended."""
        return self.run("squeue", "-h", "-r", "-o", "%i").split()

    def state(self, job: str) -> str:
        """Its state and reason as squeue has them; "" if it is not known."""
        shown = self.run("squeue", "-h", "-r", "-t", "all", "-o", "%i %T %r")
        lines = (line.split(maxsplit=1) for line in shown.splitlines())
        return next((rest for name, rest in lines if name == job), "")

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Waits until it is true, however long the queue takes."""
        deadline = time.monotonic() + _PATIENCE_S
        while not condition():
            if time.monotonic() >= deadline:
                log = self.folder / "slurmctld.log"
                end = log.read_text(errors="replace")[-2000:] if log.exists() else ""
                raise TimeoutError(f"not within {_PATIENCE_S:.0f} s: {what}\n{end}")
            time.sleep(0.05)

    def clear(self) -> None:
        """Ends every job, brings every node and the controller back."""
        if not self.controller_answers():
            self.start_controller()
        self.run("scancel", "--me")
        for node in self.plan.names:
            if not owned.owned(self.folder, node):
                self.start_node(node)
            if self.run("sinfo", "-h", "-n", node, "-p", "normal", "-o", "%t").startswith("dr"):
                self.run("scontrol", "update", f"nodename={node}", "state=resume")
        self.until(lambda: not self.jobs(), "the queue is empty")
        self.until(lambda: self.idle_nodes() == self.plan.nodes, "all nodes are idle")

    # Daemons

    def start_controller(self) -> None:
        self._daemon("slurmctld", "-D", "-f", f"{self.folder}/slurm.conf")
        self.until(self.controller_answers, "slurmctld answers")

    def stop_controller(self) -> None:
        """It saves its state; jobs go on."""
        os.kill(int((self.folder / "slurmctld.pid").read_text()), 15)
        self.until(lambda: not self.controller_answers(), "slurmctld has ended")

    def controller_answers(self) -> bool:
        return " UP" in self.run("scontrol", "ping", check=False)

    def start_node(self, node: str) -> None:
        self._daemon("slurmd", "-D", "-N", node, "-f", f"{self.folder}/slurm.conf")

    def _start_munge(self) -> None:
        key = self.folder / "munge.key"
        key.touch(0o600)
        key.write_bytes(os.urandom(128))
        files = (f"--{name}-file={self.folder}/munged.{name}" for name in ("pid", "log", "seed"))
        where = (f"--key-file={key}", f"--socket={self.folder}/munge.socket")
        self._daemon("munged", "--foreground", "--force", *where, *files)
        self.until((self.folder / "munge.socket").exists, "munged listens")

    def _daemon(self, *words: str) -> None:
        with open(self.folder / "daemons.out", "ab") as out:
            daemon = subprocess.Popen(
                words,
                env={**os.environ, "PATH": _path()},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self._daemons.append(daemon)


def remove(folder: Path) -> None:
    """Takes a cluster down by its folder, whoever brought it up."""
    owned.end_all(folder)
    shutil.rmtree(folder, ignore_errors=True)


def remove_stale() -> None:
    """Takes down the clusters of this user whose owners are gone."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            about = folder.stat()
            if about.st_uid == os.getuid() and _is_stale(folder, about.st_mtime):
                remove(folder)
        except FileNotFoundError:
            pass  # its owner was quicker


def _is_stale(folder: Path, made_at: float) -> bool:
    try:
        owner = os.open(folder / "owner", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return time.time() - made_at > _YOUNG_S
    try:
        fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(owner)
    return True


def _path() -> str:
    """Debian has the daemons in /usr/sbin, which a user's PATH may not have."""
    return f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
