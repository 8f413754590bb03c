"""A pipe that nobody reads any more, as behind `dfm run | head`: no fault, and nothing to talk about."""

import os
import signal
from typing import TextIO

CUT_OFF = 128 + signal.SIGPIPE  # the status that a shell makes of make or ninja, which die of it


def drop_output(stream: TextIO) -> None:
    """What is still to be written goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
