"""A real sshd on loopback, with keys and a configuration of its own, for whoever runs the tests.

Where none is installed its Debian packages are unpacked into a folder: nothing is installed, no
service is started.
"""

import getpass
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.integration.conftest import until

_CONFIG = """
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/user_key.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
AcceptEnv none
"""
# Of root it wants a user and a folder that only an installation has: in a mount namespace they are there.
_AS_ROOT = """
mount --bind "$0/passwd" /etc/passwd && mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd && exec "$@"
"""


class Server(NamedTuple):
    """How to log in as whoever runs the tests: hosts are called loop1, loop2 and so on."""

    command: str
    log: Path

    def logins(self) -> int:
        return self.log.read_text().count("Accepted publickey")


def find_sshd(folder: Path) -> list[str] | None:
    """The words that start sshd; None if it cannot be had."""
    installed = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
    if installed:
        return [installed]
    if not shutil.which("apt-get") or not shutil.which("dpkg"):
        return None
    packages = folder / "packages"
    packages.mkdir()
    for words in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "download", "-qq", "openssh-server", "libwrap0"],
    ):
        if words[1] == "update" and os.geteuid():
            continue
        subprocess.run(words, cwd=packages, capture_output=True, check=False)
    for package in packages.glob("*.deb"):
        subprocess.run(["dpkg", "-x", package, packages / "root"], check=True)
    binary = packages / "root/usr/sbin/sshd"
    libraries = ":".join(str(path.parent) for path in packages.glob("root/**/libwrap.so.0"))
    return ["env", f"LD_LIBRARY_PATH={libraries}", str(binary)] if binary.exists() else None


@contextmanager
def serve(folder: Path, sshd: list[str]) -> Iterator[Server]:
    """Until the block is left. Everything that belongs to it is in `folder`."""
    for key in ("host_key", "user_key"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key], check=True
        )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "sshd_config").write_text(_CONFIG.format(port=port, folder=folder))
    (folder / "ssh_config").write_text(
        f"Host loop*\n  HostName 127.0.0.1\n  Port {port}\n  User {getpass.getuser()}\n"
        f"  IdentityFile {folder}/user_key\n  IdentitiesOnly yes\n  BatchMode yes\n"
        f"  StrictHostKeyChecking no\n  UserKnownHostsFile {folder}/known_hosts\n  LogLevel ERROR\n"
    )
    words = [*sshd, "-D", "-r", "-e", "-f", f"{folder}/sshd_config"]
    if os.geteuid() == 0:
        users = Path("/etc/passwd").read_text()
        if "\nsshd:" not in users:
            users += "sshd:x:65533:65533::/run/sshd:/bin/false\n"
        (folder / "passwd").write_text(users)
        words = ["unshare", "--mount", "sh", "-c", _AS_ROOT, str(folder), *words]
    with open(folder / "sshd.log", "w") as log:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        until(
            lambda: process.poll() is not None or "listening" in (folder / "sshd.log").read_text()
        )
        assert process.poll() is None, (folder / "sshd.log").read_text()
        yield Server(f"ssh -F {folder}/ssh_config", folder / "sshd.log")
    finally:
        process.terminate()
        process.wait()
