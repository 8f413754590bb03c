"""docs/configuration.md says what the code says."""

import re

import jsonschema
import yaml

from dfm.config.fields import CLASS_FIELDS, SETTINGS
from dfm.config.json_schema import config_schema
from dfm.runners.registry import built_in
from tests.tools.configuration_reference import PAGE, page


def test_the_tables_are_up_to_date() -> None:
    text = PAGE.read_text()
    assert page(text) == text, "`make reference` makes them anew"


def test_every_setting_is_there_with_its_default_and_help() -> None:
    text = PAGE.read_text()
    rows = {
        row[0]: row for row in re.findall(r"^\| `([^`]+)` \| (.*) \| (.*) \| (.*) \|$", text, re.M)
    }
    for field in SETTINGS:
        assert rows[field.key][3] == field.help
    assert rows["runner.pool.max_workers"][2] == "`16`"
    assert rows["runner.defaults.walltime"][2] == "`1:00`"
    assert rows["runner.task_log_limit"][2] == "`1G`"
    assert all(f"runner.resource_classes.NAME.{field.key}" in rows for field in CLASS_FIELDS)


def test_examples_of_configurations_in_the_documentation_are_valid() -> None:
    sections = {name: one.make.section for name, one in built_in().items() if one.make}
    validator = jsonschema.Draft7Validator(config_schema(sections))
    blocks = re.findall(r"^```yaml\n(runner:.*?)^```", PAGE.read_text(), re.M | re.S)
    assert blocks
    for block in blocks:
        validator.validate(yaml.safe_load(block))
