import os
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from dfm_worker.command import Programs, plain_words, shell_words

PLAIN = {
    "true": ["true"],
    "false": ["false"],
    "make": ["make"],
    "make -j4 all": ["make", "-j4", "all"],
    "gcc -O2  -o\ta.out a.c ": ["gcc", "-O2", "-o", "a.out", "a.c"],
    "./run.sh": ["./run.sh"],
    "../tools/x -I/usr/include": ["../tools/x", "-I/usr/include"],
    "/bin/cp a b": ["/bin/cp", "a", "b"],
    "vvp +seed=1 +UVM_TESTNAME=a_b": ["vvp", "+seed=1", "+UVM_TESTNAME=a_b"],
    "env A=1 true": ["env", "A=1", "true"],
    "a%b:c,d@e": ["a%b:c,d@e"],
    "python3.11 -m x": ["python3.11", "-m", "x"],
    "7z x": ["7z", "x"],
}

FOR_BASH = [
    "",
    " ",
    " true",  # nobody writes it, and it is not worth a thought
    "true\n",
    "true\nfalse",
    "a=1 make",
    "A=1",
    "echo hello",  # a builtin
    "[ -f x ]",
    "cd /tmp",
    ". ./setup.sh",
    "exit 3",
    ": x",
    "true --version",  # the program prints something, the builtin does not
    "false --help",
    "time make",
    "if",
    "ls *.v",
    "ls ?.v",
    "ls [ab].v",
    "ls {a,b}.v",
    "ls ~",
    "ls ~/x",
    "ls a~",
    "make x=~",
    "ls $HOME",
    "ls `pwd`",
    "ls 'a'",
    'ls "a"',
    "ls a\\ b",
    "ls a | wc",
    "ls a || ls b",
    "ls a && ls b",
    "ls a; ls b",
    "ls a &",
    "ls > x",
    "ls 2>x",
    "ls < x",
    "(ls)",
    "{ ls; }",
    "! ls",
    "ls !x",
    "ls # it",
    "#ls",
    "ls a^b",
    "ls\x0ba",
    "ls \u00e9",
    "ls\u00a0a",
    "\u00e9",
    "ls \udcff",
    "-x",  # an option of bash itself
    "+x",
    "%1",
    "@x",
    ",x",
    ":",
    "~/bin/x",
    "!!",
]


@pytest.mark.parametrize("line", PLAIN)
def test_a_plain_command_is_started_without_bash(line: str) -> None:
    assert plain_words(line, {}) == PLAIN[line]


@pytest.mark.parametrize("line", FOR_BASH)
def test_a_line_that_means_more_is_left_to_bash(line: str) -> None:
    assert plain_words(line, {}) is None


def of_bash(kind: str) -> list[str]:
    """What `compgen` lists: `-b` the builtins, `-k` the keywords."""
    done = subprocess.run(
        ["/bin/bash", "-c", f"compgen {kind}"], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


@pytest.mark.parametrize("kind", ["-b", "-k"])
def test_no_word_of_the_bash_that_is_here_is_taken_for_a_program(kind: str) -> None:
    words = of_bash(kind)
    assert len(words) > 15
    for word in words:
        assert plain_words(f"{word} x", {}) is None, word


def test_a_function_in_the_environment_is_left_to_bash() -> None:
    environment = {"BASH_FUNC_ls%%": "() { echo mine; }"}
    assert plain_words("ls a", environment) is None
    assert plain_words("cat a", environment) == ["cat", "a"]


@pytest.mark.parametrize("name", ["BASH_ENV", "SHELLOPTS"])
def test_what_changes_every_bash_is_left_to_bash(name: str) -> None:
    assert plain_words("ls", {name: "x"}) is None
    assert plain_words("ls", {f"X{name}": "x"}) == ["ls"]


# What bash makes of the lines that are started without it

SHOWS_ITS_WORDS = '#!/bin/sh\nprintf \'%s\\0\' "${0##*/}" "$@"\n'
ALPHABET = "aZ09_./+:,@%=-"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For programs that show their words; the only one on the PATH."""
    return tmp_path_factory.mktemp("programs")


@settings(
    deadline=None,
    max_examples=120,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.from_regex(
        re.compile(rf"[{ALPHABET}]{{1,4}}([ \t]+[~{ALPHABET}]{{1,5}}){{0,4}}[ \t]*"), fullmatch=True
    )
)
@example("a +x -y =z a=b a:~ % @")
@example("a \ta=b:c  ")
def test_bash_makes_the_same_words_of_every_plain_line(folder: Path, line: str) -> None:
    words = plain_words(line, {})
    assume(words is not None and words[0] not in ("true", "false"))
    assert words is not None
    name = words[0]
    assume("/" not in name and name != "..")
    program = folder / name
    program.write_text(SHOWS_ITS_WORDS)
    program.chmod(0o755)
    (folder / "ax").touch()  # for patterns to match
    done = subprocess.run(
        ["/bin/bash", "-c", line], cwd=folder, env={"PATH": str(folder)}, capture_output=True, check=False
    )  # fmt: skip
    assert done.stdout.decode().split("\0")[:-1] == words, done.stderr


# Programs


def executable(path: Path, mode: int = 0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(mode)
    return path


def test_the_first_folder_of_the_path_that_has_a_program_gives_it(tmp_path: Path) -> None:
    executable(tmp_path / "b" / "tool")
    executable(tmp_path / "c" / "tool")
    path = ":".join(f"{tmp_path}/{name}" for name in "abc")
    assert Programs().find("tool", path) == f"{tmp_path}/b/tool"


def test_a_folder_and_a_file_that_may_not_run_are_no_programs(tmp_path: Path) -> None:
    (tmp_path / "a" / "tool").mkdir(parents=True)
    executable(tmp_path / "b" / "tool", 0o644)
    executable(tmp_path / "c" / "tool")
    path = ":".join(f"{tmp_path}/{name}" for name in "abc")
    assert Programs().find("tool", path) == f"{tmp_path}/c/tool"


@pytest.mark.parametrize("path", ["", ":/bin", ".:/bin", "bin:/bin", "/nowhere::/bin"])
def test_a_relative_folder_on_the_path_is_left_to_bash(path: str) -> None:
    assert Programs().find("true", path) is None


def test_a_relative_folder_behind_the_program_s_does_not_count() -> None:
    found = Programs().find("sh", f"{os.defpath}:.")
    assert found is not None
    assert os.path.isabs(found)


def test_a_program_that_is_nowhere_is_left_to_bash() -> None:
    assert Programs().find("no-such-program", "/bin:/usr/bin") is None


def test_each_path_has_its_own_programs(tmp_path: Path) -> None:
    programs = Programs()
    for name in "ab":
        executable(tmp_path / name / "tool")
    for name in "abab":
        assert programs.find("tool", f"{tmp_path}/{name}") == f"{tmp_path}/{name}/tool"


# Shells


@pytest.mark.parametrize(
    ("language", "shell"), [("bash", "/bin/bash"), ("csh", "/bin/csh"), ("tcsh", "/bin/tcsh")]
)
def test_one_line_is_told_and_several_are_a_file(language: str, shell: str) -> None:
    assert shell_words(language, "echo $x", "/r/t_cmd.sh") == [shell, "-c", "echo $x"]
    assert shell_words(language, "echo $x\n", "/r/t_cmd.sh") == [shell, "/r/t_cmd.sh"]
    assert shell_words(language, "a\nb", "/r/t_cmd.sh") == [shell, "/r/t_cmd.sh"]
