"""`dfm util schema [flow|config]`."""

import json
from typing import Any

from dfm.errors import UsageError


def show(of: str, output: str) -> int:
    """Prints the schema, or writes it to a file. Raises UsageError."""
    text = json.dumps(_schema(of), indent=1, ensure_ascii=False)
    if not output:
        print(text)  # noqa: T201
        return 0
    try:
        with open(output, "w", encoding="utf-8") as file:
            file.write(f"{text}\n")
    except OSError as error:
        raise UsageError(f"cannot write {output}: {error.strerror}") from None
    return 0


def _schema(of: str) -> dict[str, Any]:
    match of:
        case "config":
            from dfm.config.json_schema import config_schema
            from dfm.runners.registry import sections

            return config_schema(sections())
        case "flow":
            from dfm.flow.json_schema import flow_schema

            return flow_schema()
    raise UsageError(f"there is no schema of `{of}`", hint="there are config and flow")
