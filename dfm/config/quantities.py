"""Memory, walltime and ports as people write them, in the units the code counts in.

Every `parse_*` raises ValueError with words that complete "must be ...".
"""

import re
from typing import NamedTuple

_BITS = {"K": 10, "M": 20, "G": 30, "T": 40}
_MIB = 1024**2
# How they are written, in the grammar that regular expressions of Python and of JSON schemas share.
SIZE = r"([0-9]{1,18})(?:\.([0-9]{1,9}))?([KkMmGgTt]?)"
WALLTIME = r"(?:([0-9]{1,9}):([0-5][0-9])|([0-9]{1,9}))"
PORTS = r"([0-9]{1,5})(?:\s*-\s*([0-9]{1,5}))?"
_MOST_BYTES = 2**63 - 1  # what a message can carry
_MOST_SECONDS = 2**31 - 1


class PortRange(NamedTuple):
    """TCP ports from `first` to `last`, both included; (0, 0) leaves the choice to the kernel."""

    first: int
    last: int

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


def parse_bytes(text: str) -> int:
    """Bytes of `1G`, `1.5G`, `512` (no suffix: M), rounded up."""
    match = re.fullmatch(SIZE, text.strip())
    if match is None:
        raise ValueError('a number with K, M, G or T (powers of 1024; none: M), such as "32G"')
    whole, decimals, suffix = match[1], match[2] or "", match[3].upper() or "M"
    # Integers only: a float would turn some 0.1G into a MiB more than was asked for.
    size = -(-(int(whole + decimals) << _BITS[suffix]) // int("1" + "0" * len(decimals)))
    if size > _MOST_BYTES:
        raise ValueError("less than 8388608T")
    return size


def parse_memory_mib(text: str) -> int:
    """MiB of the same texts, rounded up: a job that asks for too little is killed."""
    return -(-parse_bytes(text) // _MIB)


def show_memory(mib: int) -> str:
    """The shortest whole number of M, G or T: `8G`."""
    for power, suffix in ((1024**2, "T"), (1024, "G")):
        if mib and mib % power == 0:
            return f"{mib // power}{suffix}"
    return f"{mib}M"


def show_walltime(seconds: int) -> str:
    """`HH:MM` as one writes it: `1:30`. Whole minutes."""
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours}:{minutes:02}"


def parse_walltime_s(text: str) -> int:
    """Seconds of `HH:MM` or of a number of minutes."""
    match = re.fullmatch(WALLTIME, text.strip())
    if match is None:
        raise ValueError('"HH:MM" or a number of minutes')
    minutes = int(match[3]) if match[3] else int(match[1]) * 60 + int(match[2])
    if minutes * 60 > _MOST_SECONDS:
        raise ValueError(f"less than {_MOST_SECONDS // 60} minutes")
    return minutes * 60


def parse_ports(text: str) -> PortRange:
    """`0` (any), `40000` or `40000-40100`."""
    match = re.fullmatch(PORTS, text.strip())
    if match is None:
        raise ValueError('a port or a range such as "40000-40100"')
    ports = PortRange(int(match[1]), int(match[2] or match[1]))
    if ports.last > 65535:
        raise ValueError("at most 65535")
    if ports.first > ports.last or (ports.first == 0 and match[2]):
        raise ValueError("a range that goes up, from 1 or more")
    return ports
