"""What a task took, and how it was killed, as its record and its user are told."""

from dfm.engine.outcome import Ending
from dfm.graph.node import Nothing
from tests.dfm.engine.conftest import World, graph, node, result


def test_a_record_says_what_a_script_took(world: World) -> None:
    took = result(cpu_s=2.5, max_rss_kib=70_000)._replace(wall_ms=1234.5)
    watcher = world.run(graph(node("a"), node("b", Nothing(), [0])), lambda spec: took)
    expected = {"wall_s": 1.2345, "cpu_s": 2.5, "max_rss_kib": 70_000}
    assert world.record("p.a")["usage"] == expected
    assert "usage" not in world.record("p.b")
    assert watcher.outcomes[0].usage == tuple(expected.values())


def test_so_does_the_record_of_one_that_failed(world: World) -> None:
    world.run(graph(node("a")), lambda spec: result(3, cpu_s=1.0))
    assert world.record("p.a")["usage"]["cpu_s"] == 1.0


def test_the_usage_stays_in_the_record_while_the_task_is_up_to_date(world: World) -> None:
    world.run(graph(node("a")), lambda spec: result(cpu_s=1.0))
    watcher = world.run(graph(node("a")))
    assert watcher.of(Ending.UP_TO_DATE) == ["p.a"]
    assert world.record("p.a")["usage"]["cpu_s"] == 1.0


def test_a_signal_is_said_by_its_name(world: World) -> None:
    for status, words in (
        (-9, "killed by SIGKILL (signal 9)"),
        (-11, "killed by SIGSEGV (signal 11)"),
        (139, "status 139 (128 + SIGSEGV)"),
        (200, "status 200"),
        (3, "status 3"),
    ):
        watcher = world.run(graph(node("a")), lambda spec, status=status: result(status))  # type: ignore[misc]
        assert watcher.outcomes[0].markers[-1].message == f"Command failed: {words}"
