"""Who may use the daemon's socket, by the numbers that the kernel knows them by."""

import os
import pwd

from dfm.config.config import Config
from dfm.errors import ConfigError, Place, Problem

_KEY = "runner.daemon.allow_users"


def allowed_uids(config: Config) -> frozenset[int]:
    """The owner's and those of `runner.daemon.allow_users`. Raises ConfigError for unknown names."""
    uids = {os.geteuid()}
    problems = []
    for number, name in enumerate(config.daemon.allow_users):
        try:
            uids.add(pwd.getpwnam(name).pw_uid)
        except KeyError:
            place = config.origins[f"{_KEY}[{number}]"]
            what = f"{_KEY}: this host knows no user `{name}`"
            problems.append(Problem(what, place if isinstance(place, Place) else None))
    if problems:
        raise ConfigError.of(problems)
    return frozenset(uids)
