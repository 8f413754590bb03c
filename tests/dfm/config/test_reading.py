import pytest

from dfm.config.reading import Node, compose
from dfm.errors import ConfigError, Place


def _read(text: str) -> Node:
    node = compose(text.encode(), "f.yaml")
    assert node is not None
    return node


def _pairs(node: Node) -> dict[str, str]:
    return {entry.key.text: str(entry.value) for entry in node.entries()}


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("word", "text"),
        ("'4'", "text"),
        ("4", "integer"),
        ("0x1F", "integer"),
        ("1:30", "integer"),
        ("4.5", "number"),
        (".inf", "number"),
        ("yes", "boolean"),
        ("off", "boolean"),
        ("~", "nothing"),
        ("2024-01-01", "text"),
        ("=", "text"),
        ("[1]", "list"),
        ("{a: 1}", "mapping"),
        ("!secret x", "tagged"),
        ("!!python/object/apply:os.system [ls]", "tagged"),
        ("!!set {a}", "tagged"),
        ("!!binary aGk=", "tagged"),
    ],
)
def test_shapes_are_those_of_yaml_1_1(text: str, shape: str) -> None:
    assert _read(text).shape == shape


def test_places_count_from_one() -> None:
    entry = _read("a: 1\nb:\n  - x\n").entries()[1]
    assert entry.key.place == Place("f.yaml", 2, 1)
    assert entry.value.items()[0].place == Place("f.yaml", 3, 5)


def test_repeated_keys_are_all_there() -> None:
    assert [entry.key.text for entry in _read("a: 1\nb: 2\na: 3\n").entries()] == ["a", "b", "a"]


def test_no_document_is_none() -> None:
    assert compose(b"# only a comment\n", "f.yaml") is None


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"a: 1\nb: [1, 2\nc: 3\n", 3),
        (b"a: 1\n\tb: 2\n", 2),
        (b"a: 1\n b: c: 2\n", 2),
        (b"a: 'x\n", 2),
        (b"a: *nobody\n", 1),
        (b"a: 1\n---\nb: 2\n", 2),
        (b"a: 1\nb: \xff\n", 2),
        (b"a: 1\n\nb: \x01\n", 3),
    ],
)
def test_a_syntax_error_has_its_line(content: bytes, line: int) -> None:
    with pytest.raises(ConfigError, match="not valid YAML") as caught:
        compose(content, "f.yaml")
    assert caught.value.problems[0].place is not None
    assert caught.value.problems[0].place[:2] == ("f.yaml", line)


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_nesting_that_would_end_the_process_is_refused(opening: str) -> None:
    with pytest.raises(ConfigError, match="nested more than 50 levels deep"):
        compose(opening.encode() * 100_000, "f.yaml")


def test_an_alias_that_contains_itself_can_be_looked_at() -> None:
    node = _read("&a [*a]")
    assert node.items()[0].items()[0].shape == "list"


def test_aliases_that_unfold_into_billions_cost_nothing() -> None:
    lines = ["l0: &l0 [x]"] + [
        f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 12)
    ]
    assert _read("\n".join(lines)).entries()[-1].value.shape == "list"


def test_a_merge_key_adds_what_the_mapping_lacks() -> None:
    node = _read("base: &b {x: 1, y: 2}\nmore: {<<: *b, y: 3}\n").entries()[1].value
    assert _pairs(node) == {"y": "the number 3", "x": "the number 1"}


def test_of_several_merged_mappings_the_first_wins() -> None:
    node = _read("a: &a {x: 1}\nb: &b {x: 2, y: 2}\nc: {<<: [*a, *b]}\n").entries()[2].value
    assert _pairs(node) == {"x": "the number 1", "y": "the number 2"}


def test_merged_mappings_may_merge_others() -> None:
    text = "a: &a {x: 1, y: 1}\nb: &b {<<: *a, y: 2}\nd: &d {x: 9, z: 9}\nc: {<<: [*b, *d]}\n"
    assert _pairs(_read(text).entries()[3].value) == {
        "y": "the number 2",
        "x": "the number 1",
        "z": "the number 9",
    }


def test_a_mapping_merged_into_itself_comes_to_an_end() -> None:
    assert _pairs(_read("&a {x: 1, <<: *a}")) == {"x": "the number 1"}
    other = _read("b: &b {x: 1, <<: *b}\nc: {<<: *b}").entries()[1].value
    assert _pairs(other) == {"x": "the number 1"}


def test_merging_what_is_no_mapping_stays_a_key() -> None:
    assert _pairs(_read("{<<: 3}")) == {"<<": "the number 3"}


@pytest.mark.parametrize(
    ("text", "words"), [("!!int x", "invalid"), ("!!int ''", "index"), ("1" * 5000, "digits")]
)
def test_a_number_that_is_none_is_a_value_error(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        _read(text).integer()


def test_a_boolean_that_is_none_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="maybe"):
        _read("!!bool maybe").boolean()
