"""Faults are put into real processes: killed, stopped, starved. `DFM_SOAK=1` runs the full size."""

import os

from tests.integration.conftest import anywhere, daemon, project

__all__ = ["anywhere", "daemon", "project"]

IS_SOAK = os.environ.get("DFM_SOAK", "") not in ("", "0")


def sized(quick: int, full: int) -> int:
    """How often something is done: in `make test`, and in `make soak`."""
    return full if IS_SOAK else quick
