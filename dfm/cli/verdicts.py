"""How the tests of a run went, from the states of their nodes (section 31.8 of the language)."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from statistics import fmean, median
from typing import NamedTuple

from dfm.cli.display.words import duration, short_path
from dfm.engine.outcome import Outcome
from dfm.engine.run import Run
from dfm.flow.trials import Runner, Trial
from dfm.graph.node import Script
from dfm.graph.plan import State
from dfm.graph.values import Fields, Value

PASSED, FAILED, NOT_RUN = "passed", "FAILED", "not run"
_ORDER = (FAILED, NOT_RUN, PASSED)  # what a case with several trials comes to
_SAMPLE = "std.EvalSample"
_VERDICT = "passed"  # the score of what has no others

REDUCERS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "mean": fmean,
    "median": median,
    "max": max,
    "min": min,
    "pass_at_k": lambda scores: float(any(score >= 1 for score in scores)),
    "all": lambda scores: float(all(score >= 1 for score in scores)),
}


class Verdict(NamedTuple):
    """On one trial."""

    trial: Trial
    status: str
    wall_ms: float  # of all that was executed for it
    logs: list[str]  # of what failed
    sample: Fields | None  # what it has said itself


class Case(NamedTuple):
    """A test with all of its trials."""

    path: str
    status: str
    verdicts: list[Verdict]


def cases(runner: Runner, engine: Run, outcomes: Iterable[Outcome]) -> list[Case]:
    """The tests of a runner, in their order."""
    ends = {outcome.node.number: outcome for outcome in outcomes}
    found: dict[str, list[Verdict]] = {}
    for trial in runner.trials:
        found.setdefault(trial.path, []).append(_verdict(trial, engine, ends))
    return [
        Case(path, min((one.status for one in verdicts), key=_ORDER.index), verdicts)
        for path, verdicts in found.items()
    ]


def _verdict(trial: Trial, engine: Run, ends: Mapping[int, Outcome]) -> Verdict:
    states = engine.plan.states
    if trial.ends and engine.plan.are_done(trial.ends):
        status = PASSED
    else:
        is_failed = any(states[number] is State.FAILED for number in trial.numbers)
        status = FAILED if is_failed else NOT_RUN
    there = [ends[number] for number in trial.numbers if number in ends]
    logs = [
        one.log for one in there
        if states[one.node.number] is State.FAILED and isinstance(one.node.work, Script)
    ]  # fmt: skip
    samples = [
        item.fields
        for number in trial.ends
        for item in engine.output_of(number)
        if item.type == _SAMPLE
    ]
    sample = samples[-1] if samples else None
    return Verdict(trial, status, sum(one.wall_ms for one in there), logs, sample)


def lines(runner: Runner, found: Sequence[Case]) -> Iterator[str]:
    """What is printed of them, as much as `detail` says."""
    detail, reducer = runner.params["detail"], runner.params.get("epochs_reducer")
    width = max((len(case.path) for case in found), default=0)
    for case in found if detail != "quiet" else ():
        score = f"  {_shown(scores(case, str(reducer)))}" if reducer else ""
        yield f"{case.status:<7}  {case.path:<{width}}{score}{_some(case)}".rstrip()
        if detail == "full":
            for one in case.verdicts:
                name = _name(one.trial, has_epochs=bool(reducer))
                yield f"         {name}{one.status}, {duration(one.wall_ms / 1000)}"
                yield from (f"           log: {short_path(log)}" for log in one.logs)
    count = {status: sum(case.status == status for case in found) for status in _ORDER}
    parts = [f"{count[PASSED]} passed", f"{count[FAILED]} failed", f"{count[NOT_RUN]} not run"]
    yield f"tests: {', '.join(parts)}"


def _some(case: Case) -> str:
    """How many of its trials did not pass, if there are several."""
    bad = [one for one in case.verdicts if one.status != PASSED]
    if len(case.verdicts) == 1 or not bad:
        return ""
    views = list(dict.fromkeys(one.trial.view for one in bad if one.trial.view))
    where = f": {', '.join(views)}" if views else ""
    return f"  ({len(bad)} of {len(case.verdicts)}{where})"


def _name(trial: Trial, *, has_epochs: bool) -> str:
    parts = [trial.view, f"epoch {trial.epoch}" if has_epochs else ""]
    text = " ".join(filter(None, parts))
    return f"{text}: " if text else ""


def scores(case: Case, reducer: str) -> dict[str, float]:
    """By scorer, what the trials come to; of those without scores whether they have passed."""
    found: dict[str, list[float]] = {}
    for one in case.verdicts:
        for name, score in trial_scores(one).items():
            found.setdefault(name, []).append(score)
    return {name: float(REDUCERS[reducer](values)) for name, values in found.items()}


def trial_scores(verdict: Verdict) -> dict[str, float]:
    """A trial that was not finished has none but that it has not passed."""
    given = (verdict.sample or {}).get("scores")
    if verdict.status == PASSED and isinstance(given, dict):
        numbers = {name: number for name, score in given.items()
                   if (number := _number(score)) is not None}  # fmt: skip
        if numbers:
            return {_VERDICT: float(has_passed(verdict)), **numbers}
    return {_VERDICT: float(has_passed(verdict))}


def has_passed(verdict: Verdict) -> bool:
    """Its own word counts if the task was done."""
    sample = verdict.sample
    is_done = verdict.status == PASSED
    return is_done and (sample is None or sample.get("passed", True) is True)


def _number(score: Value) -> float | None:
    value = score.get("value") if isinstance(score, dict) else score
    return float(value) if isinstance(value, int | float) else None


def _shown(found: Mapping[str, float]) -> str:
    return " ".join(f"{name} {score:.3g}" for name, score in found.items())
