"""Section 7: packages of other files, and the names that they have."""

import pytest

from dfm.errors import UsageError
from tests.dfm.flow.conftest import Project

UART = """
package:
  name: uart
  with:
    width: {type: int, value: 8}
    kind: {type: str, value: plain}
  types:
  - {name: Opts, uses: std.DataItem, with: {level: {type: int, value: 1}}}
  tasks:
  - {export: rtl, run: "uart ${{ width }} ${{ kind }} ${{ srcdir }}"}
  - {export: Base, with: {flags: {type: list, value: [u]}}, run: "base ${{ flags }}"}
  - {name: inner, run: x}
  configs:
  - {name: wide, with: {width: 32}, extensions: [{task: Base, with: {flags: {append: [wide]}}}]}
  - {name: default, with: {kind: by default}}
"""
USE = "tasks: [{name: t, needs: [uart.rtl]}]"


@pytest.fixture
def chip(project: Project) -> Project:
    project.add("libs/uart/flow.yaml", UART)
    return project


@pytest.mark.parametrize(
    "entry",
    [
        "libs/uart",
        "libs/uart/flow.yaml",
        "libs",
        "{from: libs/uart}",
        "{name: uart, from: libs/uart}",
        "'${{ lib }}/uart'",
        "'${{ env.LIBS }}/uart'",
        "{from: '${{ rootdir }}/libs/uart'}",
    ],
)
def test_a_path_is_a_flow_file_or_a_folder_that_holds_one(chip: Project, entry: str) -> None:
    fields = f"with: {{lib: {{type: str, value: libs}}}}\nimports: [{entry}]\n{USE}"
    nodes = chip.graph(fields, "t", environ={"LIBS": f"{chip.folder}/libs"})
    assert nodes.script("uart.rtl") == f"uart 8 plain {chip.folder}/libs/uart"
    assert nodes.rundirs["uart.rtl"] == "uart.rtl"
    assert nodes.needs("demo.t") == ["uart.rtl"]


def test_the_path_of_an_import_follows_configurations_and_the_command_line(chip: Project) -> None:
    chip.add("other/uart/flow.yaml", UART.replace("uart ${{", "other ${{"))
    fields = f"""
    with: {{lib: {{type: str, value: nowhere}}}}
    imports: ["${{{{ lib }}}}/uart"]
    configs: [{{name: c, with: {{lib: libs}}}}]
    {USE}
    """
    assert chip.graph(fields, "t", c="c").script("uart.rtl").startswith("uart")
    assert chip.graph(fields, "t", c="c", D=["lib=other"]).script("uart.rtl").startswith("other")
    assert chip.graph(fields, "t", D=["demo.lib=other"]).script("uart.rtl").startswith("other")


def test_a_path_is_relative_to_the_importing_file_and_then_to_the_root(chip: Project) -> None:
    chip.add("sub/flow.yaml", "package: {name: sub, imports: [near, libs/uart]}")
    chip.add("sub/near/flow.yaml", "package: {name: near, tasks: [{export: a}]}")
    chip.add("near/flow.yaml", "package: {name: far}")
    nodes = chip.graph("imports: [sub]\ntasks: [{name: t, needs: [near.a, uart.rtl]}]", "t")
    assert nodes.needs("demo.t") == ["near.a", "uart.rtl"], "imported by what is imported"


def test_of_several_packages_below_a_folder_the_first_is_taken_with_a_warning(
    chip: Project,
) -> None:
    other = chip.add("libs/xyz/flow.yaml", "package: {name: xyz}")
    first = f"{chip.folder}/libs/uart/flow.yaml"
    assert chip.warnings(f"imports: [libs]\n{USE}", "t") == [
        f"1:11: {first} is taken; there are also {other}"
    ]


def test_a_pin_holds_for_later_imports_by_name_in_other_packages(chip: Project) -> None:
    chip.add("sub/flow.yaml", "package: {name: sub, imports: [uart]}")
    fields = f"imports: [sub, {{name: uart, from: libs/uart}}]\n{USE}"
    assert "uart.rtl" in chip.graph(fields, "t")


def test_a_pin_of_a_file_that_has_another_name_is_a_fault(chip: Project) -> None:
    assert chip.faults("imports: [{name: usart, from: libs/uart}]") == [
        f"1:18: `usart` is said to be in {chip.folder}/libs/uart/flow.yaml, which has the package"
        " `uart`"
    ]


def test_two_pins_of_one_name_are_a_fault(chip: Project) -> None:
    chip.add("other/flow.yaml", UART)
    entries = "{name: uart, from: libs/uart}, {name: uart, from: other}"
    (fault, _) = chip.faults(f"imports: [{entries}]")
    assert fault.startswith(f"1:61: package `uart` is pinned to {chip.folder}/other here")


def test_a_package_is_loaded_once_however_many_import_it(chip: Project) -> None:
    chip.add("a/flow.yaml", "package: {name: a, imports: [../libs/uart, ..]}")
    flow = chip.load(f"imports: [libs/uart, a, libs/uart/flow.yaml, std]\n{USE}")
    assert list(flow.program.packages) == ["std", "demo", "uart", "a"]


def test_two_files_with_one_package_are_a_fault(chip: Project) -> None:
    other = chip.add("other/flow.yaml", UART)
    first = f"{chip.folder}/libs/uart/flow.yaml:3:9"
    assert chip.faults("imports: [libs/uart, other]") == [
        f"1:22: package `uart` is in {other} and in another file (first at {first})"
    ]


@pytest.mark.parametrize(
    ("entry", "column", "hint"),
    [
        ("libs/uarts", 11, "no such file or folder in {folder}"),
        ("{from: libs/uarts}", 18, "no such file or folder in {folder}"),
        ("{name: uarts}", 18, ""),
    ],
)
def test_a_missing_import_is_a_fault_with_its_place(
    chip: Project, entry: str, column: int, hint: str
) -> None:
    name = entry.strip("{}").split(": ")[-1]
    fault = f"1:{column}: import `{name}` not found"
    shown = f" ({hint.format(folder=chip.folder)})" if hint else ""
    assert chip.faults(f"imports: [{entry}]") == [fault + shown]


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ("3", "1:11: an import is a name, a path, or a map, not the number 3"),
        ("''", "1:11: an import is a name, a path, or a map, not the text ''"),
        ("{as: u}", "1:11: an import needs a `name`, a `from`, or both"),
        ("{from: [a]}", "1:12: `from` must be text, not a list"),
        ("'${{ nope }}/x'", "1:16: import `${{ nope }}/x`: `nope` is not defined"),
        ("'${{ x'", "1:12: import `${{ x`: `${{` is not closed"),
    ],
)
def test_what_cannot_be_an_import_is_a_fault(project: Project, entry: str, fault: str) -> None:
    assert project.faults(f"imports: [{entry}]")[0].startswith(fault)


def test_faults_of_imported_files_are_said_with_those_of_the_root(chip: Project) -> None:
    chip.add("bad/flow.yaml", "package: {name: bad, task: [], tasks: [{name: t, needs: [nope]}]}")
    chip.add("worse/flow.yaml", "package: {")
    chip.add("none/x.yaml", "fragment: {}")
    found = chip.faults("imports: [bad, worse, none/x.yaml, none]\ntasks: [{nam: 1}]")
    assert [fault.split(": ")[0] for fault in found] == [
        "2:9", "bad/flow.yaml:1:22", "worse/flow.yaml:2:1", "1:23", "1:36", "bad/flow.yaml:1:58",
    ]  # fmt: skip


def test_a_misspelt_name_of_another_package_has_its_nearest(chip: Project) -> None:
    assert chip.faults("imports: [libs]\ntasks: [{name: t, needs: [uart.rlt]}]") == [
        "2:27: demo.t needs `uart.rlt`, and there is no such task (did you mean `uart.rtl` or"
        " `uart.inner`?)"
    ]


def test_unknown_keys_of_an_import_are_warnings(chip: Project) -> None:
    assert chip.warnings("imports: [{from: libs, nmae: x}]") == [
        "1:24: an import has no field `nmae`; it is ignored (did you mean `name`?)"
    ]


# Package maps

MAP = """
package-map:
  version: 1
  packages:
  - {name: uart, path: libs/uart/flow.yaml}
  - {name: spi, path: ../elsewhere}
"""


@pytest.mark.parametrize("fields", ["package-map: map.yaml", "package-map: ['${{ m }}.yaml']"])
def test_a_flow_file_names_a_map_of_packages(chip: Project, fields: str) -> None:
    chip.add("map.yaml", MAP)
    fields = f"with: {{m: {{type: str, value: map}}}}\n{fields}\nimports: [uart]\n{USE}"
    assert "uart.rtl" in chip.graph(fields, "t")


def test_maps_come_from_the_command_line_and_the_environment_too(chip: Project) -> None:
    file = str(chip.add("map.yaml", MAP))
    other = str(chip.add("o.yaml", MAP.replace("libs/uart/flow.yaml", "nowhere")))
    fields = f"imports: [{{name: uart}}]\n{USE}"
    environ = {"DV_FLOW_PACKAGE_MAP": f"{file}:{other}"}
    assert "uart.rtl" in chip.graph(fields, "t", environ=environ)
    chip.package_maps = [file, other]
    assert "uart.rtl" in chip.graph(fields, "t")
    assert "uart.rtl" in chip.graph(fields, "t", environ={"DV_FLOW_PACKAGE_MAP": other})


def test_a_folder_of_dv_flow_path_has_packages_by_name_and_is_searched_last(chip: Project) -> None:
    chip.add("low/uart/flow.yaml", UART.replace("uart ${{", "low ${{"))
    environ = {"DV_FLOW_PATH": f"{chip.folder}/none:{chip.folder}/low:{chip.folder}/libs"}
    fields = f"imports: [uart]\n{USE}"
    assert chip.graph(fields, "t", environ=environ).script("uart.rtl").startswith("low")
    chip.package_maps = [str(chip.add("map.yaml", MAP))]
    assert chip.graph(fields, "t", environ=environ).script("uart.rtl").startswith("uart")


def test_pins_win_over_maps_and_the_first_map_wins(chip: Project) -> None:
    chip.add("a.yaml", MAP)
    chip.add("b.yaml", MAP.replace("libs/uart/flow.yaml", "other"))
    chip.add("other/flow.yaml", UART.replace("uart ${{", "other ${{"))
    maps = "package-map: [b.yaml, a.yaml]\n"
    fields = f"{maps}imports: [uart]\n{USE}"
    assert chip.graph(fields, "t").script("uart.rtl").startswith("other")
    fields = f"{maps}imports: [{{name: uart, from: libs}}, uart]\n{USE}"
    assert chip.graph(fields, "t").script("uart.rtl").startswith("uart")


def test_a_map_that_is_missing_is_an_error(chip: Project) -> None:
    assert chip.faults("package-map: [no.yaml]") == [f"1:15: no package map {chip.folder}/no.yaml"]
    chip.package_maps = ["/no/such"]
    assert chip.usage("imports: [x]") == "no package map /no/such (--package-map names it)"
    chip.package_maps = []
    with pytest.raises(UsageError, match="DV_FLOW_PACKAGE_MAP names it"):
        chip.load("imports: [x]", environ={"DV_FLOW_PACKAGE_MAP": "/no/such"})


def test_faults_of_a_map_have_their_places(chip: Project) -> None:
    chip.add("map.yaml", "package-map:\n  version: 2\n  packages:\n  - {name: a}\n  - b\n")
    chip.add("none.yaml", "packages: []\n")
    found = chip.faults("package-map: [map.yaml, none.yaml]")
    assert [fault.split(": ")[0] for fault in found] == [
        "map.yaml:2:12", "map.yaml:5:5", "map.yaml:4:5", "none.yaml:1:1",
    ]  # fmt: skip


# Aliases, configurations, values


def test_an_alias_stands_for_the_package_in_references_and_expressions(chip: Project) -> None:
    fields = """
    imports: [{from: libs/uart, as: u}]
    tasks:
    - {name: t, needs: [u.rtl, b], run: "${{ u.width }}"}
    - {name: b, uses: u.Base}
    - {name: o, uses: u.Opts}
    - {name: f, feeds: [u.Base]}
    - {name: same, needs: [u.Base.needs]}
    overrides: {u.inner: u.rtl}
    """
    nodes = chip.graph(fields, "t", "o", "uart.Base", "uart.inner", "same")
    assert nodes.script("demo.t") == "8"
    assert nodes.needs("demo.t") == ["uart.rtl", "demo.b"]
    assert nodes.script("demo.b") == 'base ["u"]'
    assert nodes["demo.o"].params == {"level": 1}
    assert nodes.needs("uart.Base") == ["demo.f"]
    assert nodes.needs("demo.same") == ["demo.f"]
    assert "uart.inner" not in nodes


def test_an_alias_is_of_the_package_that_gives_it(chip: Project) -> None:
    chip.add(
        "sub/flow.yaml",
        "package: {name: sub, imports: [{from: ../libs, as: u}], tasks: [{name: t, needs: [u.rtl]}]}",
    )
    fields = "imports: [sub]\ntasks: [{name: t, needs: [u.rtl]}]"
    assert chip.graph("imports: [sub]", "sub.t").needs("sub.t") == ["uart.rtl"]
    assert chip.faults(fields)[0].startswith("2:27: demo.t needs `u.rtl`, and there is no such")


def test_a_second_import_under_one_alias_is_a_fault(chip: Project) -> None:
    chip.add("spi/flow.yaml", "package: {name: spi}")
    assert chip.faults("imports: [{from: libs, as: u}, {from: spi, as: u}]") == [
        f"1:48: two imports have the alias `u` (first at {chip.file}:3:30)"
    ]


def test_an_import_gives_values_to_the_variables_of_the_package(chip: Project) -> None:
    fields = f"""
    with: {{k: {{type: str, value: mine}}}}
    imports: [{{from: libs, with: {{width: 16, kind: "${{{{ k }}}}"}}}}]
    {USE}
    """
    assert chip.graph(fields, "t").script("uart.rtl").startswith("uart 16 mine")
    nodes = chip.graph(fields, "t", D=["uart.width=4", "k=yours"])
    assert nodes.script("uart.rtl").startswith("uart 4 yours")


def test_an_import_selects_a_configuration_and_its_values_win_over_that(chip: Project) -> None:
    fields = (
        "imports: [{from: libs, config: wide}]\ntasks: [{name: t, needs: [uart.rtl, uart.Base]}]"
    )
    nodes = chip.graph(fields, "t")
    assert nodes.script("uart.rtl").startswith("uart 32 plain")
    assert nodes.script("uart.Base") == 'base ["u", "wide"]'
    fields = fields.replace("wide", "wide, with: {width: 64}")
    assert chip.graph(fields, "t").script("uart.rtl").startswith("uart 64")


def test_without_a_word_of_the_import_no_configuration_applies(chip: Project) -> None:
    fields = f"imports: [libs]\nconfigs: [{{name: wide}}]\n{USE}"
    assert chip.graph(fields, "t", c="wide").script("uart.rtl").startswith("uart 8 plain")


def test_imports_that_disagree_are_a_fault(chip: Project) -> None:
    first = "{from: libs, config: wide, with: {width: 1}}"
    fields = f"imports:\n- {first}\n- libs\n- {first}\n- {{from: libs, with: {{kind: x}}}}\n"
    assert chip.load(fields).warnings() == []
    fields += "- {from: libs, config: default}\n- {from: libs, with: {width: 2}}\n"
    assert [fault.split(" (")[0] for fault in chip.faults(fields)] == [
        "6:24: package uart is imported with configuration `default` here, and with `wide` elsewhere",
        "7:23: two imports give `width` of package uart different values",
    ]


def test_what_an_import_says_and_the_package_does_not_have_is_a_fault(chip: Project) -> None:
    fields = "imports: [{from: libs, config: wyde, with: {witdh: 1}}]"
    assert chip.faults(fields) == [
        "1:32: package uart has no configuration `wyde` (did you mean `wide`?)",
        "1:45: the package has no variable `witdh` (did you mean `width`?)",
    ]


def test_imports_of_a_fragment_are_relative_to_it_and_serve_the_package(chip: Project) -> None:
    chip.add("libs/f.yaml", "fragment: {imports: [{from: uart, as: u}]}")
    assert "uart.rtl" in chip.graph(f"fragments: [libs/f.yaml]\n{USE.replace('uart', 'u')}", "t")


def test_packages_may_import_each_other(chip: Project) -> None:
    chip.add(
        "a/flow.yaml", "package: {name: a, imports: [../b], tasks: [{export: t, needs: [b.u]}]}"
    )
    chip.add("b/flow.yaml", "package: {name: b, imports: [../a], tasks: [{export: u, uses: a.v}]}")
    chip.add(
        "a/flow.yaml",
        "package: {name: a, imports: [../b], tasks: [{export: t, needs: [b.u]}, {export: v}]}",
    )
    assert chip.graph("imports: [a]", "a.t").names == ["a.t", "b.u"]
