"""The environment that tasks are given."""

import pytest

from dfm.engine.specs import apply_env_items, next_run_id, parameter_variables, run_environment
from dfm.graph.dataflow import Item


def env(**fields: object) -> Item:
    return Item({"type": "std.Env", "src": "p.e", "seq": 0, **fields}, 0, 0)  # type: ignore[dict-item]


def test_env_items_apply_in_order_on_top_of_the_runs_environment() -> None:
    environment = {"DFM_PARAM_X": "1"}
    items = [
        env(
            vals={"A": "1", "B": "2"}, append_path={"P": "/z"}, prepend_path={"P": "/a", "Q": "/q"}
        ),
        env(vals={"A": "3"}, append_path={}, prepend_path={"P": "/b"}),
        Item({"type": "std.FileSet", "vals": {"NO": "1"}}, 1, 0),
    ]
    apply_env_items(environment, items, {"P": "/usr", "A": "0"})
    assert environment == {
        "DFM_PARAM_X": "1", "A": "3", "B": "2", "P": "/b:/a:/usr:/z", "Q": "/q",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("value", "text"),
    [("x", "x"), (3, "3"), (2.5, "2.5"), (True, "true"), (False, "false"), (None, ""),
     (["a", 1], '["a",1]'), ({"k": ["é"]}, '{"k":["\\u00e9"]}')],
)  # fmt: skip
def test_parameters_as_variables(value: object, text: str) -> None:
    assert parameter_variables({"Some-name": value}) == ({"DFM_PARAM_SOME-NAME": text}, [])  # type: ignore[dict-item]


def test_a_parameter_too_long_for_a_variable_is_only_in_the_file() -> None:
    limit = 128 * 1024 - len("DFM_PARAM_X=") - 1
    assert parameter_variables({"x": "y" * limit})[1] == []
    variables, (marker,) = parameter_variables({"x": "y" * (limit + 1), "n": 1})
    assert variables == {"DFM_PARAM_N": "1"}
    assert "$DFM_PARAMS has it" in marker.message


def test_what_an_outer_task_left_does_not_reach_inner_ones(tmp_path: object) -> None:
    outer = {
        "HOME": "/h",
        "DFM_PARAM_X": "1",
        "DFM_RUNDIR": "/r",
        "DFM_RUNNER": "local",
        "DFM_JOB": "j",
    }
    inner = run_environment(outer, str(tmp_path))
    assert inner.keys() == {"HOME", "DFM_RUNNER", "DFM_RUN_ID", "DFM_OUT_DIR"}


def test_run_ids_count_on(tmp_path: object) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path))
    assert next_run_id(str(folder)) == "0001"
    for name in ("0007", "latest", "x"):
        (folder / "out" / name).mkdir(parents=True)
    assert next_run_id(str(folder)) == "0008"
