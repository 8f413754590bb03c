"""Which files a Verilog source includes (section 33): `include "x", followed recursively.

Comments are skipped, conditionals are not evaluated, `<x>` and macros are not followed: as upstream
does it, and enough to notice that a header was edited.
"""

import re
from collections.abc import Callable, Iterator, Sequence

FILETYPES = frozenset(
    {"systemVerilogSource", "verilogSource", "systemVerilogInclude", "verilogInclude"}
)
INCLUDE_TYPES = frozenset({"systemVerilogInclude", "verilogInclude"})
INCDIR_TYPE = "verilogIncDir"

# A string is taken whole, so that a `//` in it starts no comment.
_TOKEN = re.compile(rb'//[^\n]*|/\*.*?\*/|`include\s*"([^"\n]*)"|"(?:\\.|[^"\\\n])*"', re.DOTALL)


def included_names(source: bytes) -> list[str]:
    """The names after `include, in the order of the text."""
    if b"`include" not in source:
        return []
    names = (match[1] for match in _TOKEN.finditer(source) if match[1])
    return [name.decode(errors="surrogateescape") for name in names]


def follow(
    files: Sequence[str],
    folders: Sequence[str],
    includes: Callable[[str], Sequence[str] | None],
) -> Iterator[str]:
    """Paths of all files that these sources reach, each once.

    `folders` are searched after the including file's own. `includes` gives the names that a file
    includes; None if there is no such file, which is then looked for further.
    """
    seen = set(files)
    todo = list(reversed(files))
    while todo:
        file = todo.pop()
        here = file.rpartition("/")[0]
        for name in includes(file) or ():
            for folder in (here, *folders):
                place = name if name.startswith("/") else f"{folder}/{name}"
                if place in seen:
                    break
                if includes(place) is not None:
                    seen.add(place)
                    todo.append(place)
                    yield place
                    break
