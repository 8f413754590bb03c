"""Names of tasks as names of files and directories (section 8)."""

_AWKWARD = str.maketrans(dict.fromkeys("\\/:*?\"<>|#%&{}$!'@+=;`", "_"))


def file_name(name: str) -> str:
    """Without the characters that are awkward in a path."""
    return name.translate(_AWKWARD)
