"""docs/reference.md says what the code says."""

import re

from dfm.flow.expressions.builtins import CALLED, PIPED
from dfm.flow.json_schema import flow_schema
from tests.tools.language_reference import PAGE, PARTS, TAKES, page

TEXT = PAGE.read_text()


def test_the_page_is_up_to_date() -> None:
    assert page() == TEXT, "`make reference` makes it anew"


def test_every_field_built_in_and_parameter_of_the_library_is_explained() -> None:
    for line in TEXT.split("\n"):
        assert not line.startswith("| `") or not line.endswith("|  |"), line
    assert all(one.help for one in (*CALLED.values(), *PIPED.values()))


def test_every_shape_of_a_field_has_words() -> None:
    shapes = {field.shape for _, table, _ in PARTS for field in table.values()}
    assert {shape for shape in shapes if isinstance(shape, str)} <= TAKES.keys()
    assert TAKES.keys() <= flow_schema()["definitions"].keys()


def test_links_within_the_page_lead_somewhere() -> None:
    heads = {head.lower().replace(" ", "-") for head in re.findall(r"^#+ (.*)$", TEXT, re.M)}
    links = set(re.findall(r"\]\(#([^)]*)\)", TEXT))
    assert links
    assert links <= heads
