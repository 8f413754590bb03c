"""Whether the runner can work here: its commands, and the other packages' runners."""

import shlex
import shutil
from collections.abc import Mapping

from dfm.cli.doctor.finding import Findings, good, odd, wrong
from dfm.config.config import Config
from dfm.config.fields import Value
from dfm.runners.registry import Installed, find, unusable

_COMMAND = "_cmd"  # a setting of this ending is a command line


def findings(runner: Installed, config: Config) -> Findings:
    """Of the runner that is to be used."""
    settings = config.runners.get(runner.name, {})
    missing = dict(_missing(settings))
    reason = unusable(runner, config)
    if reason is not None:
        yield wrong("runner", f"{runner.name} ({runner.origin}): {reason}", _advice(missing))
    else:
        yield good("runner", f"{runner.name} ({runner.origin}) can be used here")
    for key, value in settings.items():
        if key in missing:
            how = f"load its environment, or set runner.{runner.name}.{key}"
            yield wrong("command", f"{missing[key]}: not found on PATH", how)
        elif key.endswith(_COMMAND) and isinstance(value, str) and value:
            yield good("command", f"{key}: {shutil.which(shlex.split(value)[0])}")
    for broken in find().broken:
        yield odd("plugin", f"{broken.what} of {broken.origin} is broken: {broken.trouble}")


def _missing(settings: Mapping[str, Value]) -> list[tuple[str, str]]:
    """Keys of commands whose program is not there, with its name."""
    found = []
    for key, value in settings.items():
        if not key.endswith(_COMMAND) or not isinstance(value, str):
            continue
        try:
            words = shlex.split(value)
        except ValueError:
            words = []
        if not words or shutil.which(words[0]) is None:
            found.append((key, words[0] if words else f"`{value}`"))
    return found


def _advice(missing: Mapping[str, str]) -> str:
    return "see the commands below" if missing else "`dfm runners` lists the others"
