import pytest

from dfm.flow.expressions.command import run, run_with_input
from dfm.flow.expressions.errors import ExpressionError


def test_the_output_of_a_command_is_stripped() -> None:
    assert run("echo; echo ' a  b '; echo") == "a  b"


def test_a_command_without_output_gives_the_empty_string() -> None:
    assert run("true") == ""


def test_a_failing_command_is_quoted_with_its_status_and_its_errors() -> None:
    with pytest.raises(ExpressionError) as caught:
        run("echo out; echo 'no such tool' >&2; exit 3")
    assert caught.value.message == (
        "the shell command `echo out; echo 'no such tool' >&2; exit 3` ended with status 3: "
        "no such tool"
    )


def test_a_failing_command_without_a_word_is_no_open_sentence() -> None:
    with pytest.raises(ExpressionError) as caught:
        run("exit 1")
    assert caught.value.message == "the shell command `exit 1` ended with status 1"


def test_a_killed_command_is_said_to_be_killed() -> None:
    with pytest.raises(ExpressionError, match="was killed by signal 9"):
        run("kill -9 $$")


def test_a_command_does_not_read_what_dfm_reads() -> None:
    assert run("cat") == ""


def test_a_piped_value_is_standard_input() -> None:
    assert run_with_input("a\nb\n", "wc -l | tr -d ' '") == "2"
    assert run_with_input(["a", True], "cat") == '["a", true]'


def test_a_piped_value_that_nobody_reads_does_no_harm() -> None:
    assert run_with_input("x" * 1_000_000, "echo ok") == "ok"


def test_bytes_that_are_no_text_come_through() -> None:
    assert run("printf '\\377'") == "\udcff"


@pytest.mark.parametrize("command", ["echo \0", "\ud800", "x" * 10_000_000])
def test_a_command_that_cannot_be_started_is_an_error(command: str) -> None:
    with pytest.raises(ExpressionError, match="cannot run the shell command"):
        run(command)


def test_a_command_is_a_string() -> None:
    with pytest.raises(ExpressionError, match="`shell` needs the command as str, not list"):
        run(["echo"])
