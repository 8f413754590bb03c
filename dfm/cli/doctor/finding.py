"""What the doctor says of one thing."""

import enum
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias


class Verdict(enum.Enum):
    """WRONG makes the exit status 1; an ODD thing may be meant so."""

    GOOD = "ok"
    ODD = "note"
    WRONG = "WRONG"


class Finding(NamedTuple):
    """One line: what was looked at, what was found, and what to do about it."""

    verdict: Verdict
    subject: str
    found: str
    advice: str = ""

    def __str__(self) -> str:
        lines = (line.strip() for line in (*self.found.splitlines(), self.advice))
        return f"{self.verdict.value:<5}  {self.subject:<9}  {'; '.join(filter(None, lines))}"


Findings: TypeAlias = Iterator[Finding]


def good(subject: str, found: str) -> Finding:
    return Finding(Verdict.GOOD, subject, found)


def odd(subject: str, found: str, advice: str = "") -> Finding:
    return Finding(Verdict.ODD, subject, found, advice)


def wrong(subject: str, found: str, advice: str = "") -> Finding:
    return Finding(Verdict.WRONG, subject, found, advice)
