"""Which runner a run asks for, and who says so. Whether it exists is the registry's to say."""

from collections.abc import Mapping
from typing import NamedTuple

from dfm.config.config import Config
from dfm.config.merge import DEFAULT
from dfm.errors import Place


class Selection(NamedTuple):
    """`origin` in words: `--runner`, `DFM_RUNNER`, `file:line` or `default`."""

    name: str
    origin: str
    is_explicit: bool  # False: nobody chose, so a living daemon may be taken


def select_runner(config: Config, environ: Mapping[str, str], flag: str | None) -> Selection:
    """The highest of the flag, the environment and the configuration that names a runner."""
    if flag is not None:
        return Selection(flag, "--runner", True)
    variable = environ.get("DFM_RUNNER")
    if variable:
        return Selection(variable, "DFM_RUNNER", True)
    origin = config.origins["runner.default"]
    words = f"{origin.file}:{origin.line}" if isinstance(origin, Place) else origin
    return Selection(config.runner, words, origin != DEFAULT)
