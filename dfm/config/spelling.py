"""Which known name somebody probably meant."""

from collections.abc import Iterable


def nearest(word: str, names: Iterable[str]) -> str | None:
    """The known name most like `word`, whatever its case; None if none is like it."""
    import difflib  # only a mistake pays for it

    word = word.lower()
    by_lower = {name.lower(): name for name in names}
    close = difflib.get_close_matches(word, by_lower, n=1)
    if not close:
        close = sorted((name for name in by_lower if _is_part(word, name)), key=len, reverse=True)
    return by_lower[close[0]] if close else None


def _is_part(word: str, name: str) -> bool:
    """`port` of `worker_port`, `slots` of `slots_per_worker`; `infrastructure` for `infra`."""
    if min(len(word), len(name)) < 3:
        return False
    is_begun = name.startswith(word) or word.startswith(name)
    return is_begun or set(word.split("_")) <= set(name.split("_"))
