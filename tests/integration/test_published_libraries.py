"""Flows with the libraries dv-flow-libhdlsim and dv-flow-libcocotb of PyPI, as they are published, run
with Icarus Verilog: on the local runner and through the daemon."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration import library_environment
from tests.integration.conftest import Done, Project

pytestmark = pytest.mark.timeout(600)  # the first of them installs

COUNTER = """`timescale 1ns/1ps
`include "width.vh"
module counter(input clk, input rst, output reg [`WIDTH-1:0] q);
  always @(posedge clk) if (rst) q <= 0; else q <= q + 1;
endmodule
"""
BENCH = """`timescale 1ns/1ps
module tb;
  reg clk = 0, rst = 1;
  wire [3:0] q;
  integer edges;
  counter dut(.clk(clk), .rst(rst), .q(q));
  always #5 clk = ~clk;
  initial begin
    if (!$value$plusargs("edges=%d", edges)) edges = 2;
    @(negedge clk) rst = 0;
    repeat (edges) @(negedge clk);
    $display("q is %0d", q);
    $finish;
  end
endmodule
"""
SIMULATION = """package:
  name: chip
  imports:
  - name: hdlsim.ivl
  tasks:
  - name: rtl
    uses: std.FileSet
    with: {type: systemVerilogSource, base: rtl, include: ["*.sv"], incdirs: ["include"]}
  - name: image
    uses: hdlsim.ivl.SimImage
    needs: [rtl]
    with: {top: [tb], defines: [SEEN]}
  - name: args
    uses: hdlsim.SimRunArgs
    with: {plusargs: [edges=5]}
  - root: sim
    uses: hdlsim.ivl.SimRun
    needs: [image, args]
"""
COCOTB = """package:
  name: chip
  imports: [hdlsim.ivl]
  tasks:
  - name: rtl
    uses: std.FileSet
    with: {type: systemVerilogSource, base: rtl, include: [counter.sv], incdirs: ["include"]}
  - name: setup
    uses: cocotb.ivl.Setup
    with: {pythonpath: ["bench"]}
  - name: image
    uses: hdlsim.ivl.SimImage
    needs: [rtl, setup]
    with: {top: [counter]}
  - name: which
    uses: cocotb.TestConfig
    with: {module: [counting], toplevel: counter}
  - name: sim
    uses: hdlsim.ivl.SimRun
    needs: [image, which]
  - root: check
    uses: cocotb.CheckResults
    needs: [sim]
"""
COUNTING = """import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge


@cocotb.test()
async def counts(dut):
    dut.rst.value = 1
    cocotb.start_soon(Clock(dut.clk, 10, "ns").start())
    await FallingEdge(dut.clk)
    dut.rst.value = 0
    for _ in range(3):
        await FallingEdge(dut.clk)
    assert dut.q.value == 3
"""


class Design:
    """A project whose dfm is that of the environment with the libraries."""

    def __init__(self, project: Project, programs: Path) -> None:
        self.project = project
        self.command = str(programs / "dfm")
        project.environment["PATH"] = f"{programs}:{project.environment['PATH']}"
        project.write("rtl/counter.sv", COUNTER)
        project.write("rtl/tb.sv", BENCH)
        project.write("rtl/include/width.vh", "`define WIDTH 4\n")
        project.write("bench/counting.py", COUNTING)

    def dfm(self, *words: str) -> Done:
        process = subprocess.Popen(
            [self.command, *words], cwd=self.project.folder, env=self.project.environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.project.processes.append(process)
        return self.project.end(process, *words)

    def ok(self, *words: str) -> Done:
        done = self.dfm(*words)
        assert done.status == 0, done
        return done


@pytest.fixture(scope="module")
def programs() -> Path:
    return library_environment.programs()


@pytest.fixture(params=["local", "daemon"])
def design(request: pytest.FixtureRequest, programs: Path, project: Project) -> Iterator[Design]:
    made = Design(project, programs)
    if request.param == "local":
        yield made
        return
    project.write("flow.yaml", "package: {name: chip}\n")
    made.ok("daemon", "start", "--pool-size", "2")
    yield made
    made.ok("daemon", "stop")


def test_the_commands_are_ours_whoever_was_installed_last(programs: Path) -> None:
    assert "dv_flow.mgr" in (programs / "dfm").read_text(), "written by the package for its own"
    version = subprocess.run([programs / "dfm", "-V"], capture_output=True, text=True, check=True)
    own = subprocess.run(
        [programs / "python", "-m", "dfm", "-V"], capture_output=True, text=True, check=True
    )
    assert version.stdout == own.stdout
    out = subprocess.run([programs / "dfm-out", "env", "A=b"], capture_output=True, text=True)
    assert out.returncode == 2
    assert out.stderr == "dfm-out: DFM_ENV is not set: dfm-out works inside of a task\n"


def test_a_design_is_compiled_and_simulated(design: Design) -> None:
    design.project.write("flow.yaml", SIMULATION)
    done = design.ok("run", "sim")
    assert done.executed() == {"chip.rtl", "chip.image", "chip.args", "chip.sim"}
    assert "q is 5" in design.project.read("rundir/chip.sim/sim.log")
    (compiled,) = design.project.record("chip.image")["commands"]
    assert compiled["cmd"][0] == "iverilog"
    assert "-DSEEN" in " ".join(compiled["cmd"]).replace("-D SEEN", "-DSEEN")


def test_what_is_up_to_date_is_not_compiled_again(design: Design) -> None:
    design.project.write("flow.yaml", SIMULATION)
    design.ok("run", "sim")
    again = design.ok("run", "sim")
    assert again.counts()["up-to-date"] == 3, "the library wants a simulation to run each time"
    design.project.write("rtl/include/width.vh", "`define WIDTH 2\n")
    edited = design.ok("run", "sim")
    assert "chip.image" in edited.executed()
    assert "q is 1" in design.project.read("rundir/chip.sim/sim.log")


def test_a_fault_in_the_design_fails_its_compilation(design: Design) -> None:
    design.project.write("flow.yaml", SIMULATION)
    design.project.write("rtl/counter.sv", COUNTER.replace("q + 1;", "q + oops;"))
    done = design.dfm("run", "sim")
    assert done.status == 1
    assert "Command failed: iverilog" in done.out
    assert "Traceback" not in done.out + done.err
    assert "oops" in design.project.read("rundir/chip.image/iverilog.log")


def test_a_cocotb_test_runs_and_its_result_counts(design: Design) -> None:
    design.project.write("flow.yaml", COCOTB)
    design.ok("run", "check")
    assert "counts" in design.project.read("rundir/chip.sim/results.xml")
    design.project.write("bench/counting.py", COUNTING.replace("== 3", "== 4"))
    done = design.dfm("run", "check")
    assert done.status == 1
    assert "cocotb test failed: counting.counts" in done.out


def test_a_package_that_is_not_installed_is_named(programs: Path, project: Project) -> None:
    design = Design(project, programs)
    project.write("flow.yaml", SIMULATION.replace("- name: hdlsim.ivl", "- name: hdlsim.ivk"))
    done = design.dfm("run", "sim")
    assert done.status == 2
    assert re.search(r"flow.yaml:4:\d+: import `hdlsim.ivk` not found", done.err)
    assert "did you mean `hdlsim.ivl`" in done.err
