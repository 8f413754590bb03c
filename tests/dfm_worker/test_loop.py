import os
import socket
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from dfm_worker.loop import Loop, Timer

DEADLINE_S = 10.0


class Pipe(NamedTuple):
    reader: int
    writer: int


@pytest.fixture
def loop() -> Loop:
    """A loop that fails the test if it is not stopped in time."""
    made = Loop()

    def late() -> None:
        raise TimeoutError("the loop still runs")

    made.call_later(DEADLINE_S, late)
    return made


@pytest.fixture
def pipes() -> Iterator[list[Pipe]]:
    made = [Pipe(*os.pipe()) for _ in range(3)]
    yield made
    for pipe in made:
        os.close(pipe.reader)
        os.close(pipe.writer)


@pytest.fixture
def sockets() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        one.setblocking(False)
        yield one, other


# Timers


def test_timers_fire_in_the_order_of_their_times(loop: Loop) -> None:
    fired: list[int] = []
    for delay in (3, 1, 2, 0):
        loop.call_later(delay / 1000, fired.append, delay)
    loop.call_later(0.004, loop.stop)
    loop.run()
    assert fired == [0, 1, 2, 3]


def test_a_timer_does_not_fire_before_its_time(loop: Loop) -> None:
    due = loop.time() + 0.01
    fired: list[float] = []

    def note() -> None:
        fired.append(loop.time())
        loop.stop()

    loop.call_later(0.01, note)
    loop.run()
    assert fired[0] >= due


def test_a_cancelled_timer_does_not_fire(loop: Loop) -> None:
    fired: list[str] = []
    loop.call_later(0.001, fired.append, "cancelled").cancel()
    loop.call_later(0.002, loop.stop)
    loop.run()
    assert fired == []


def test_a_timer_may_cancel_one_that_is_due_at_the_same_time(loop: Loop) -> None:
    fired: list[str] = []
    later: list[Timer] = []
    loop.call_later(0, lambda: later[0].cancel())
    later.append(loop.call_later(0, fired.append, "cancelled"))
    loop.call_later(0, loop.stop)
    loop.run()
    assert fired == []


def test_cancelling_what_has_fired_is_nothing(loop: Loop) -> None:
    fired: list[str] = []
    timer = loop.call_later(0, fired.append, "once")
    loop.call_later(0, loop.stop)
    loop.run()
    timer.cancel()
    timer.cancel()
    loop.call_later(0.001, loop.stop)
    loop.run()
    assert fired == ["once"]


def test_a_timer_may_set_another(loop: Loop) -> None:
    fired: list[str] = []
    loop.call_later(0, lambda: loop.call_later(0, loop.call_later, 0, loop.stop))
    loop.call_later(0, fired.append, "x")
    loop.run()
    assert fired == ["x"]


def test_timers_without_a_delay_leave_readers_their_turn(loop: Loop, pipes: list[Pipe]) -> None:
    def again() -> None:
        loop.call_later(0, again)

    again()
    loop.add_reader(pipes[0].reader, loop.stop)
    os.write(pipes[0].writer, b"x")
    loop.run()


def test_a_loop_of_cancelled_timers_waits_for_what_else_there_is(
    loop: Loop, pipes: list[Pipe]
) -> None:
    for _ in range(3):
        loop.call_later(0, loop.stop).cancel()
    loop.call_later(0.001, os.write, pipes[0].writer, b"x")
    turns: list[int] = []
    loop.each_turn = lambda: turns.append(1)
    loop.add_reader(pipes[0].reader, loop.stop)
    loop.run()
    assert len(turns) == 2


# Readers and writers


def test_a_reader_is_called_while_there_is_something_to_read(loop: Loop, pipes: list[Pipe]) -> None:
    read: list[bytes] = []

    def take(fd: int) -> None:
        read.append(os.read(fd, 1))
        if len(read) == 3:
            loop.stop()

    os.write(pipes[0].writer, b"abc")
    loop.add_reader(pipes[0].reader, take, pipes[0].reader)
    loop.run()
    assert read == [b"a", b"b", b"c"]


def test_the_end_of_a_pipe_is_something_to_read(loop: Loop) -> None:
    reader, writer = os.pipe()
    loop.add_reader(reader, loop.stop)
    os.close(writer)
    loop.run()
    loop.remove_reader(reader)
    os.close(reader)


def test_a_reader_that_another_has_removed_is_not_called(loop: Loop, pipes: list[Pipe]) -> None:
    called: list[int] = []

    def take(own: int, other: int) -> None:
        called.append(own)
        loop.remove_reader(other)
        loop.stop()

    first, second = pipes[0].reader, pipes[1].reader
    loop.add_reader(first, take, first, second)
    loop.add_reader(second, take, second, first)
    for pipe in pipes[:2]:
        os.write(pipe.writer, b"x")
    loop.run()
    assert len(called) == 1


def test_a_reader_may_add_and_replace_readers(loop: Loop, pipes: list[Pipe]) -> None:
    called: list[str] = []

    def first() -> None:
        called.append("first")
        loop.add_reader(pipes[0].reader, second)

    def second() -> None:
        called.append("second")
        loop.remove_reader(pipes[0].reader)
        loop.add_reader(pipes[1].reader, third)

    def third() -> None:
        called.append("third")
        loop.stop()

    for pipe in pipes[:2]:
        os.write(pipe.writer, b"x")
    loop.add_reader(pipes[0].reader, first)
    loop.run()
    assert called == ["first", "second", "third"]


def test_removing_what_was_not_added_is_nothing(loop: Loop, pipes: list[Pipe]) -> None:
    loop.remove_reader(pipes[0].reader)
    loop.remove_writer(pipes[0].writer)
    loop.add_reader(pipes[0].reader, loop.stop)
    loop.remove_writer(pipes[0].reader)
    os.write(pipes[0].writer, b"x")
    loop.run()


def test_a_descriptor_may_be_closed_and_come_back_as_another(loop: Loop, pipes: list[Pipe]) -> None:
    def replace() -> None:
        loop.remove_reader(pipes[0].reader)
        os.dup2(pipes[1].reader, pipes[0].reader)
        loop.add_reader(pipes[0].reader, loop.stop)
        os.write(pipes[1].writer, b"y")

    os.write(pipes[0].writer, b"x")
    loop.add_reader(pipes[0].reader, replace)
    loop.run()
    assert os.read(pipes[0].reader, 9) == b"y"


def test_a_socket_is_read_and_written_at_once(
    loop: Loop, sockets: tuple[socket.socket, socket.socket]
) -> None:
    one, other = sockets
    log: list[str] = []

    def write() -> None:
        log.append("write")
        loop.remove_writer(one.fileno())
        other.send(b"x")

    def read() -> None:
        log.append(f"read {one.recv(1).decode()}")
        loop.add_writer(one.fileno(), last)

    def last() -> None:
        log.append("last")
        loop.remove_reader(one.fileno())
        loop.stop()

    loop.add_reader(one.fileno(), read)
    loop.add_writer(one.fileno(), write)
    loop.run()
    assert log == ["write", "read x", "last"]


def test_a_writer_stays_when_the_reader_of_its_socket_goes(
    loop: Loop, sockets: tuple[socket.socket, socket.socket]
) -> None:
    one, _ = sockets
    loop.add_reader(one.fileno(), lambda: pytest.fail("there is nothing to read"))
    loop.add_writer(one.fileno(), loop.stop)
    loop.remove_reader(one.fileno())
    loop.run()


def test_a_reader_that_ends_its_socket_ends_the_writer_too(
    loop: Loop, sockets: tuple[socket.socket, socket.socket]
) -> None:
    one, other = sockets

    def end() -> None:
        loop.remove_reader(one.fileno())
        loop.remove_writer(one.fileno())
        one.close()
        loop.stop()

    other.send(b"x")
    loop.add_reader(one.fileno(), end)
    loop.add_writer(one.fileno(), lambda: pytest.fail("it is closed"))
    loop.run()


def test_a_writer_hears_of_a_peer_that_is_gone(loop: Loop) -> None:
    reader, writer = os.pipe()
    loop.add_writer(writer, loop.stop)
    os.close(reader)
    loop.run()
    loop.remove_writer(writer)
    os.close(writer)


# Turns


def test_each_turn_ends_with_its_call(loop: Loop, pipes: list[Pipe]) -> None:
    log: list[str] = []
    loop.each_turn = lambda: log.append("turn")
    for number, pipe in enumerate(pipes):
        os.write(pipe.writer, b"x")
        loop.add_reader(pipe.reader, lambda n=number: log.append(f"read {n}"))
    loop.call_later(0, log.append, "timer")
    loop.call_later(0, loop.stop)
    loop.run()
    assert sorted(log[:3]) == ["read 0", "read 1", "read 2"]
    assert log[3:] == ["timer", "turn"]


def test_a_stopped_loop_may_run_again(loop: Loop) -> None:
    log: list[str] = []
    for text in ("first", "second"):
        loop.call_later(0, log.append, text)
        loop.call_later(0, loop.stop)
        loop.run()
        assert log[-1] == text


def test_an_error_in_a_callback_comes_out_of_the_loop(loop: Loop) -> None:
    loop.call_later(0, int, "x")
    with pytest.raises(ValueError, match="invalid literal"):
        loop.run()
