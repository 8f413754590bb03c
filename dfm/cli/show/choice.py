"""Which entries of a list are shown: `--search`, `--regex`, `--tag`, `--package` and those of tasks."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from dfm.cli.show.entries import Entry
from dfm.errors import NotFound, UsageError
from dfm.graph.values import Fields


class Choice(NamedTuple):
    """What the command line says; an empty text chooses all."""

    search: str = ""
    regex: str = ""
    tag: str = ""
    package: str = ""

    def filters(self, **more: str) -> dict[str, str]:
        """Those that are given, for the JSON."""
        return {name: text for name, text in {**self._asdict(), **more}.items() if text}

    def of(self, entries: Iterable[Entry], packages: Iterable[str]) -> list[Entry]:
        """Raises UsageError for what cannot choose anything, NotFound for an unknown package."""
        if self.package and self.package not in set(packages):
            raise NotFound(f"no package `{self.package}` is loaded", hint="see `dfm show packages`")
        pattern = _compiled(self.regex)
        return [entry for entry in entries if self._takes(entry, pattern)]

    def _takes(self, entry: Entry, pattern: "re.Pattern[str] | None") -> bool:
        texts = [str(entry.get(key) or "") for key in ("name", "desc", "doc")]
        word = self.search.lower()
        return (
            (not word or any(word in text.lower() for text in texts))
            and (pattern is None or any(map(pattern.search, texts)))
            and (not self.tag or has_tag(entry.get("tags", ()), self.tag))
            and (not self.package or entry.get("package", entry["name"]) == self.package)
        )


def _compiled(regex: str) -> "re.Pattern[str] | None":
    if not regex:
        return None
    try:
        return re.compile(regex)
    except re.error as error:
        raise UsageError(f"--regex {regex}: {error}") from None


def has_tag(tags: Iterable[Mapping[str, Any]], wanted: str) -> bool:
    """Whether one of the tags is of type `T`, by full or short name, with `T:field=value` also so."""
    name, _, field = wanted.partition(":")
    key, _, value = field.partition("=")
    for tag in tags:
        full = str(tag["name"])
        if full != name and not full.endswith(f".{name}"):
            continue
        if not field or str(tag["params"].get(key, "")) == value:
            return True
    return False


def parse_pairs(text: str) -> list[tuple[str, str]]:
    """`k=v,k=v` of `--produces`. Raises UsageError."""
    pairs = [part.partition("=") for part in text.split(",") if part]
    if not pairs or not all(equals for _, equals, _ in pairs):
        raise UsageError(f"--produces {text}: not of the form KEY=VALUE,...")
    return [(key.strip(), value.strip()) for key, _, value in pairs]


def produces_all(products: Sequence[Fields], pairs: Sequence[tuple[str, str]]) -> bool:
    """Whether one product has all these fields, by their texts."""
    return any(
        all(key in product and str(product[key]) == value for key, value in pairs)
        for product in products
    )
