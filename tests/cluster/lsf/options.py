"""The command line of bsub, which is like no other: `-n4`, `-W1:30`, `-oo F`, then any command."""

import re
from typing import NamedTuple

from tests.cluster.lsf.site import Refused

# With an argument, with none. What is known and has no effect here is refused by bsub, loudly.
VALUED = (
    "-q -P -J -n -R -M -W -We -o -oo -e -eo -cwd -env -L -G -g -Q -E -Ep -wt -wa -w -b -m -sp -app"
    " -sla -a -gpu -u -i -c -D -S -v -t -F -T"
).split()
FLAGS = "-H -r -rn -K -I -Is -Ip -x -N -B".split()
_ATTACHED = [option for option in VALUED if len(option) == 2]


class Words(NamedTuple):
    """Options in their order; what is no option begins the command."""

    options: list[tuple[str, str]]
    command: list[str]

    def last(self, name: str) -> str:
        return next((value for option, value in reversed(self.options) if option == name), "")

    def all(self, name: str) -> list[str]:
        return [value for option, value in self.options if option == name]

    def has(self, name: str) -> bool:
        return any(option == name for option, _ in self.options)


class Array(NamedTuple):
    """`NAME[1-10:2,15]%5`."""

    name: str
    indices: str = ""  # as Slurm has them; "" is no array
    largest: int = 0


def parse(words: list[str]) -> Words:
    """Raises Refused."""
    options: list[tuple[str, str]] = []
    rest = list(words)
    while rest and rest[0].startswith("-") and rest[0] != "-":
        word = rest.pop(0)
        if word in FLAGS:
            options.append((word, ""))
        elif word in VALUED:
            if not rest:
                raise Refused(f"bsub: option requires an argument -- {word[1:]}")
            options.append((word, rest.pop(0)))
        elif word[:2] in _ATTACHED:
            options.append((word[:2], word[2:]))
        else:
            raise Refused(
                f"bsub: illegal option -- {word.lstrip('-')}\nUsage: bsub [options] command"
            )
    return Words(options, rest)


def in_script(text: str) -> list[str]:
    """The words of the `#BSUB` lines."""
    import shlex

    lines = (line.removeprefix("#BSUB") for line in text.splitlines() if line.startswith("#BSUB"))
    return [word for line in lines for word in shlex.split(line, comments=True)]


def job_array(text: str, largest_allowed: int) -> Array:
    match = re.fullmatch(r"([\w.-]*)(?:\[([\d,:-]+)\](%\d+)?)?", text)
    if match is None or len(text) > 4094 or (match[2] is None and not match[1]):
        raise Refused("Bad job name. Job not submitted.")
    if match[2] is None:
        return Array(match[1])
    largest = 0
    for part in match[2].split(","):
        bounds = re.fullmatch(r"(\d+)(?:-(\d+)(?::(\d+))?)?", part)
        if bounds is None or int(bounds[1]) < 1 or int(bounds[2] or bounds[1]) < int(bounds[1]):
            raise Refused("Bad job name. Job not submitted.")
        largest = max(largest, int(bounds[2] or bounds[1]))
    if largest > largest_allowed:
        raise Refused("Job array index too large. Job not submitted.")
    return Array(match[1], match[2] + (match[3] or ""), largest)


def run_limit_minutes(text: str) -> int:
    match = re.fullmatch(r"(?:(\d+):)?(\d+)(?:/[\w.-]+)?", text)
    if match is None:
        raise Refused(f"{text}: Bad RUNLIMIT specification. Job not submitted.")
    return int(match[1] or 0) * 60 + int(match[2])


def memory_limit_kb(text: str, unit: str) -> int:
    match = re.fullmatch(r"(\d+)([KMGT]?)[bB]?!?", text, re.IGNORECASE)
    if match is None or not int(match[1]):
        raise Refused(f"{text}: MEMLIMT value should be a positive integer. Job not submitted.")
    exponent: int = "KMGT".index((match[2] or unit).upper())
    return int(match[1]) * int(1024**exponent)


def slots(text: str) -> int:
    match = re.fullmatch(r"(-?\d+)(?:,(\d+))?", text)
    if match is None:
        raise Refused("Bad argument for option -n. Job not submitted.")
    if int(match[1]) < 1:
        raise Refused("The number of processors must be a positive integer. Job not submitted.")
    return int(match[1])


def environment(text: str) -> dict[str, object]:
    """`-env` as what to keep, to drop and to set."""
    keep: list[str] = []
    drop: list[str] = []
    given: dict[str, str] = {}
    everything = False
    for item in re.findall(r"(?:[^,']|'[^']*')+", text):
        item = item.strip()
        name, equals, value = item.partition("=")
        if item == "all":
            everything = True
        elif item == "none":
            everything = False
        elif item.startswith("~"):
            drop.append(item[1:].strip())
        elif equals:
            given[name.strip()] = value.strip("'")
        else:
            keep.append(item)
    return {"all": everything, "keep": keep, "drop": drop, "set": given}
