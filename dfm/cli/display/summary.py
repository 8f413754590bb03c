"""What is printed when a run is over: failures first, then the counts."""

from collections.abc import Mapping, Sequence

from dfm.cli.display.words import duration, log_lines, log_path, plural, title, usage, verdict
from dfm.engine.outcome import Ending, Outcome

_SHOWN_FAILURES = 20
_SHOWN_NAMES = 10  # of tasks that were lost for one reason
_SHOWN_LOG_LINES = 20  # of all failures together, at most 5 of each
_COLUMNS = {
    "done": Ending.DONE,
    "up-to-date": Ending.UP_TO_DATE,
    "base": Ending.BASE,
    "cache": Ending.CACHE,
    "failed": Ending.FAILED,
    "lost": Ending.LOST,
    "interrupted": Ending.CANCELLED,
    "skipped": Ending.SKIPPED,
}
_ONLY_IF_ANY = frozenset({"base", "cache", "lost", "interrupted"})


def summary(counts: Mapping[Ending, int], failures: Sequence[Outcome], wall_s: float) -> str:
    """The text, without a newline at its end."""
    return "\n".join([*_failures(failures), *_counts(counts, wall_s)])


def _failures(failures: Sequence[Outcome]) -> list[str]:
    lines: list[str] = []
    lost: dict[str, list[Outcome]] = {}
    for outcome in failures:
        if outcome.ending is Ending.LOST:
            lost.setdefault(outcome.why, []).append(outcome)
    for why, outcomes in lost.items():
        lines += _lost(why, outcomes)
    failures = [outcome for outcome in failures if outcome.ending is not Ending.LOST]
    shown = max(1, min(5, _SHOWN_LOG_LINES // max(1, len(failures))))
    for outcome in failures[:_SHOWN_FAILURES]:
        parts = [verdict(outcome), usage(outcome)]
        lines.append(f"FAILED {title(outcome.node)}: {', '.join(filter(None, parts))}")
        lines += [
            f"       {marker.message}"
            for marker in outcome.markers
            if marker.severity == "error" and not marker.message.startswith("Command failed: ")
        ]
        if outcome.log_tail:
            lines.append(f"       log: {log_path(outcome)}")
            lines += [f"       | {line}" for line in log_lines(outcome.log_tail, shown)]
    if len(failures) > _SHOWN_FAILURES:
        rest = failures[_SHOWN_FAILURES:]
        lines.append(f"FAILED {len(rest)} more:")
        lines += [f"       {title(outcome.node)}: {log_path(outcome)}" for outcome in rest]
    return lines


def _lost(why: str, outcomes: Sequence[Outcome]) -> list[str]:
    """What was lost for one reason, as all tasks of a pool without workers: that is said once."""
    names = [title(outcome.node) for outcome in outcomes]
    first, *more = f"infrastructure: {why}".split("\n")
    if len(names) == 1:
        return [f"FAILED {names[0]}: {first}", *(f"       {line}" for line in more)]
    some = ", ".join(names[:_SHOWN_NAMES]) + (", ..." if len(names) > _SHOWN_NAMES else "")
    head = f"FAILED {len(names)} tasks: {first}"
    return [head, *(f"       {line}" for line in more), f"       {some}"]


def _counts(counts: Mapping[Ending, int], wall_s: float) -> list[str]:
    total = sum(counts.values())
    if total == counts[Ending.UP_TO_DATE]:
        return [f"nothing to do: {plural(total, 'task')} up to date ({duration(wall_s)})"]
    cells = [("total", str(total))]
    cells += [
        (name, str(counts[ending]))
        for name, ending in _COLUMNS.items()
        if counts[ending] or name not in _ONLY_IF_ANY
    ]
    cells.append(("time", duration(wall_s)))
    widths = [max(len(name), len(value)) for name, value in cells]
    return [
        "  ".join(cell[row].rjust(width) for cell, width in zip(cells, widths, strict=True))
        for row in (0, 1)
    ]
