"""Runners of other packages: both ways to register, and what is broken stops nothing."""

import pytest

from tests.integration.conftest import Project
from tests.integration.plugins import FARM, install, install_farm

HOOK = "\ndef dfm_runners():\n    return {'farm': Farm}\n"


@pytest.fixture
def chip(project: Project) -> Project:
    project.flow("  tasks: [{root: t, run: 'echo hello > out'}]")
    return project


def test_a_module_of_the_group_dv_flow_mgr_brings_runners(chip: Project) -> None:
    install(chip, "old-plugin", FARM + HOOK, "[dv_flow.mgr]\nold = old_plugin\n")
    chip.ok("run", "t", "--runner", "farm")
    assert chip.read("rundir/p.t/out") == "hello\n"
    assert "farm (old-plugin 1.0): usable" in chip.ok("runners").out


def test_a_module_of_that_group_without_the_function_is_none_of_our_business(chip: Project) -> None:
    install(chip, "other", "def dvfm_packages():\n    return {}\n", "[dv_flow.mgr]\nx = other\n")
    assert "other" not in chip.ok("runners").out


@pytest.mark.parametrize(
    ("module", "entry", "why"),
    [
        ("import no_such", "[dv_flow.mgr]\nbad = bad\n", "no_such"),
        ("raise SystemExit('no licence')", "[dfm_runners]\nbad = bad:Bad\n", "no licence"),
        ("def dfm_runners(): return 1", "[dv_flow.mgr]\nbad = bad\n", "TypeError"),
        ("def dfm_runners(): return {'bad': 1}", "[dv_flow.mgr]\nbad = bad\n", "not a class: 1"),
        ("class Bad: pass", "[dfm_runners]\nbad = bad:Bad\n", "Bad.section is not a dfm.config.fields.Section"),
        ("from dfm.config.fields import Section\nclass Bad:\n    section = Section()\n    def unusable(self): 0",
         "[dfm_runners]\nbad = bad:Bad\n", "Bad lacks submit, poll, cancel"),
        (FARM, "[dfm_runners]\nlocal = bad:Farm\n", "a runner of this name already: built in"),
    ],
)  # fmt: skip
def test_what_is_broken_is_reported_by_name_and_reason(
    chip: Project, module: str, entry: str, why: str
) -> None:
    install(chip, "bad", module, entry)
    chip.write(".dfm/config.yaml", "run: {keep_going: true}\n")  # so that runners are looked for
    shown = chip.ok("runners").out
    (line,) = (line for line in shown.splitlines() if "is broken" in line)
    assert "(bad 1.0) is broken: " in line
    assert why in line
    chip.ok("run", "t")
    asked = chip.dfm("run", "t", "-f", "--runner", "elsewhere")
    assert asked.status == 2
    assert why in asked.err, "it may have brought the runner that was asked for"


def test_runners_are_listed_with_their_options_and_why_they_are_not_usable(chip: Project) -> None:
    install_farm(chip)
    chip.write(".dfm/config.yaml", "runner: {default: farm, farm: {sub_cmd: no-such-program}}\n")
    shown = chip.ok("runners").out.splitlines()
    ours = [line for line in shown if "(built in)" in line]
    assert [line.partition(" ")[0] for line in ours] == ["local", "lsf", "slurm"]
    assert shown[shown.index(next(line for line in shown if line.startswith("farm "))) :] == [
        "farm (farm-plugin 1.0, selected): not usable here: no-such-program: not found on PATH",
        "  queue    batch queue (now normal)",
        "  sub_cmd  submits a job (now no-such-program)",
        "runner `bad` (bad-plugin 1.0) is broken: ModuleNotFoundError: No module named 'no_such_library'",
    ]


def test_a_runner_whose_constructor_fails_is_not_usable(chip: Project) -> None:
    broken = FARM.replace('settings["sub_cmd"]', 'settings["nothing"]')
    install(chip, "farm-plugin", broken, "[dfm_runners]\nfarm = farm_plugin:Farm\n")
    assert "not usable here: " in chip.ok("runners").out
    done = chip.dfm("run", "t", "--runner", "farm")
    assert done.status == 3
    assert "KeyError: 'nothing'" in done.err


def test_a_runner_that_cannot_be_used_here_stops_before_anything_is_submitted(
    chip: Project,
) -> None:
    install_farm(chip)
    chip.write(".dfm/config.yaml", "runner: {farm: {sub_cmd: no-such-program}}\n")
    done = chip.dfm("run", "t", "--runner", "farm")
    assert done.status == 3
    assert "`farm` cannot be used here: no-such-program: not found on PATH" in done.err
