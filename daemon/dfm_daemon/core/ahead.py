"""How many tasks a worker is given beyond its slots: some, in floods of tiny tasks, else none.

A task ahead saves a round trip, which is felt when tasks take milliseconds. Behind a task that takes
longer it would wait although others could run it: then it is recalled, and no other goes there.
"""

from dfm_daemon.core.state import Pool, Worker

AHEAD = 16  # tasks of one worker
_TINY_S = 0.01
_JUMP_S = 0.03  # from tiny to what a worker says has started
_WEIGHT = 0.2  # of the newest duration in the average


def room(worker: Worker) -> int:
    """How many more tasks a worker may be given, in its slots or ahead."""
    return worker.free_slots + _ahead(worker)


def note_duration(pool: Pool, seconds: float) -> None:
    """A task of the pool took so long, or takes so long already."""
    if pool.task_s is None or seconds > pool.task_s + _JUMP_S:
        pool.task_s = seconds  # at once: the average would not notice before several more
    else:
        pool.task_s += _WEIGHT * (seconds - pool.task_s)


def _ahead(worker: Worker) -> int:
    task_s = worker.pool.task_s
    is_stuck = worker.long_count >= worker.slots
    return AHEAD if task_s is not None and task_s < _TINY_S and not is_stuck else 0
