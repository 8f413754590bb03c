"""Section 21, and names across packages (8, 5)."""

import pytest

from tests.dfm.flow.conftest import Project

UART = """
package:
  name: ip.uart
  with: {top: {type: str, value: uart}, only: {type: str, value: here}}
  tasks:
  - {export: rtl, run: "${{ top }} ${{ demo.top }} ${{ ip.uart.only }}"}
  - {root: sim, run: x}
  - {local: inner, run: x}
  - {name: plain, run: x, needs: [inner]}
  - {name: smoke, scope: [export, other], run: x}
"""


@pytest.fixture
def chip(project: Project) -> Project:
    project.add("uart.yaml", UART)
    return project


HEAD = "imports: [uart.yaml]\nwith: {top: {type: str, value: chip}, mine: {type: str, value: m}}\n"


def test_a_need_on_what_another_package_does_not_export_is_a_warning(chip: Project) -> None:
    needs = ", ".join(f"ip.uart.{name}" for name in ("rtl", "sim", "smoke", "plain", "inner"))
    found = chip.warnings(f"{HEAD}tasks: [{{name: t, needs: [{needs}]}}]", "t")
    assert [warning.split(": ", 1)[1] for warning in found] == [
        f"demo.t needs `ip.uart.{name}`, which its package does not export"
        for name in ("plain", "inner")
    ]


@pytest.mark.parametrize("name", ["ip.uart.inner", "uart.inner", "inner"])
def test_a_task_of_any_scope_and_package_may_be_run_by_name(chip: Project, name: str) -> None:
    assert chip.graph(HEAD, name).goals == ["ip.uart.inner"]


def test_of_several_tasks_of_a_name_the_root_one_is_meant(chip: Project) -> None:
    fields = f"{HEAD}tasks: [{{name: sim}}, {{name: plain}}, {{name: smoke.rtl}}]"
    assert chip.graph(fields, "sim").goals == ["ip.uart.sim"], "the only one with scope root"
    assert chip.graph(fields, "plain").goals == ["demo.plain"], "the root package's"
    what = chip.usage(fields, "rtl")
    assert what == "`rtl` may be one of demo.smoke.rtl, ip.uart.rtl (give the full name)"


def test_a_bare_name_is_a_variable_of_the_package_in_which_the_text_stands(chip: Project) -> None:
    nodes = chip.graph(HEAD, "rtl")
    assert nodes.script("ip.uart.rtl") == "uart chip here"


def test_only_then_it_is_the_root_packages_with_a_warning(chip: Project) -> None:
    chip.add("uart.yaml", UART.replace("${{ top }}", "${{ mine }}"))
    assert chip.warnings(HEAD, "rtl") == [
        "uart.yaml:6:29: `run` of ip.uart.rtl: `mine` is a variable of another package, the root"
        " one (write demo.mine)"
    ]


def test_a_name_that_only_a_third_package_has_is_not_seen(chip: Project) -> None:
    fields = f"{HEAD}tasks: [{{name: t, run: '${{{{ only }}}}'}}]"
    assert chip.faults(fields) == [
        "3:29: `run` of demo.t: `only` is not defined (did you mean `ip.uart.only`?)"
    ]


def test_a_value_of_the_command_line_reaches_every_package_that_has_the_variable(
    chip: Project,
) -> None:
    assert chip.graph(HEAD, "rtl", D=["top=x"]).script("ip.uart.rtl") == "x x here"
    assert chip.graph(HEAD, "rtl", D=["ip.uart.top=y"]).script("ip.uart.rtl") == "y chip here"


def test_what_is_imported_may_be_used_and_fed_by_its_full_name(chip: Project) -> None:
    fields = f"""{HEAD}tasks:
- {{name: t, uses: ip.uart.sim, needs: [ip.uart.plain.needs], feeds: [ip.uart.rtl]}}
"""
    nodes = chip.graph(fields, "t", "ip.uart.rtl")
    assert nodes.needs("demo.t") == ["ip.uart.inner"]
    assert nodes.needs("ip.uart.rtl") == ["demo.t"]
