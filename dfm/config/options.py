"""`--runner-opt key=value`: scalars of the selected runner's own section, for one run."""

import dataclasses
from collections.abc import Sequence

from dfm.config.config import Config
from dfm.config.fields import Field, Kind, Section, Value
from dfm.config.spelling import nearest
from dfm.config.values import Unfit, from_text
from dfm.errors import Problem, UsageError

FLAG = "--runner-opt"


def apply_options(config: Config, runner: str, options: Sequence[str]) -> Config:
    """`config` with the options in place of what the layers say; the last of a key wins.

    Raises UsageError with every fault, and with the keys that `runner` has.
    """
    if not options:
        return config
    section = config.sections.get(runner)
    if section is None:
        raise UsageError(f"{FLAG}: no runner `{runner}` is installed here")
    chosen: dict[str, Value] = {}
    problems: list[Problem] = []
    for option in options:
        try:
            key, value = _parse(option, runner, section)
            chosen[key] = value
        except UsageError as error:
            problems += error.problems
    if problems:
        last = problems[-1]
        hint = "\n".join(part for part in (last.hint, _valid_keys(runner, section)) if part)
        raise UsageError.of([*problems[:-1], last._replace(hint=hint)])
    dotted = {f"runner.{runner}.{key}": value for key, value in chosen.items()}
    return dataclasses.replace(
        config,
        runners={**config.runners, runner: {**config.runners[runner], **chosen}},
        values={**config.values, **dotted},
        origins={**config.origins, **dict.fromkeys(dotted, FLAG)},
    )


def _parse(option: str, runner: str, section: Section) -> tuple[str, Value]:
    key, equals, text = option.partition("=")
    shown = f"{FLAG} {option}"
    if not equals:
        raise UsageError(f"{shown}: not of the form key=value")
    field = next((field for field in section.fields if field.key == key), None)
    if field is None:
        near = nearest(key, (field.key for field in _scalars(section)))
        hint = f"did you mean `{near}`?" if near else ""
        raise UsageError(f"{shown}: the runner `{runner}` has no option `{key}`", hint=hint)
    if field.kind is Kind.TEXTS:
        where = f"set `runner.{runner}.{key}` in a configuration file"
        raise UsageError(f"{shown}: `{key}` is a list", hint=where)
    try:
        return key, from_text(field, text)
    except Unfit as unfit:
        raise UsageError(f"{shown}: `{key}` must be {unfit}") from unfit


def _valid_keys(runner: str, section: Section) -> str:
    scalars = _scalars(section)
    if not scalars:
        return f"the runner `{runner}` has no options"
    width = max(len(field.key) for field in scalars)
    lines = (f"  {field.key:<{width}}  {field.help}" for field in scalars)
    return "\n".join((f"options of the runner `{runner}`:", *lines))


def _scalars(section: Section) -> list[Field]:
    return [field for field in section.fields if field.kind is not Kind.TEXTS]
