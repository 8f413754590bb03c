from collections.abc import Callable
from pathlib import Path

import pytest

from dfm.errors import FlowError, Place, Problem
from dfm.flow.find import find_root
from dfm.flow.load import Options, load

PACKAGES = {
    "flow.dv": "package: {name: dv}",
    "flow.yaml": "package: {name: yaml}",
    "flow.yml": "package: {name: yml}",
    "flow.toml": "[package]\nname = 'toml'",
}
Tree = Callable[..., Path]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    def make(**files: str) -> Path:
        for name, text in files.items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return tmp_path

    return make


def problem(start: Path) -> Problem:
    with pytest.raises(FlowError) as caught:
        find_root(str(start))
    (only,) = caught.value.problems
    return only


@pytest.mark.parametrize("first", range(4))
def test_the_candidates_of_a_folder_are_tried_in_a_fixed_order(tree: Tree, first: int) -> None:
    names = ["flow.dv", "flow.yaml", "flow.yml", "flow.toml"][first:]
    folder = tree(**{name: PACKAGES[name] for name in names})
    assert find_root(str(folder)).file == str(folder / names[0])


@pytest.mark.parametrize("text", ["fragment: {tasks: []}", "", "# nothing yet\n", "- a list", "3"])
def test_a_candidate_without_a_package_is_passed_over(tree: Tree, text: str) -> None:
    folder = tree(**{"flow.dv": text, "flow.yaml": PACKAGES["flow.yaml"]})
    assert find_root(str(folder)).file == str(folder / "flow.yaml")


def test_the_folders_above_are_searched_too(tree: Tree) -> None:
    folder = tree(**{"flow.toml": PACKAGES["flow.toml"], "a/flow.yaml": "fragment: {}"})
    (folder / "a" / "b").mkdir()
    assert find_root(str(folder / "a" / "b")).file == str(folder / "flow.toml")


def test_the_nearest_folder_wins(tree: Tree) -> None:
    folder = tree(**{"flow.dv": PACKAGES["flow.dv"], "a/flow.toml": PACKAGES["flow.toml"]})
    assert find_root(str(folder / "a")).file == str(folder / "a" / "flow.toml")


def test_a_candidate_that_cannot_be_parsed_is_reported_and_not_passed_over(tree: Tree) -> None:
    folder = tree(**{"flow.dv": "package:\n  name: }", "flow.yaml": PACKAGES["flow.yaml"]})
    found = problem(folder)
    assert found.place == Place(str(folder / "flow.dv"), 2, 9)
    assert found.what.startswith("not valid YAML: ")


def test_a_candidate_of_toml_that_cannot_be_parsed_is_reported(tree: Tree) -> None:
    folder = tree(**{"flow.toml": "[package]\nname = = 3"})
    assert problem(folder).place == Place(str(folder / "flow.toml"), 2, 8)


def test_a_package_that_is_no_map_is_not_passed_over(tree: Tree) -> None:
    folder = tree(**{"flow.yaml": "package: 3", "flow.yml": PACKAGES["flow.yml"]})
    assert find_root(str(folder)).file == str(folder / "flow.yaml")


def test_a_folder_called_like_a_candidate_is_none(tree: Tree) -> None:
    folder = tree(**{"flow.yaml/x": "", "flow.yml": PACKAGES["flow.yml"]})
    assert find_root(str(folder)).file == str(folder / "flow.yml")


def test_a_file_is_taken_whatever_its_name(tree: Tree) -> None:
    folder = tree(**{"other.txt": "package: {name: x}", "flow.yaml": PACKAGES["flow.yaml"]})
    assert find_root(str(folder / "other.txt")).file == str(folder / "other.txt")


def test_nothing_found_names_the_folder_where_the_search_began(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tree(**{"a/notes.txt": ""})
    monkeypatch.setattr("dfm.flow.find.CANDIDATES", ("flow.none",))
    found = problem(folder / "a")
    assert found.what == f"no flow file in {folder / 'a'} or above it"
    assert "flow.none" in found.hint
    assert "--root" in found.hint


def test_the_root_of_the_file_system_is_not_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dfm.flow.find.os.path.isfile", lambda path: path == "/flow.yaml")
    assert problem(Path("/")).what == "no flow file in / or above it"


def test_a_start_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    found = problem(tmp_path / "nowhere")
    assert found.what == f"no such file or folder: {tmp_path / 'nowhere'}"


def test_a_file_that_cannot_be_read_is_an_error(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tree(**{"flow.yaml": PACKAGES["flow.yaml"]})

    def refuse(file: str, **_: str) -> None:
        raise PermissionError(13, "Permission denied", file)

    monkeypatch.setattr("builtins.open", refuse)
    assert str(problem(folder)) == f"{folder}/flow.yaml: cannot be read: Permission denied"


def test_a_file_that_is_not_utf8_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "flow.yaml").write_bytes(b"package: {name: \xff}")
    assert str(problem(tmp_path)).startswith(f"{tmp_path}/flow.yaml: is not UTF-8: ")


def test_root_comes_before_the_environment_and_that_before_the_current_folder(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tree(**{f"{name}/flow.yaml": f"package: {{name: {name}}}" for name in "abc"})
    monkeypatch.chdir(folder / "c")
    environ = {"DV_FLOW_ROOT": str(folder / "b")}
    assert load(Options(str(folder / "a")), environ).program.root.name == "a"
    assert load(Options(), environ).program.root.name == "b"
    assert load(Options(), {"DV_FLOW_ROOT": ""}).program.root.name == "c"


def test_a_relative_root_is_meant_from_the_current_folder(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tree(**{"a/flow.yaml": PACKAGES["flow.yaml"]})
    monkeypatch.chdir(folder)
    flow = load(Options("a"), {})
    assert (flow.file, flow.folder) == (str(folder / "a" / "flow.yaml"), str(folder / "a"))
