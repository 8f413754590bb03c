"""What the configuration says to one runner, with the types that its fields promise."""

import shlex
from collections.abc import Mapping

from dfm.config.fields import Section, Value
from dfm.config.quantities import PortRange


class Settings:
    """The values of a section; a field that nobody set has its default."""

    def __init__(self, section: Section, values: Mapping[str, Value]) -> None:
        self._values: dict[str, Value] = {
            field.key: field.default for field in section.fields if field.default is not None
        }
        self._values.update(values)

    def text(self, key: str) -> str:
        value = self._values[key]
        assert isinstance(value, str), key
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._values[key]
        assert isinstance(value, tuple), key
        assert not isinstance(value, PortRange), key
        return value

    def words(self, key: str) -> list[str]:
        """A command: it may be a wrapper, with arguments."""
        return shlex.split(self.text(key))
