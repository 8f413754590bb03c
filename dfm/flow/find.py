"""Finds the root flow file (section 3)."""

import os

from dfm.errors import FlowError
from dfm.flow.document import Document
from dfm.flow.reading import read

CANDIDATES = ("flow.dv", "flow.yaml", "flow.yml", "flow.toml")


def find_root(start: str) -> Document:
    """The flow file at or above `start`, a file or a folder. Raises FlowError.

    A candidate without a package (a fragment, an empty file) is passed over, one that cannot be
    parsed is not.
    """
    start = os.path.abspath(start)
    if os.path.isfile(start):
        return read(start)
    if not os.path.isdir(start):
        raise FlowError(f"no such file or folder: {start}")
    folder = start
    while folder != os.path.dirname(folder):  # not in the root of the file system
        for name in CANDIDATES:
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                document = read(path)
                if isinstance(document.data, dict) and "package" in document.data:
                    return document
        folder = os.path.dirname(folder)
    raise FlowError(
        f"no flow file in {start} or above it",
        hint=f"dfm looks for {', '.join(CANDIDATES)}; --root PATH or DV_FLOW_ROOT say where",
    )
