"""What is written reads back as the same configuration."""

import string
from collections.abc import Callable, Mapping
from pathlib import Path

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dfm.config.config import Config
from dfm.config.fields import CLASS_FIELDS, SETTINGS, Field, Kind, Section
from dfm.config.loading import load
from dfm.config.merge import DEFAULT
from dfm.config.writing import document, origin_of, scalar, written, yaml_lines
from dfm.errors import Place

LINE = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=8)
NAME = st.text(string.ascii_letters + string.digits + ".-_ é", min_size=1, max_size=6).filter(
    lambda name: name.strip() == name
)
VALUES: Mapping[Kind, st.SearchStrategy[object]] = {
    Kind.TEXT: LINE,
    Kind.TEXTS: st.lists(LINE, max_size=3),
    Kind.INTEGER: st.integers(1, 20),
    Kind.BOOLEAN: st.booleans(),
    Kind.MEMORY: st.from_regex(r"[1-9][0-9]{0,3}(\.[0-9]{1,9})?[KMGT]", fullmatch=True),
    Kind.SIZE: st.from_regex(r"[1-9][0-9]{0,3}(\.[0-9]{1,9})?[KMGT]", fullmatch=True),
    Kind.WALLTIME: st.one_of(st.integers(1, 9999), st.from_regex(r"[1-9][0-9]?:[0-5][0-9]", fullmatch=True)),
    Kind.PORTS: st.sampled_from([0, 4000, "4000-4010"]),
}  # fmt: skip


def some(fields: tuple[Field, ...]) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries({}, optional={field.key: VALUES[field.kind] for field in fields})


def nested(flat: Mapping[str, object]) -> dict[str, object]:
    root: dict[str, object] = {}
    for key, value in flat.items():
        *parents, name = key.split(".")
        group = root
        for parent in parents:
            group = group.setdefault(parent, {})  # type: ignore[assignment]
        group[name] = value
    return root


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    some(SETTINGS), st.dictionaries(NAME, some(CLASS_FIELDS), max_size=3),
    st.dictionaries(NAME, st.integers(0, 9), max_size=3), st.data(),
)  # fmt: skip
def test_a_configuration_that_is_written_and_read_is_the_same(
    tmp_path: Path, sections: dict[str, Section], flat: dict[str, object],
    classes: dict[str, object], limits: dict[str, int], data: st.DataObject,
) -> None:  # fmt: skip
    flat.pop("runner.pool.min_workers", None)  # it may be more than there are at most
    said = nested(flat)
    runner: dict[str, object] = said.setdefault("runner", {})  # type: ignore[assignment]
    runner |= {"resource_classes": classes, "limits": limits}
    runner |= {name: data.draw(some(section.fields)) for name, section in sections.items()}
    file = tmp_path / "install.yaml"

    def read(text: str) -> Config:
        file.write_text(text)
        return load(
            str(tmp_path), {"DFM_INSTALL_CONFIG": str(file), "HOME": str(tmp_path)}, sections
        )

    first = read(yaml.safe_dump(said, allow_unicode=True))
    lines = "\n".join(yaml_lines(first, lambda key: f"from {key}"))
    assert read(lines).values == first.values, lines
    assert yaml.safe_load(lines) == document(first)


def test_every_value_has_an_origin_with_its_line(load_layers: Callable[..., Config]) -> None:
    config = load_layers(
        site="runner:\n  lsf:\n    resource_select: [a, b]\n",
        project="runner:\n  lsf:\n    resource_select: c\n    queue: q\n",
    )
    lines = list(yaml_lines(config, lambda key: _words(config, key)))
    assert [line.split("#")[1].strip() for line in lines if line.strip()[:3] in ("- a", "- b", "- c")] == [
        "site.yaml:3", "site.yaml:3", "config.yaml:3",
    ]  # fmt: skip
    (queue,) = (line for line in lines if "queue: q" in line)
    assert queue.endswith("# config.yaml:4")
    assert all("#" in line or line.endswith(":") for line in lines)


def _words(config: Config, key: str) -> str:
    origin = origin_of(config, key)
    return f"{Path(origin.file).name}:{origin.line}" if isinstance(origin, Place) else origin


def test_a_text_that_yaml_takes_for_something_else_is_quoted() -> None:
    for text in ("yes", "Null", "~", "1e3", "12", "a: b", "- x", "", "#", "a #b", "=", "<<", '"'):
        assert yaml.safe_load(scalar(text)) == text
    assert scalar("bsub") == "bsub"


def test_quantities_are_written_in_their_largest_whole_unit() -> None:
    def said(kind: Kind, value: int) -> object:
        return written(Field("x", kind, None, ""), value)

    assert said(Kind.MEMORY, 32 * 1024) == "32G"
    assert said(Kind.MEMORY, 1536) == "1536M"
    assert said(Kind.SIZE, 1024) == "1K"
    assert said(Kind.WALLTIME, 5400) == "1:30"
    assert said(Kind.WALLTIME, 0) == ""
    assert DEFAULT == "default"
