"""Section 33: what the function of `uptodate` is given, in both of its forms, and that mementos last."""

import pytest

from tests.integration.conftest import Project

CHECKS = """
async def fresh(ctxt):
    assert ctxt.rundir.endswith("/rundir/p.t")
    assert ctxt.params.n == 3
    assert [item.files for item in ctxt.inputs] == [["a.txt"]]
    assert ctxt.exec_data["result"]["memento"] == ctxt.memento == {"seen": 1}
    return await ctxt.exec(["test", "-e", ctxt.srcdir + "/fresh"]) == 0
"""


@pytest.mark.parametrize("function", ["checks.fresh", "lib/checks.py::fresh"])
def test_the_function_knows_the_task_and_what_it_did(anywhere: Project, function: str) -> None:
    anywhere.flow(
        "  tasks:\n"
        "  - {name: src, uses: std.CreateFile, with: {filename: a.txt, content: x}}\n"
        "  - root: t\n"
        "    needs: [src]\n"
        "    with: {n: {type: int, value: 3}}\n"
        f"    uptodate: '{function}'\n"
        "    run: |\n"
        "      echo '{\"seen\": 1}' > $DFM_MEMENTO_OUT\n"
    )
    anywhere.write("checks.py", CHECKS)
    anywhere.write("lib/checks.py", CHECKS)
    anywhere.write("fresh", "")
    anywhere.ok("run", "t")
    again = anywhere.ok("run", "t")
    assert not again.executed()
    assert ">> " not in again.out, "what only asks is not shown as the task"
    (anywhere.folder / "fresh").unlink()
    assert anywhere.ok("run", "t").executed() == {"p.t"}


def test_a_memento_outlives_runs_in_which_its_task_is_up_to_date(anywhere: Project) -> None:
    anywhere.flow(
        "  with: {n: {type: int, value: 1}}\n"
        "  tasks:\n"
        "  - root: t\n"
        "    run: |\n"
        "      echo ${{ n }} > $DFM_MEMENTO_OUT\n"
        "      cat ${DFM_MEMENTO:-/dev/null} > before\n"
    )
    anywhere.ok("run", "t")
    for _ in range(2):
        assert not anywhere.ok("run", "t").executed()
    anywhere.ok("run", "t", "-D", "n=2")
    assert anywhere.read("rundir/p.t/before").strip() == "1"
