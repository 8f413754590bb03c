"""`make reference`: writes the tables of docs/configuration.md from the tables of the code.

A test checks that they are up to date.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from dfm.config.fields import (
    CLASS_FIELDS,
    CLASSES,
    LIMIT,
    LIMITS,
    OPTIONAL,
    SETTINGS,
    SYNONYMS,
    Field,
    Kind,
)
from dfm.config.writing import scalar, written
from dfm.runners.registry import built_in

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
BEGIN = "<!-- made by `make reference` -->"
END = "<!-- end of what is made -->"


def page(text: str) -> str:
    """The page with its tables made anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    tables = "\n".join(_tables())
    return f"{before}{BEGIN}\n\n{tables}\n{END}{after}"


def _tables() -> Iterator[str]:
    own = {name: runner.make.section for name, runner in built_in().items() if runner.make}
    yield from _table("Settings", SETTINGS, "")
    synonyms = ", ".join(f"`{synonym}` for `{key}`" for synonym, key in SYNONYMS.items())
    yield f"Synonyms: {synonyms}.\n"
    yield from _table(f"A class of `{CLASSES}`", CLASS_FIELDS, f"{CLASSES}.NAME.")
    yield from _table(f"A limit of `{LIMITS}`", [LIMIT], f"{LIMITS}.NAME")
    for name, section in own.items():
        if section.fields:
            yield from _table(f"The runner `{name}`", section.fields, f"runner.{name}.")
    yield from _table("In every runner's section", [OPTIONAL], "runner.NAME.")


def _table(title: str, fields: Iterable[Field], prefix: str) -> Iterator[str]:
    yield f"### {title}\n"
    yield "| key | takes | default | |"
    yield "| --- | --- | --- | --- |"
    for field in fields:
        takes = field.kind.words
        if field.kind is Kind.INTEGER and field.minimum:
            takes += f", at least {field.minimum}"
        yield f"| `{prefix}{field.key}` | {takes} | {_default(field)} | {field.help} |"
    yield ""


def _default(field: Field) -> str:
    if field.default is None:
        return ""
    value = written(field, field.default)
    if isinstance(value, list):
        return f"`[{', '.join(map(scalar, value))}]`"
    return (
        f"`{str(value).lower() if isinstance(value, bool) else value}`" if value != "" else '`""`'
    )


def main() -> None:
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
