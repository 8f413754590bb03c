import re
import tracemalloc

import pytest
import yaml

from dfm.errors import FlowError
from dfm.flow import yaml_reader
from dfm.flow.yaml_reader import find, read
from dfm.graph.values import Value


def fault(text: str) -> str:
    with pytest.raises(FlowError) as caught:
        read(text, "f")
    return "\n".join(map(str, caught.value.problems))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[yes, no, on, off, true, False, YES]", [True, False, True, False, True, False, True]),
        ("['yes', \"on\", y, n]", ["yes", "on", "y", "n"]),
        (
            "{yes: 1, off: 2, 3: 4, ~: 5, 1.5: 6}",
            {"true": 1, "false": 2, "3": 4, "none": 5, "1.5": 6},
        ),
        (
            "[1, 0x1F, 0o17, 017, 0b11, 1_000, -3, +4, 1:30]",
            [1, 31, "0o17", 15, 3, 1000, -3, 4, 90],
        ),
        ("[1.5, 1e3, 1.0e+3, .5, -.inf]", [1.5, "1e3", 1000.0, 0.5, float("-inf")]),
        ("[~, null, Null, '']", [None, None, None, ""]),
        ("[2020-01-01, 2020-01-01 10:00:00, =]", ["2020-01-01", "2020-01-01 10:00:00", "="]),
        ("[!!str 3, !!int '4', !!float 5, !!bool 'on']", ["3", 4, 5.0, True]),
        ("a: |\n  x\n  y\nb: >\n  x\n  y\n", {"a": "x\ny\n", "b": "x y\n"}),
        ("", None),
        ("# a comment only", None),
        ("---\na: 1\n...\n", {"a": 1}),
        ("{}", {}),
        ("x", "x"),
    ],
)
def test_scalars_are_those_of_yaml_1_1_and_dates_are_text(text: str, value: Value) -> None:
    assert read(text, "f") == value


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert read("\ufeffa: 1", "f") == {"a": 1}


def test_every_key_that_is_there_twice_is_a_fault() -> None:
    assert (
        fault("a: 1\nb: {c: 1,\n    c: 2}\na: 2\n")
        == "f:3:5: `c` is there twice\nf:4:1: `a` is there twice"
    )
    assert fault("true: 1\nyes: 2\n") == "f:2:1: `true` is there twice"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a:\n\tb: 1", "f:2:1: not valid YAML: while scanning for the next token from line 2, found"),
        ("a: [1, 2", "f:2:1: not valid YAML: while parsing a flow sequence from line 1, did not"),
        ("a: 'x", "f:1:6: not valid YAML: while scanning a quoted scalar from line 1, found"),
        ("a: *b", "f:1:4: not valid YAML: found undefined alias"),
        ("a: 1\n---\nb: 2", "f:2:1: not valid YAML: expected a single document"),
        ("a: b: c", "f:1:5: not valid YAML: mapping values are not allowed in this context"),
        ("? [a]\n: b", "f:1:3: a key must be plain text"),
        ("a: !mine b", "f:1:4: the tag !mine means nothing in a flow"),
        ("a: !!int b", "f:1:4: 'b' cannot be read as int"),
        ("a: !!bool b", "f:1:4: 'b' cannot be read as bool"),
        ("a: !!float ''", "f:1:4: '' cannot be read as float"),
        ("a: 0x" + "F" * 3000, "f:1:4: '0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF...' cannot be read as int"),
        ("a: " + "9" * 5000, "f:1:4: '9999999999999999999999999999999999999...' cannot be read as int"),
        ("a: " + "1:" * 200 + "1.5", "f:1:4: '1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1...' cannot be read as float"),
        ("a: 1\nb: \x01", "f:2:4: not valid YAML: "),
        ("\x00", "f:1:1: not valid YAML: "),
        ("a: \ud800", "f: not valid YAML: "),
    ],
)  # fmt: skip
def test_what_is_no_yaml_has_a_place(text: str, message: str) -> None:
    assert fault(text).startswith(message)


@pytest.mark.parametrize("text", ["a:\n\tb: 1\n", "a:\n  - b\n\t- c\n", "\ta: 1"])
def test_a_tab_that_indents_is_called_one(text: str) -> None:
    assert fault(text).endswith("\n     YAML is indented by spaces, not by tabs")


def test_all_faults_of_a_text_that_is_yaml_are_said_at_once() -> None:
    assert fault("a: !!int x\nb: !mine y\n? [z]\n: 1").count("\n") == 2


def test_an_alias_is_the_value_of_its_anchor() -> None:
    data = read("a: &x [1, {b: 2}]\nc: *x\nd: &y 3\ne: *y\n", "f")
    assert data == {"a": [1, {"b": 2}], "c": [1, {"b": 2}], "d": 3, "e": 3}


def test_a_merged_map_gives_what_the_map_does_not_say_itself() -> None:
    text = "a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc: {<<: *a, x: 9}\nd: {<<: [*a, *b]}\ne: {z: 5, <<: *b}"
    data = read(text, "f")
    assert isinstance(data, dict)
    assert data["c"] == {"x": 9, "y": 2}
    assert data["d"] == {"x": 1, "y": 2, "z": 4}
    assert data["e"] == {"y": 3, "z": 5}


def test_a_merge_of_something_else_is_a_fault() -> None:
    assert fault("a: {<<: 3}") == "f:1:9: `<<` takes a map or a list of maps"
    assert fault("a: {<<: [{b: 1}, 3]}") == "f:1:9: `<<` takes a map or a list of maps"


def test_a_quoted_merge_key_is_a_key() -> None:
    assert read("a: {'<<': 3}", "f") == {"a": {"<<": 3}}


@pytest.mark.parametrize("text", ["a: &x [*x]", "a: &x {b: *x}", "&x {a: [1, {b: [*x]}]}"])
def test_an_alias_that_contains_itself_is_a_fault(text: str) -> None:
    assert "an alias that contains itself" in fault(text)


def test_a_billion_laughs_are_refused_without_being_laughed() -> None:
    lines = ["l0: &l0 [ha]"] + [
        f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 12)
    ]
    tracemalloc.start()
    message = fault("\n".join(lines))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert re.fullmatch(
        r"f:\d+:5: more than 10,000,000 values, with its aliases written out", message
    )
    assert most < 1_000_000


def test_merged_maps_count_as_written_out_too() -> None:
    lines = ["l0: &l0 {a: 1, b: 2}"]
    lines += [f"l{n}: &l{n} {{a: {{<<: *l{n - 1}}}, b: {{<<: *l{n - 1}}}}}" for n in range(1, 40)]
    assert "10,000,000 values" in fault("\n".join(lines))


def test_many_aliases_of_one_thing_are_fine() -> None:
    data = read("a: &a [1, 2]\nb:\n" + "- *a\n" * 10_000, "f")
    assert isinstance(data, dict)
    assert data["b"] == [[1, 2]] * 10_000


@pytest.mark.parametrize("unit", ["[", "{a: ", "- ", "? ", "[{a: "])
def test_a_hundred_thousand_levels_are_refused_with_the_place_of_the_first_too_many(
    unit: str,
) -> None:
    assert re.fullmatch(r"f:1:\d+: nested more than 200 levels deep", fault(unit * 100_000))


def test_deep_block_maps_are_refused() -> None:
    text = "\n".join(" " * depth + "a:" for depth in range(1000))
    assert fault(text) == "f:201:201: nested more than 200 levels deep"


def chain(levels: int) -> str:
    """Lists of aliases of lists of aliases."""
    return "l0: &l0 []\n" + "".join(f"l{i}: &l{i} [*l{i - 1}]\n" for i in range(1, levels))


def test_what_aliases_nest_counts_too() -> None:
    assert read(chain(199), "f")
    assert fault(chain(1000)) == "f:199:7: nested more than 200 levels deep"


def test_maps_on_a_line_each_are_not_deep() -> None:
    lines = [f"- {{name: t{i}, run: 'true', needs: [{i}], a: \"x\"}}" for i in range(1000)]
    assert read("\n".join(lines), "f") == [
        {"name": f"t{i}", "run": "true", "needs": [i], "a": "x"} for i in range(1000)
    ]


def test_many_brackets_side_by_side_are_not_deep() -> None:
    assert read("[" + "[], " * 1000 + "]", "f") == [[]] * 1000


@pytest.mark.parametrize("depth", [10, 199, 200])
def test_two_hundred_levels_can_be_read(depth: int) -> None:
    value = read("[" * depth + "]" * depth, "f")
    for _ in range(depth - 1):
        assert isinstance(value, list)
        value = value[0]
    assert value == []


TEXT = """\
# a comment
package:
  name: demo
  tasks:
  - name: a
    needs: [b, c]
    with: {x: 1, on: 2}
  - {name: b, run: "x"}
"""


@pytest.mark.parametrize(
    ("path", "is_key", "position"),
    [
        ((), False, (2, 1)),
        (("package",), False, (2, 1)),
        (("package", "name"), False, (3, 9)),
        (("package", "name"), True, (3, 3)),
        (("package", "tasks"), False, (4, 3)),
        (("package", "tasks", 0), False, (5, 5)),
        (("package", "tasks", 0, "needs"), False, (6, 5)),
        (("package", "tasks", 0, "needs", 1), False, (6, 16)),
        (("package", "tasks", 0, "with", "x"), True, (7, 12)),
        (("package", "tasks", 0, "with", "true"), True, (7, 18)),
        (("package", "tasks", 0, "with", "nowhere"), True, (7, 5)),
        (("package", "tasks", 1, "run"), False, (8, 20)),
        (("package", "tasks", 7, "run"), False, (4, 3)),
        (("package", "name", "deeper"), False, (3, 9)),
    ],
)
def test_the_place_of_a_value_is_found_or_the_nearest_around_it(
    path: tuple[str | int, ...], is_key: bool, position: tuple[int, int]
) -> None:
    assert find(TEXT, path, is_key) == position


def test_an_empty_text_has_one_place() -> None:
    assert find("", ("package",), False) == (1, 1)


def test_the_library_without_its_c_part_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a: &a {b: [1, yes, 2020-01-01]}\nc: {<<: *a}\n"
    expected = read(text, "f")
    monkeypatch.setattr(yaml_reader, "_LOADER", yaml.SafeLoader)
    assert read(text, "f") == expected
    assert fault("a: 1\nb: \x01").startswith("f:2:4: not valid YAML: ")
    assert "200 levels" in fault("[" * 10_000)
