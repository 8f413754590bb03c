"""Hosts that lose one worker after the other under its tasks: for a while they get none any more.

A host is at fault only if others are not: unless a task has succeeded elsewhere since its losses
began, the tasks may be at fault, or whatever all hosts have in common.
"""

from dataclasses import dataclass

LOSSES_IN_A_ROW = 3
EXCLUDED_S = 600.0


@dataclass(slots=True)
class _Host:
    losses: int = 0  # since the last task that succeeded there
    since: float = 0.0  # the first of these
    succeeded_at: float = -1.0  # negative: never
    excluded_until: float = 0.0


class Hosts:
    """What is known of each host on which a worker has been. Times are those of the caller's clock."""

    def __init__(self) -> None:
        self._hosts: dict[str, _Host] = {}

    def succeeded(self, name: str, now: float) -> None:
        """A task has ended there, as it should."""
        host = self._hosts.get(name)
        if host is None:
            host = self._hosts[name] = _Host()
        host.losses = 0
        host.succeeded_at = now

    def lost(self, name: str, now: float) -> bool:
        """A worker was lost there with tasks. True if the host is excluded from now on."""
        host = self._hosts.setdefault(name, _Host())
        if not host.losses:
            host.since = now
        host.losses += 1
        if host.losses < LOSSES_IN_A_ROW or not self._others_are_well(name, host.since):
            return False
        host.losses = 0
        host.excluded_until = now + EXCLUDED_S
        return True

    def is_excluded(self, name: str, now: float) -> bool:
        host = self._hosts.get(name)
        return host is not None and now < host.excluded_until

    def excluded(self, now: float) -> dict[str, float]:
        """The hosts that get no tasks, and until when."""
        return {
            name: host.excluded_until
            for name, host in self._hosts.items()
            if now < host.excluded_until
        }

    def _others_are_well(self, name: str, since: float) -> bool:
        return any(
            host.succeeded_at >= since for other, host in self._hosts.items() if other != name
        )
