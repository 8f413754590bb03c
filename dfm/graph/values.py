"""The values that flows compute with and tasks exchange: what JSON has."""

from typing import TypeAlias

Value: TypeAlias = bool | int | float | str | list["Value"] | dict[str, "Value"] | None
Fields: TypeAlias = dict[str, Value]
