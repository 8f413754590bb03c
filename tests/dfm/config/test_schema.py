from dfm.config.fields import SETTINGS, Field, Kind, Section
from dfm.config.schema import Group, build_schema, paths


def test_every_setting_is_in_the_tree() -> None:
    known = set(paths(build_schema({}).root))
    assert {field.key for field in SETTINGS} <= known
    assert {"runner.type", "runner.resource_classes", "runner.limits"} <= known


def test_a_runner_s_fields_are_below_its_name() -> None:
    schema = build_schema({"pbs": Section((Field("queue", Kind.TEXT, "", "where"),))})
    assert "runner.pbs.queue" in paths(schema.root)
    assert schema.runners == ("pbs",)


def test_a_runner_cannot_take_the_place_of_a_setting() -> None:
    runner = build_schema({"pool": Section(), "default": Section()}).root.members["runner"]
    assert isinstance(runner, Group)
    pool = runner.members["pool"]
    assert isinstance(pool, Group)
    assert "max_workers" in pool.members
    assert isinstance(runner.members["default"], Field)


def test_defaults_fit_their_fields() -> None:
    kinds = {
        Kind.TEXT: str,
        Kind.BOOLEAN: bool,
        Kind.TEXTS: tuple,
        Kind.PORTS: tuple,
    }
    for field in SETTINGS:
        assert type(field.default) is kinds.get(field.kind, int) or field.kind is Kind.PORTS
        assert not isinstance(field.default, int) or field.default >= field.minimum
        assert field.help
