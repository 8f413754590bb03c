import msgpack

from dfm.wire.task import RESULT, SPEC, TaskResult, TaskSpec


def test_a_task_is_sent_without_what_only_python_tasks_are_told() -> None:
    spec = TaskSpec("t", "/r", "/s", "bash", "true", b"{}", None, {}, [], 1, 0, b"[]")
    assert SPEC.unpack(msgpack.packb(list(spec)[:-1])) == spec


def test_a_result_may_say_no_more_than_how_it_ended() -> None:
    assert RESULT.unpack(msgpack.packb([-9, 0, 0, [], []])) == TaskResult(-9, 0.0, 0.0, [], [])
