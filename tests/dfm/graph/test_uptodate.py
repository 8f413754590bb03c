"""Section 33: whether a node is up to date by its record."""

from typing import Any

import pytest

from dfm.graph.node import Node
from dfm.graph.uptodate import Facts, why_stale
from tests.dfm.graph.conftest import node

ITEM = {"src": "p.a", "seq": 0, "type": "t", "hash": "1"}
OTHER = {"src": "p.b", "seq": 0, "type": "t", "hash": "2"}


def task(**more: Any) -> Node:
    return node(0, params={"n": 1, "l": ["a"]}, **more)


def record(**more: Any) -> dict[str, Any]:
    return {
        "result": {"status": 0},
        "params": {"n": 1, "l": ["a"]},
        "inputs_signature": [ITEM, OTHER],
        "run_hash": "h",
        "needs_executions": {"p.a": "1"},
        **more,
    }


def facts(**more: Any) -> Facts:
    return Facts([ITEM, OTHER], "h", {"p.a": "1"})._replace(**more)


def test_a_node_is_up_to_date_if_its_record_says_what_is_true_now() -> None:
    assert why_stale(task(), record(), facts()) is None
    assert why_stale(task(uptodate="m.f"), record(), facts()) is None


def test_a_node_that_always_runs_is_stale() -> None:
    assert why_stale(task(uptodate=False), record(), facts()) == "it always runs"


def test_a_node_without_a_record_is_stale() -> None:
    assert why_stale(task(), None, facts()) == "it has no record"


@pytest.mark.parametrize("status", [1, -9, 127])
def test_a_node_that_failed_is_stale(status: int) -> None:
    assert (
        why_stale(task(), record(result={"status": status}), facts()) == "it failed the last time"
    )


@pytest.mark.parametrize("params", [{}, {"n": 2, "l": ["a"]}, {"n": 1, "l": ["a"], "x": 0}])
def test_other_parameters_make_it_stale(params: dict[str, Any]) -> None:
    reason = why_stale(task(), record(params=params), facts())
    assert reason == "its parameters have changed"


@pytest.mark.parametrize(
    "signature", [[], [ITEM], [OTHER, ITEM], [ITEM, OTHER, ITEM], [{**ITEM, "hash": "9"}, OTHER]]
)
def test_other_items_or_another_order_make_it_stale(signature: list[Any]) -> None:
    assert why_stale(task(), record(), facts(signature=signature)) == "what comes in has changed"


def test_the_kind_of_the_sequence_does_not_count() -> None:
    assert why_stale(task(), record(), facts(signature=(ITEM, OTHER))) is None


def test_an_edited_script_makes_it_stale() -> None:
    assert why_stale(task(), record(), facts(run_hash="i")) == "its script has changed"


def test_a_record_without_a_hash_of_the_script_is_accepted() -> None:
    old = record()
    del old["run_hash"]
    assert why_stale(task(), old, facts()) is None


def test_what_has_no_script_has_no_hash_to_compare() -> None:
    assert why_stale(task(), record(), facts(run_hash="")) is None


def test_a_need_that_executed_again_makes_it_stale() -> None:
    assert why_stale(task(), record(), facts(executions={"p.a": "2"})) == "p.a has changed"


def test_a_need_that_the_record_does_not_know_is_no_reason() -> None:
    assert why_stale(task(), record(), facts(executions={"p.a": "1", "p.z": "5"})) is None
    old = record()
    del old["needs_executions"]
    assert why_stale(task(), old, facts()) is None


def test_a_need_that_is_gone_is_no_reason() -> None:
    assert why_stale(task(), record(), facts(executions={})) is None
