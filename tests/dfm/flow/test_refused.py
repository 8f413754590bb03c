"""What later versions run is refused by name, and never ignored."""

import pytest

from tests.dfm.flow.conftest import Project

LATER = "is part of the flow language that this version does not run yet"


@pytest.mark.parametrize("base", ["EvalRunner", "EvalInfo", "Agent"])
def test_tasks_of_the_library_that_are_not_there(project: Project, base: str) -> None:
    (fault,) = project.faults(f"tasks: [{{name: t, uses: std.{base}}}]")
    assert fault.startswith(f"1:25: `std.{base}` {LATER}")
