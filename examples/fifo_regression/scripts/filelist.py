"""Prints what the file sets in $DFM_INPUTS hold, one item per line.

filelist.py            arguments for iverilog: -I and -D options, then the sources in compile order
filelist.py FILETYPE   the paths of the files of that type
"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def paths(file_set: dict[str, Any]) -> Iterator[str]:
    for name in file_set["files"]:
        yield str(Path(file_set["basedir"], name))


def iverilog_arguments(file_sets: list[dict[str, Any]]) -> Iterator[str]:
    for file_set in file_sets:
        for directory in file_set.get("incdirs", []):
            yield f"-I{Path(file_set['basedir'], directory)}"
        for define in file_set.get("defines", []):
            yield f"-D{define}"
    for file_set in file_sets:
        yield from paths(file_set)


def main() -> None:
    items = json.loads(Path(os.environ["DFM_INPUTS"]).read_text())
    file_sets = [item for item in items if item["type"] == "std.FileSet"]
    if len(sys.argv) > 1:
        for file_set in file_sets:
            if file_set["filetype"] == sys.argv[1]:
                print(*paths(file_set), sep="\n")
    else:
        print(*iverilog_arguments(file_sets), sep="\n")


if __name__ == "__main__":
    main()
