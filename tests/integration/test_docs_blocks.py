"""Every YAML block of README.md and docs/ is run: flows as flows, configurations as configurations.

Those of docs/language.md and docs/resources.md have tests of their own beside this one.
"""

import re
import shutil
from pathlib import Path

import pytest
import yaml

from tests.integration.conftest import Project

ROOT = Path(__file__).parents[2]
ELSEWHERE = {"language.md", "resources.md"}
PAGES = [page for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
         if page.name not in ELSEWHERE]  # fmt: skip
BLOCKS = [
    (page.name, block)
    for page in PAGES
    for block in re.findall(r"^```yaml\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
]
CONFIGURATIONS = [(name, block) for name, block in BLOCKS if "runner:" in block]
FLOW = "  tasks: [{root: t, run: 'true'}]\n"
TESTBENCH = """
module tb;
  integer seed;
  initial begin
    if (!$value$plusargs("seed=%d", seed)) $fatal;
    $display("seed %0d", seed);
  end
endmodule
"""


@pytest.mark.parametrize(
    ("page", "block"), CONFIGURATIONS, ids=[name for name, _ in CONFIGURATIONS]
)
def test_a_configuration_is_right_and_tasks_run_with_it(
    page: str, block: str, project: Project
) -> None:
    project.flow(FLOW)
    project.write(".dfm/config.yaml", block)
    project.ok("config", "check")
    shown = yaml.safe_load(project.ok("config", "show").out)
    given = yaml.safe_load(block)["runner"]
    assert shown["runner"]["default"] == given["default"]
    project.ok("run", "t", "--runner", "local")


def test_a_line_for_editors_is_no_hindrance(project: Project) -> None:
    ((_, line),) = (block for block in BLOCKS if "yaml-language-server" in block[1])
    project.flow(FLOW)
    project.write("flow.yaml", line + project.read("flow.yaml"))
    project.ok("run", "t")
    project.ok("util", "schema", "flow", "-o", "flow.schema.json")
    assert "flow.schema.json" in line


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="needs iverilog")
def test_the_flow_of_the_readme_runs_as_it_says(project: Project) -> None:
    ((_, flow),) = (block for block in BLOCKS if block[0] == "README.md")
    project.write("flow.yaml", flow)
    project.write("rtl/tb.sv", TESTBENCH)
    page = (ROOT / "README.md").read_text()
    lines = re.findall(r"^(dfm run.*?) +#", page.partition(flow)[2].partition("## ")[0], re.M)
    assert len(lines) == 4
    first, *rest = (project.ok(*line.split()[1:]) for line in lines)
    assert "demo.regress - Simulate every seed" in first.out
    assert rest[0].counts()["done"] == 7
    assert rest[1].counts()["up-to-date"] == 7, "a second time nothing is executed"
    assert rest[2].counts()["done"] == 3
    assert project.read("rundir/demo.sims.sim_1/demo.sims.sim_1.log") == "seed 9\n"


def test_no_block_is_left_out() -> None:
    assert len(BLOCKS) == len(CONFIGURATIONS) + 2
    assert len(CONFIGURATIONS) >= 4
