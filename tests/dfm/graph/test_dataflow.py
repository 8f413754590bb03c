"""Section 17: which items a node receives, reads, passes on."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfm.graph.dataflow import (
    Incoming,
    Item,
    forwarded,
    incoming,
    inputs_of,
    is_consumed,
    matches,
)
from dfm.graph.node import Compound, Disabled, Entry, Selection
from dfm.graph.values import Fields
from tests.dfm.graph.conftest import ON_ERROR, node


def item(origin: int, seq: int = 0, type: str = "t", **fields: Any) -> Item:
    return Item({"type": type, "src": f"p.n{origin}", "seq": seq, **fields}, origin, seq)


A, B, C = item(0), item(0, 1, kind="b"), item(1, type="u")
ENV = item(2, type="std.Env")


def came(*items: Item) -> Incoming:
    return incoming([items])


def passed(items: list[Item], consumes: Selection, passthrough: Selection) -> list[Item]:
    return forwarded(node(0, consumes=consumes, passthrough=passthrough), came(*items))


def test_outputs_are_joined_in_the_order_of_the_needs() -> None:
    assert incoming([[B, A], [], [C]]) == Incoming([B, A, C], [B, A, C])


def test_a_repeated_item_counts_once_in_its_first_place() -> None:
    assert incoming([[A, B], [B, C, A]]) == Incoming([A, B, B, C, A], [A, B, C])


def test_items_are_the_same_by_node_and_number_and_not_by_name() -> None:
    twin = Item(dict(A.fields), 7, 0)
    again = Item({**A.fields, "other": 1}, 0, 0)
    assert incoming([[A, twin, again]]).items == [A, twin]


@pytest.mark.parametrize(
    ("pattern", "is_match"),
    [
        ({"type": "std.FileSet"}, True),
        ({"type": "FileSet"}, False),
        ({"type": "std.DataItem"}, False),
        ({"type": "std.FileSet", "filetype": "verilog"}, True),
        ({"type": "std.FileSet", "filetype": "vhdl"}, False),
        ({"filetype": "verilog"}, True),
        ({"type": "std.FileSet", "nope": 1}, True),
        ({"nope": 1}, False),
        ({}, False),
        ({"files": ["a"]}, True),
        ({"files": ["b"]}, False),
    ],
)
def test_a_pattern_matches_if_some_keys_are_there_and_those_are_equal(
    pattern: Fields, is_match: bool
) -> None:
    fields: Fields = {"type": "std.FileSet", "filetype": "verilog", "files": ["a"]}
    assert matches(fields, pattern) == is_match


@pytest.mark.parametrize(
    ("consumes", "inputs"),
    [
        ("all", [A, B, C, ENV]),
        ("none", [ENV]),
        ([], [ENV]),
        ([{"type": "u"}], [C, ENV]),
        ([{"type": "u"}, {"kind": "b"}], [B, C, ENV]),
        ([{"type": "t", "kind": "x"}], [A, ENV]),
    ],
)
def test_consumes_selects_the_inputs_and_env_is_always_one(
    consumes: Selection, inputs: list[Item]
) -> None:
    assert inputs_of(node(0, consumes=consumes), came(A, B, C, ENV)) == inputs


@pytest.mark.parametrize(
    ("consumes", "passthrough", "expected"),
    [
        ("all", "unused", []),
        ("none", "unused", [A, B, C]),
        ([{"type": "u"}], "unused", [A, B]),
        ([], "unused", [A, B, C]),
        ("all", "all", [A, B, C]),
        ("none", "all", [A, B, C]),
        ("none", "none", []),
        ("all", [{"type": "t"}], [A, B]),
        ("none", [{"kind": "b"}, {"type": "u"}], [B, C]),
        ("all", [{"type": "std.Env"}], []),
        ("all", [], []),
    ],
)
def test_passthrough_says_what_is_forwarded_and_env_never_is(
    consumes: Selection, passthrough: Selection, expected: list[Item]
) -> None:
    assert passed([A, B, C, ENV], consumes, passthrough) == expected


def test_repeated_items_are_forwarded_as_often_as_they_came() -> None:
    assert passed([A, B, A], "none", "unused") == [A, B, A]


def test_a_task_by_default_consumes_all_and_forwards_nothing() -> None:
    gather = node(0)
    assert inputs_of(gather, came(A, C)) == [A, C]
    assert forwarded(gather, came(A, C)) == []


def test_the_entry_lets_everything_in_but_env() -> None:
    assert forwarded(node(0, work=Entry()), came(A, ENV, A)) == [A, A]


def test_a_disabled_task_forwards_nothing() -> None:
    assert forwarded(node(0, work=Disabled(), passthrough="all"), came(A)) == []


@pytest.mark.parametrize("passthrough", ["all", "none"])
def test_a_compound_emits_what_its_terminals_do_whatever_it_says(passthrough: Selection) -> None:
    compound = node(0, work=Compound(()), consumes="none", passthrough=passthrough)
    assert forwarded(compound, came(A, B, A)) == [A, B, A]
    assert inputs_of(compound, came(A, B)) == []


def test_an_empty_compound_emits_nothing() -> None:
    assert forwarded(node(0, work=Compound((), is_empty=True)), came(A)) == []


def test_a_matrix_emits_what_comes_in_even_without_cells() -> None:
    matrix = node(0, work=Compound((), is_matrix=True, is_empty=True))
    assert forwarded(matrix, came(A, B)) == [A, B]
    assert inputs_of(matrix, came(A, B)) == [A, B]


def test_a_function_that_judges_a_body_reads_what_it_emitted() -> None:
    assert inputs_of(node(0, work=Compound((), ON_ERROR)), came(A, B)) == [A, B]


selections = st.sampled_from(["all", "none"]) | st.lists(
    st.sampled_from([{"type": "t"}, {"type": "u"}, {"kind": "b"}, {"nope": 1}]), max_size=3
)
items = st.lists(st.sampled_from([A, B, C, ENV]), max_size=8)


@given(items=items, consumes=selections)
def test_what_is_not_read_is_what_is_forwarded(items: list[Item], consumes: Any) -> None:
    one = node(0, consumes=consumes)
    read = inputs_of(one, came(*items))
    on = forwarded(one, came(*items))
    assert [i for i in items if i not in read] == on
    assert all(is_consumed(i, consumes) for i in read)


@given(outputs=st.lists(items, max_size=4))
def test_each_item_comes_in_once_in_the_order_of_the_needs(outputs: list[list[Item]]) -> None:
    found = incoming(outputs)
    assert found.raw == [i for output in outputs for i in output]
    assert len({i.identity for i in found.items}) == len(found.items)
    assert [found.raw.index(i) for i in found.items] == sorted(map(found.raw.index, found.items))
    assert set(map(id, found.items)) == set(map(id, found.raw))
