"""Hosts of one site in a test: each a network, a name, a boot and processes of its own, joined by a
cable; the folders are the same. Needs root, `unshare`, `nsenter` and `ip`."""

import os
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.integration.conftest import DFM, PATIENCE_S, Done, Project

CAN_BE_MADE = os.geteuid() == 0 and all(map(shutil.which, ("ip", "unshare", "nsenter")))

# The first process of a host: takes what others leave behind, as init does.
_INIT = """
import os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
print("up", flush=True)
while True:
    signal.sigwait([signal.SIGCHLD])
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
"""


class Host:
    """One host. `address` is where the others find it."""

    def __init__(self, name: str, address: str, init: int) -> None:
        self.name = name
        self.address = address
        self._init = init  # the pid of its first process, as the host around it counts

    def words(self, folder: Path, *words: str) -> list[str]:
        """What runs these words on the host."""
        return [
            "nsenter",
            "-t",
            str(self._init),
            "-m",
            "-u",
            "-n",
            "-p",
            f"--wdns={folder}",
            *words,
        ]

    def run(self, *words: str) -> None:
        subprocess.run(
            self.words(Path("/"), *words), check=True, capture_output=True, timeout=PATIENCE_S
        )

    def plug(self, other: "Host") -> None:
        """A cable to another host."""
        for words in (
            ["link", "add", "cable", "type", "veth", "peer", "name", "far"],
            ["link", "set", "far", "netns", str(other._init)],
        ):
            subprocess.run(["nsenter", "-t", str(self._init), "-n", "ip", *words], check=True)
        other.run("ip", "link", "set", "far", "name", "cable")
        for host in (self, other):
            host.run("ip", "address", "add", f"{host.address}/24", "dev", "cable")
            host.run("ip", "link", "set", "cable", "up")

    def start(self, project: Project, *words: str, **more: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            self.words(project.folder, *DFM, *words),
            env={**project.environment, **more},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        project.processes.append(process)
        return process

    def dfm(self, project: Project, *words: str, **more: str) -> Done:
        return project.end(self.start(project, *words, **more), *words)

    def ok(self, project: Project, *words: str, **more: str) -> Done:
        done = self.dfm(project, *words, **more)
        assert done.status == 0, done
        return done

    def cut(self) -> None:
        """Nothing comes through its cable any more, and nobody is told."""
        self.run("ip", "link", "set", "cable", "down")

    def crash(self) -> None:
        """All its processes are gone, and nothing was said to anybody."""
        os.kill(self._init, signal.SIGKILL)


@contextmanager
def hosts(folder: Path, *names: str) -> Iterator[list[Host]]:
    """Two hosts with a cable between them, which know each other by name."""
    with ExitStack() as stack:
        made = [
            stack.enter_context(_host(folder, name, f"10.99.0.{number}"))
            for number, name in enumerate(names, 1)
        ]
        names_file = folder / "hosts"
        names_file.write_text(
            "127.0.0.1 localhost\n" + "".join(f"{host.address} {host.name}\n" for host in made)
        )
        for host in made:
            host.run("mount", "--bind", str(names_file), "/etc/hosts")
            host.run("mount", "--bind", "/dev/null", "/etc/resolv.conf")
        made[0].plug(made[1])
        yield made


@contextmanager
def _host(folder: Path, name: str, address: str) -> Iterator[Host]:
    boot = folder / f"boot-{name}"
    boot.write_text(f"{uuid.uuid4()}\n")
    around = subprocess.Popen(
        ["unshare", "--mount", "--uts", "--net", "--pid", "--fork", "--kill-child", "--mount-proc",
         sys.executable, "-c", _INIT],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert around.stdout is not None
    try:
        assert around.stdout.readline() == "up\n"
        children = Path(f"/proc/{around.pid}/task/{around.pid}/children").read_text()
        made = Host(name, address, int(children))
        made.run("hostname", name)
        made.run("mount", "--bind", str(boot), "/proc/sys/kernel/random/boot_id")
        made.run("ip", "link", "set", "lo", "up")
        yield made
    finally:
        around.kill()
        around.communicate()
