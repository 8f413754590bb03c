"""GNU make and ninja as clients of a jobserver, and recipes that show how many run at once."""

import fcntl
import os
import shutil
import struct
import subprocess
import sysconfig
import termios
from pathlib import Path

from dfm_worker.jobserver import Jobserver, make_version

DEADLINE_S = 60.0


def environment(**more: str) -> dict[str, str]:
    """Ours, without a make around these tests."""
    own = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES")
    return {**{name: value for name, value in os.environ.items() if name not in own}, **more}


def make() -> str:
    found = shutil.which("make")
    assert found is not None, "these tests need GNU make"
    return found


def version() -> tuple[int, int]:
    return make_version(environment()) or (0, 0)


def fifo_client(folder: Path, targets: list[str], recipe: str) -> list[str]:
    """A program that understands a fifo and builds these targets: make since 4.4, ninja since 1.13."""
    if version() >= (4, 4):
        return pipe_client(folder, targets, recipe)
    ninja = shutil.which("ninja", path=sysconfig.get_path("scripts"))
    assert ninja is not None, "it comes with the extra `dev`"
    lines = [f"rule r\n  command = {recipe}\n"]
    lines += [f"build {target}: r\n" for target in targets]
    (folder / "build.ninja").write_text("".join(lines))
    return [ninja, "-C", str(folder)]


def pipe_client(folder: Path, targets: list[str], recipe: str) -> list[str]:
    names = " ".join(targets)
    text = f".PHONY: all {names}\nall: {names}\n{names}:\n\t@{recipe.replace('$', '$$')}\n"
    (folder / "Makefile").write_text(text)
    return [make(), "-f", str(folder / "Makefile")]


def start(words: list[str], jobserver: Jobserver) -> subprocess.Popen[str]:
    return subprocess.Popen(
        words, env=environment(MAKEFLAGS=jobserver.makeflags), close_fds=False, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def output(process: subprocess.Popen[str]) -> str:
    """What it has said in all, once it has ended well."""
    text, _ = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0, text
    return text


def meeting(log: Path, size: int) -> str:
    """A recipe that ends only after as many as `size` have begun, and so shows that they run at once."""
    return f"echo + >> {log}; until [ `grep -c + {log}` -ge {size} ]; do :; done; echo - >> {log}"


def peak(log: Path) -> int:
    running = most = 0
    for line in log.read_text().split():
        running += 1 if line == "+" else -1
        most = max(most, running)
    return most


def tokens_in(jobserver: Jobserver) -> int:
    count: int = struct.unpack("i", fcntl.ioctl(jobserver.fd, termios.FIONREAD, bytes(4)))[0]
    return count


def versioned_make(folder: Path, says: str) -> dict[str, str]:
    """An environment in which `make` says that it is this one."""
    folder.mkdir()
    program = folder / "make"
    program.write_text(f"#!/bin/sh\n{says}\n")
    program.chmod(0o755)
    return environment(PATH=f"{folder}:{os.environ['PATH']}")
