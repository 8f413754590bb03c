"""docs/language.md is so: each of its sections is a project, its files are written and its commands typed.

The first line of a block names its file. In what a command prints a line `...` stands for any lines, `...`
within one for anything, and times are any times.
"""

import re
import shlex
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.integration import library_environment
from tests.integration.conftest import DFM, Project

PAGE = (Path(__file__).parents[2] / "docs/language.md").read_text()
LIBRARIES = "Libraries"  # the section that needs published ones
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_NAMED = re.compile(r"^(?:#|//|<!--) ([\w./-]+)(?: -->)?\n")
_TIMES = [
    (re.compile(r"\b[\d.]+ (ms|s)\b"), "TIME"),
    (re.compile(r" +TIME\b"), " TIME"),
    (re.compile(r"time$"), "TIME"),
]


class Section(NamedTuple):
    """Its blocks in their order: language and text."""

    title: str
    blocks: list[tuple[str, str]]


def sections() -> list[Section]:
    parts = re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]
    made = [Section(part.split("\n", 1)[0], _BLOCK.findall(part)) for part in parts]
    return [section for section in made if section.blocks]


def plain(line: str, folder: Path) -> str:
    line = line.replace(f"{folder}/", "").rstrip()
    for pattern, word in _TIMES:
        line = pattern.sub(word, line)
    return re.sub(r"  +", "  ", line)


def agrees(shown: list[str], said: list[str]) -> bool:
    """Whether the lines that are shown are those that were said, `...` for any number of them."""
    pattern = "".join(
        r"(?:.*\n)*?" if line == "..." else re.escape(line).replace(r"\.\.\.", ".*") + r"\n"
        for line in shown
    )
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in said)) is not None


def type_all(project: Project, console: str, dfm: list[str]) -> None:
    """Types the commands of a block, and holds what they print against it."""
    for part in re.split(r"^\$ ", console, flags=re.MULTILINE)[1:]:
        command, *shown = part.rstrip("\n").split("\n")
        words = shlex.split(command)
        done = subprocess.run(
            [part for word in words for part in (dfm if word == "dfm" else [word])],
            cwd=project.folder, env=project.environment, text=True, check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        said = [plain(line, project.folder) for line in done.stdout.rstrip("\n").split("\n")]
        expected = [plain(line, project.folder) for line in shown] or [""]
        assert agrees(expected, said), f"$ {command}\n{done.stdout}"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("section", sections(), ids=lambda section: section.title)
def test_a_section_does_what_it_says(section: Section, project: Project) -> None:
    dfm = DFM
    if section.title == LIBRARIES:
        programs = library_environment.programs()
        dfm = [str(programs / "dfm")]
        project.environment["PATH"] = f"{programs}:{project.environment['PATH']}"
    consoles = []
    for language, text in section.blocks:
        if language == "console":
            consoles.append(text)
        else:
            named = _NAMED.match(text)
            assert named, f"a block of {section.title} without a name: {text[:40]}"
            is_comment = language != "text"  # nobody knows what that is
            project.write(named[1], text if is_comment else text[named.end() :])
    assert consoles, f"nothing is typed in {section.title}"
    for text in consoles:
        type_all(project, text, dfm)


def test_every_block_of_yaml_is_in_a_section_that_is_typed() -> None:
    inside = [text for section in sections() for kind, text in section.blocks if kind == "yaml"]
    assert len(inside) == PAGE.count("```yaml\n") >= 30
    begin = re.compile(r"# [\w./]+\n(package|fragment|package-map):\n")
    assert all(begin.match(text) for text in inside)
