"""The language of `-R`: sections, and whether a host fits a `select`."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from tests.cluster.lsf.site import Refused

_SECTIONS = ("select", "order", "rusage", "span", "same", "cu", "affinity")
_TOKEN = re.compile(r"\s*(&&|\|\||[!=<>]=|[!<>()]|&|\||'[^']*'|\"[^\"]*\"|[\w.:*-]+)")
_UNNAMED = re.compile(rf"((?:(?!\b(?:{'|'.join(_SECTIONS)})\[).)*)")
_MEMORY = {"": 1.0, "K": 1 / 1024, "M": 1.0, "G": 1024.0, "T": 1024.0**2}
CONSUMABLE = {"mem", "swp", "tmp", "vcs", "xcelium", "emulator"}
# What every host here is; a name that is not here is no resource of this cluster.
HOST: Mapping[str, str | float | bool] = {
    "type": "X64LIN", "model": "Intel", "os_version": "RHEL8", "ncpus": 16.0, "mem": 64000.0,
    "maxmem": 64000.0, "swp": 8000.0, "tmp": 50000.0, "r1m": 0.0, "ut": 0.0, "hname": "",
    "x86": True, "rhel8": True, "bigmem": False,
}  # fmt: skip


class Requirement(NamedTuple):
    """All `-R` of a job together."""

    select: tuple[str, ...] = ()
    usage: tuple[tuple[str, float], ...] = ()  # consumable resources; memory in MB
    span: str = ""

    def fits(self, host: str) -> bool:
        return all(_Select(text, {**HOST, "hname": host}).holds() for text in self.select)


def parse(texts: list[str]) -> Requirement:
    """Raises Refused in LSF's words."""
    select: list[str] = []
    usage: dict[str, float] = {}
    span = ""
    for text in texts:
        for name, body in _sections(text):
            if name == "select":
                _Select(body, {**HOST, "hname": "any"}).holds()
                select.append(body)
            elif name == "rusage":
                usage.update(_usage(body))
            elif name == "span":
                span = _span(body)
    return Requirement(tuple(select), tuple(usage.items()), span)


def _sections(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    rest = text.strip()
    while rest:
        match = re.match(r"(\w+)\[([^\]]*)\]\s*", rest)
        if match and match[1] in _SECTIONS:
            if match[1] in [name for name, _ in found]:
                raise _bad(f'Error near "{match[1]}" : duplicate section')
            found.append((match[1], match[2]))
            rest = rest[match.end() :]
        elif not found:  # the select string may come without its name
            match = _UNNAMED.match(rest)
            if match is None or not match[1]:
                raise _bad("Bad resource requirement syntax")
            found.append(("select", match[1]))
            rest = rest[match.end() :]
        else:
            raise _bad("Bad resource requirement syntax")
    return found


def _usage(body: str) -> dict[str, float]:
    found = {}
    for item in re.split(r"[,:]", body):
        match = re.fullmatch(
            r"\s*(\w+)\s*=\s*([0-9.]+)\s*([KMGTkmgt]?)[bB]?(?:/(?:job|task|host))?\s*", item
        )
        if match is None:
            raise _bad(
                f'Error in rusage section: Expected number, string, name, or "(" near <{item}>'
            )
        if match[1] in ("duration", "decay"):
            continue
        if match[1] not in CONSUMABLE:
            raise _bad(f"Error in rusage section: <{match[1]}> is not a resource of this cluster")
        found[match[1]] = float(match[2]) * _MEMORY[match[3].upper()]
    return found


def _span(body: str) -> str:
    if not re.fullmatch(r"\s*(hosts=-?1|ptile=\d+)\s*", body):
        raise _bad(f"Error in span section: <{body}>")
    return body.strip()


class _Select:
    """One expression over a host's resources, by descent."""

    def __init__(self, text: str, host: Mapping[str, str | float | bool]) -> None:
        self._host = host
        self._tokens: list[str] = []
        at = 0
        while at < len(text.rstrip()):
            match = _TOKEN.match(text, at)
            if match is None or match[1] in ("&", "|"):
                sign = match[1] if match else text[at]
                raise _bad(
                    f"Error with <{text}>: '{sign}' cannot be used in the resource requirement section"
                )
            self._tokens.append(match[1])
            at = match.end()

    def holds(self) -> bool:
        result = self._any()
        if self._tokens:
            raise _bad(f"Error in select section: unexpected <{self._tokens[0]}>")
        return result

    def _any(self) -> bool:
        result = self._all()
        while self._take("||"):
            result = self._all() or result
        return result

    def _all(self) -> bool:
        result = self._not()
        while self._take("&&"):
            result = self._not() and result
        return result

    def _not(self) -> bool:
        return not self._not() if self._take("!") else self._comparison()

    def _comparison(self) -> bool:
        if self._take("("):
            result = self._any()
            if not self._take(")"):
                raise _end()
            return result
        left = self._next()
        if left not in self._host:
            raise _bad(f"Error in select section: <{left}> is not a resource of this cluster")
        value = self._host[left]
        for sign in ("==", "!=", "<=", ">=", "<", ">"):
            if self._take(sign):
                return _compare(value, sign, self._next().strip("'\""))
        return bool(value)

    def _take(self, token: str) -> bool:
        if self._tokens[:1] != [token]:
            return False
        self._tokens.pop(0)
        return True

    def _next(self) -> str:
        if not self._tokens or self._tokens[0] in ("&&", "||", ")"):
            raise _end()
        return self._tokens.pop(0)


def _compare(value: str | float | bool, sign: str, text: str) -> bool:
    if isinstance(value, str):
        return (value == text or text == "any") == (sign == "==")
    try:
        number = float(text)
    except ValueError:
        raise _bad(f"Error in select section: <{text}> is not a number") from None
    results = {
        "==": value == number, "!=": value != number, "<=": value <= number,
        ">=": value >= number, "<": value < number, ">": value > number,
    }  # fmt: skip
    return results[sign]


def _end() -> Refused:
    return _bad(
        'Error in select section: Expected number, string, name, or "(" but found end of section'
    )


def _bad(text: str) -> Refused:
    return Refused(f"{text}. Job not submitted.")
