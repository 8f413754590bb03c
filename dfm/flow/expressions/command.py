"""The built-in `shell`: the only thing in the language that reaches the world outside."""

from dfm.flow.expressions.errors import ExpressionError
from dfm.flow.expressions.values import as_text, kind
from dfm.graph.values import Value


def run(command: Value) -> str:
    """Standard output of a shell command, stripped. Raises ExpressionError if it fails."""
    return _output(command, "")


def run_with_input(value: Value, command: Value) -> str:
    """`value | shell(command)`: the same, with the value as text on standard input."""
    return _output(command, as_text(value))


def _output(command: Value, given: str) -> str:
    import subprocess  # 6 ms, and few flows need it

    if not isinstance(command, str):
        raise ExpressionError(f"`shell` needs the command as str, not {kind(command)}")
    try:
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            input=given,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",  # file names are bytes
            check=False,
        )
    except (OSError, ValueError) as error:  # too long, or holds a NUL
        raise ExpressionError(f"cannot run the shell command `{command}`: {error}") from error
    if done.returncode:
        status = done.returncode
        how = f"ended with status {status}" if status > 0 else f"was killed by signal {-status}"
        said = done.stderr.strip()
        raise ExpressionError(f"the shell command `{command}` {how}" + (said and f": {said}"))
    return done.stdout.strip()
