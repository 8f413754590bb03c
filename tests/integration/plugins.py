"""Packages that bring runners, as `pip install` leaves them: modules, and their entry points."""

import os

from tests.integration.conftest import Project

FARM = '''
import os
import shutil

from dfm.config.fields import Field, Kind, Section
from dfm.errors import RunnerError
from dfm.runners.processes import ProcessRunner


class Farm(ProcessRunner):
    """Processes of this host, with a queue that says no."""

    section = Section((
        Field("queue", Kind.TEXT, "normal", "batch queue"),
        Field("sub_cmd", Kind.TEXT, "sh", "submits a job"),
    ))

    def __init__(self, settings):
        super().__init__(settings)
        self._command = settings["sub_cmd"].split()[0]

    def unusable(self):
        return None if shutil.which(self._command) else f"{self._command}: not found on PATH"

    async def submit(self, requests):
        if os.path.exists("closed"):
            raise RunnerError("farmsub: queue is closed")
        return await super().submit(requests)
'''


def install(project: Project, package: str, module: str, entry_points: str) -> None:
    """Makes a package importable for the dfm of this project."""
    name = package.replace("-", "_")
    project.write(f"site/{name}.py", module)
    project.write(f"site/{name}-1.0.dist-info/METADATA", f"Name: {package}\nVersion: 1.0\n")
    project.write(f"site/{name}-1.0.dist-info/entry_points.txt", entry_points)
    project.environment["PYTHONPATH"] = os.fspath(project.folder / "site")


def install_farm(project: Project) -> None:
    """The runner `farm`, and a package that is broken."""
    install(project, "farm-plugin", FARM, "[dfm_runners]\nfarm = farm_plugin:Farm\n")
    install(
        project, "bad-plugin", "import no_such_library", "[dfm_runners]\nbad = bad_plugin:Bad\n"
    )
