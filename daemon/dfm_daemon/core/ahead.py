"""How many tasks a worker is given beyond its slots: some, in floods of tiny tasks, else none.

A task ahead saves a round trip, which is felt when tasks take milliseconds. Behind a task that takes
longer it would wait although others could run it: then it is recalled.
"""

from dfm_daemon.core.state import Pool, Worker

AHEAD = 16  # tasks of one worker
_TINY_S = 0.01
_WEIGHT = 0.2  # of the newest duration in the average


def room(worker: Worker) -> int:
    """How many more tasks a worker may be given, in its slots or ahead."""
    return worker.free_slots + _ahead(worker.pool)


def note_duration(pool: Pool, seconds: float) -> None:
    """A task of the pool took so long, or takes so long already."""
    if pool.task_s is None or seconds > pool.task_s + 5 * _TINY_S:
        pool.task_s = seconds  # at once: the average would not notice before several more
    else:
        pool.task_s += _WEIGHT * (seconds - pool.task_s)


def _ahead(pool: Pool) -> int:
    return AHEAD if pool.task_s is not None and pool.task_s < _TINY_S else 0
