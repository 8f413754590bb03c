"""`dfm runners`: every runner, and why one cannot be used here."""

import os
import textwrap
from collections.abc import Iterator

from dfm.cli.config import folder
from dfm.config.config import Config
from dfm.config.fields import Field, Kind
from dfm.config.selection import select_runner
from dfm.config.writing import scalar, written
from dfm.runners.registry import Installed, configuration, find, unusable

_WIDTH = 100


def show(root: str) -> int:
    """Prints the runners. Raises ConfigError: their sections belong to what is shown."""
    config = configuration(folder(root), os.environ, with_runners=True)
    selected = select_runner(config, os.environ, None).name
    found = find()
    for name, runner in found.runners.items():
        if runner.make is None:
            continue
        reason = unusable(runner, config)
        usable = "usable" if reason is None else f"not usable here: {reason}"
        mark = ", selected" if name == selected else ""
        print(f"{name} ({runner.origin}{mark}): {usable}")  # noqa: T201
        for line in _options(runner, config):
            print(line)  # noqa: T201
    for broken in found.broken:
        print(f"{broken.what} ({broken.origin}) is broken: {broken.trouble}")  # noqa: T201
    return 0


def _options(runner: Installed, config: Config) -> Iterator[str]:
    """The runner's own fields; lists can only be set in a file."""
    assert runner.make is not None
    fields = runner.make.section.fields
    width = max((len(field.key) for field in fields), default=0)
    for field in fields:
        lead = f"  {field.key:<{width}}  "
        words = field.help + _value(f"runner.{runner.name}.{field.key}", field, config)
        yield textwrap.fill(words, _WIDTH, initial_indent=lead, subsequent_indent=" " * len(lead))


def _value(key: str, field: Field, config: Config) -> str:
    value = config.values.get(key)
    if value in (None, "", ()):
        return " (a list)" if field.kind is Kind.TEXTS else ""
    assert value is not None
    said = written(field, value)
    words = ", ".join(map(scalar, said)) if isinstance(said, list) else str(said)
    return f" (now {words})"
