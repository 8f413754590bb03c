"""A base run directory: what succeeded there is done here (section 35)."""

import shutil
from pathlib import Path

import pytest

from dfm.engine.base import Base
from dfm.engine.outcome import Ending
from dfm.errors import UsageError
from dfm.graph.node import Compound, Entry, Graph
from dfm.graph.values import Fields
from dfm.wire.task import TaskResult, TaskSpec
from tests.dfm.engine.conftest import World, graph, lines, node, result, script


def built() -> Graph:
    return graph(
        node("rtl"),
        node("img", needs=[0], passthrough="all", uptodate=False),
        node("sim", needs=[1]),
    )


def emit(spec: TaskSpec) -> TaskResult:
    if spec.name == "p.sim":
        return result(output=lines())
    files: Fields = {"type": "std.FileSet", "basedir": f"{spec.rundir}/out", "files": []}
    return result(output=lines(files))


@pytest.fixture
def other(world: World) -> World:
    """A world whose base has all but the last task."""
    world.run(built(), lambda spec: result(3) if spec.name == "p.sim" else emit(spec))
    shutil.move(world.rundir, world.folder / "other")
    return world


def test_what_succeeded_there_is_taken_and_the_rest_is_executed_here(other: World) -> None:
    base = Base(str(other.folder / "other"))
    watcher = other.run(built(), emit, base=base)
    assert watcher.of(Ending.BASE) == ["p.rtl", "p.img"]
    assert watcher.of(Ending.DONE) == ["p.sim"]
    assert not (other.rundir / "p.rtl").exists()
    assert (other.rundir / "p.sim").exists()


def test_items_have_their_paths_where_the_base_is_now(other: World) -> None:
    base = Base(str(other.folder / "other"))
    other.run(built(), emit, base=base)
    folders = [item["basedir"] for item in other.record("p.sim")["input"]["inputs"]]
    assert folders == [str(other.folder / "other" / name / "out") for name in ("p.rtl", "p.img")]


def test_force_ignores_the_base(other: World) -> None:
    base = Base(str(other.folder / "other"))
    assert other.run(built(), emit, base=base, force=True).of(Ending.BASE) == []


def test_parameters_and_own_records_do_not_count(other: World) -> None:
    other.run(built(), emit)
    changed = built()
    changed.nodes[0].params = {"x": 1}
    base = Base(str(other.folder / "other"))
    assert other.run(changed, emit, base=base).of(Ending.BASE) == ["p.rtl", "p.img"]


def test_bodies_that_are_done_there_leave_nothing_here(world: World) -> None:
    def nested() -> Graph:
        body = Compound((1, 2), entry=1)
        entry = node("c.in", Entry())
        inner = node("c.b", script(), needs=[1])
        return graph(node("c", body, needs=[2]), entry, inner)

    world.run(nested())
    shutil.move(world.rundir, world.folder / "other")
    watcher = world.run(nested(), base=Base(str(world.folder / "other")))
    assert watcher.of(Ending.BASE) == ["p.c.b"]
    assert not list(world.rundir.glob("p.*"))


def test_a_base_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        Base(str(tmp_path / "none"))
