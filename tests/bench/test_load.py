"""The flows that `make bench-load` measures are what it says they are."""

from pathlib import Path

import pytest

from bench.load import SHAPES, flow, measure
from dfm.flow.load import Options, load


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("count", [10, 200])
def test_a_flow_has_so_many_tasks(tmp_path: Path, shape: str, count: int) -> None:
    file = tmp_path / "flow.yaml"
    file.write_text(flow(shape, count))
    graph = load(Options(str(file)), {}).graph(["all"], "/r")
    scripts = {node.name for node in graph.nodes if "sim_" in node.name}
    assert len(scripts) == count


def test_a_round_is_measured(tmp_path: Path) -> None:
    file = tmp_path / "flow.yaml"
    file.write_text(flow("listed", 10))
    cost = measure(file)
    assert cost.cpu_s > cost.yaml_s > 0
    assert cost.bytes > 0
