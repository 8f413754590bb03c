"""An LSF for tests, on a Slurm: its environment, and its site to be changed."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cluster.lsf.site import Site
from tests.cluster.slurm import Slurm

BIN = Path(__file__).parent / "bin"


class Lsf:
    """What a test has in hand."""

    def __init__(self, slurm: Slurm) -> None:
        self.slurm = slurm
        self.folder = slurm.folder / "lsf"
        self.site = Site()
        self.set()

    @property
    def environment(self) -> dict[str, str]:
        """What LSF's commands need to be found and to find this cluster."""
        path = f"{BIN}:{self.slurm.environment['PATH']}"
        return {**self.slurm.environment, "LSF_ENVDIR": str(self.folder), "PATH": path}

    def set(self, **values: Any) -> None:
        """Changes the site, for the commands that are called from now on."""
        for name, value in values.items():
            assert hasattr(self.site, name), name
            setattr(self.site, name, value)
        self.site.write(self.folder)

    @contextmanager
    def being(self, **values: Any) -> Iterator[None]:
        """The same for a while."""
        before = {name: getattr(self.site, name) for name in values}
        self.set(**values)
        yield
        self.set(**before)

    def release(self) -> None:
        """Jobs that were made to pend may start."""
        self.set(pends=False)
        for job in self.slurm.jobs():
            self.slurm.run("scontrol", "release", job, check=False)

    def call(self, *words: str, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        """A command as a user would type it."""
        import os

        return subprocess.run(
            words,
            env={**os.environ, **self.environment, **more},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def stat(self, job: str) -> str:
        shown = self.call("bjobs", "-noheader", "-a", "-o", "stat", job).stdout.strip()
        return shown
