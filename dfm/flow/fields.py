"""Reads single fields of a flow file: the right kind of value, or a fault with its place."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from dfm.flow.document import Where, describe
from dfm.flow.problems import Problems, did_you_mean
from dfm.graph.values import Value


class Reader(NamedTuple):
    """Checks values and collects faults; what is wrong reads as empty, so that reading goes on."""

    problems: Problems

    def text(self, where: Where, value: Value) -> str:
        if isinstance(value, str):
            return value
        hint = "put it in quotes" if isinstance(value, bool | int | float) else ""
        self._must_be(where, "text", value, hint)
        return ""

    def name(self, where: Where, value: Value) -> str:
        """The name of something: a text that is not empty and can be part of a file's name."""
        text = self.text(where, value)
        if isinstance(value, str) and not text.isprintable():
            self.problems.add(where, f"a name with a character that cannot be printed: {text!r}")
        elif isinstance(value, str) and not text.strip():
            self.problems.add(where, f"`{where.path[-1]}` must not be empty")
        return text

    def flag(self, where: Where, value: Value) -> bool:
        if isinstance(value, bool):
            return value
        self._must_be(where, "true or false", value)
        return False

    def integer(self, where: Where, value: Value) -> int | None:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        self._must_be(where, "an integer", value)
        return None

    def texts(self, where: Where, value: Value) -> list[str]:
        """A list of texts. A lone text is a fault: it is mostly a forgotten dash."""
        if value is None:
            return []
        if not isinstance(value, list):
            hint = f"write [{value}]" if isinstance(value, str) else ""
            self._must_be(where, "a list", value, hint)
            return []
        return [self.text(where.at(number), element) for number, element in enumerate(value)]

    def references(self, where: Where, value: Value) -> list[str]:
        """A list of names of tasks. Those that are wrong read as empty, and keep their places."""
        names = self.texts(where, value)
        for number, name in enumerate(names):
            if isinstance(value, list) and isinstance(value[number], str) and not name.strip():
                self.problems.add(
                    where.at(number), f"a name in `{where.path[-1]}` must not be empty"
                )
        return [name if name.strip() else "" for name in names]

    def list_of_maps(self, where: Where, value: Value) -> list[tuple[Where, dict[str, Value]]]:
        if value is None:
            return []
        if not isinstance(value, list):
            self._must_be(where, "a list of maps", value)
            return []
        found = []
        for number, element in enumerate(value):
            if isinstance(element, dict):
                found.append((where.at(number), element))
            else:
                self._must_be(where.at(number), "a map", element)
        return found

    def mapping(self, where: Where, value: Value) -> dict[str, Value]:
        if value is None:
            return {}
        if isinstance(value, dict):
            return value
        self._must_be(where, "a map", value)
        return {}

    def one_of(self, where: Where, value: Value, accepted: Collection[str]) -> str:
        text = self.text(where, value)
        if text and text not in accepted:
            self.problems.add(
                where, f"`{text}` is not one of {', '.join(accepted)}",
                hint=did_you_mean(text, accepted),
            )  # fmt: skip
        return text

    def only_known(
        self, where: Where, fields: Mapping[str, Value], known: Iterable[str], of: str
    ) -> None:
        """Faults for fields that `of` does not have."""
        known = frozenset(known)
        for key in fields:
            if key not in known:
                self.unknown(where, key, known, of)

    def unknown(self, where: Where, key: str, known: Iterable[str], of: str) -> None:
        what = f"{of} has no field `{key}`"
        self.problems.add(where.at(key).key(), what, hint=did_you_mean(key, known))

    def ignore_unknown(
        self, where: Where, fields: Mapping[str, Value], known: Iterable[str], of: str
    ) -> None:
        """Warnings for fields that `of` does not have: flows written for others may have them."""
        known = frozenset(known)
        for key in fields:
            if key not in known:
                self.problems.warn(
                    where.at(key).key(), f"{of} has no field `{key}`; it is ignored",
                    hint=did_you_mean(key, known),
                )  # fmt: skip

    def _must_be(self, where: Where, kind: str, value: Any, hint: str = "") -> None:
        name = where.path[-1] if where.path else "the file"
        subject = (
            f"`{name}`" if isinstance(name, str) else f"element {name + 1} of `{_list(where)}`"
        )
        self.problems.add(where, f"{subject} must be {kind}, not {describe(value)}", hint=hint)


def _list(where: Where) -> str:
    return next((str(step) for step in reversed(where.path) if isinstance(step, str)), "the list")
