"""The words that start a task's script.

A script of one line is `SHELL -c LINE`, one of several lines a file in the run directory (section
29.1 of the language). A line that is one plain command is started without a shell between, as make
does: bash alone costs as much again as a short command.
"""

import os
import re
from collections.abc import Mapping

SHELLS = {"bash": "/bin/bash", "csh": "/bin/csh", "tcsh": "/bin/tcsh"}

# Only characters that mean themselves to bash, wherever they stand; no assignment as first word, and
# no option of bash: in `bash -c -x` there is no command.
_PLAIN = re.compile(r"[\w./][\w./+:,@%-]*(?:[ \t]+[\w./+:,@%=-]+)*[ \t]*", re.ASCII)

# `true` and `false` without arguments are the same as programs. For all others the builtin decides.
_BASH_WORDS = frozenset(
    """
    . : [ alias bg bind break builtin caller case cd command compgen complete compopt continue
    coproc declare dirs disown do done echo elif else enable esac eval exec exit export fc fg fi for
    function getopts hash help history if in jobs kill let local logout mapfile popd printf pushd
    pwd read readarray readonly return select set shift shopt source suspend test then time times
    trap type typeset ulimit umask unalias unset until wait while
    """.split()
)


class Programs:
    """Where a command's program is, remembered for each PATH."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], str | None] = {}

    def find(self, word: str, path: str) -> str | None:
        """The file that bash would run for `word`; None if bash must be asked."""
        key = (word, path)
        if key not in self._found:
            self._found[key] = self._search(word, path)
        return self._found[key]

    @staticmethod
    def _search(word: str, path: str) -> str | None:
        for folder in path.split(":"):
            if not folder.startswith("/"):
                return None  # relative to the task's directory
            program = f"{folder}/{word}"
            if os.path.isfile(program) and os.access(program, os.X_OK):
                return program
        return None


def plain_words(line: str, environment: Mapping[str, str]) -> list[str] | None:
    """The words of a line that bash would only split and run; None for all else."""
    if not _PLAIN.fullmatch(line):
        return None
    words = line.split()
    if words[0] in _BASH_WORDS or (words[0] in ("true", "false") and len(words) > 1):
        return None
    if "BASH_ENV" in environment or "SHELLOPTS" in environment:  # a script before it; `set -x`
        return None
    if f"BASH_FUNC_{words[0]}%%" in environment:
        return None
    return words


def shell_words(language: str, script: str, file: str) -> list[str]:
    """How the shell is given a script. One of several lines must be in `file` by then."""
    shell = SHELLS[language]
    return [shell, file] if "\n" in script else [shell, "-c", script]
