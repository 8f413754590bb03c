"""The tasks that wait for the workers of one pool, and whose turn it is."""

from collections import OrderedDict, deque

from dfm_daemon.core.state import RunId, Task


class Queue:
    """Runs take turns, whatever they have queued; within a run the order is that of submission."""

    def __init__(self) -> None:
        self._tasks: OrderedDict[RunId, deque[Task]] = OrderedDict()  # whose turn it is comes first
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def runs(self) -> list[RunId]:
        return list(self._tasks)

    def add(self, task: Task) -> None:
        self._of(task.run.id).append(task)
        self._length += 1

    def put_back(self, task: Task) -> None:
        """A task that was taken already: it comes before all others of its run."""
        self._of(task.run.id).appendleft(task)
        self._length += 1

    def take(self) -> Task:
        """The next task of the run whose turn it is. There must be one."""
        run, tasks = next(iter(self._tasks.items()))
        task = tasks.popleft()
        if tasks:
            self._tasks.move_to_end(run)
        else:
            del self._tasks[run]
        self._length -= 1
        return task

    def take_all(self, run: RunId) -> list[Task]:
        """All tasks of a run."""
        tasks = self._tasks.pop(run, None)
        if tasks is None:
            return []
        self._length -= len(tasks)
        return list(tasks)

    def tasks(self) -> list[Task]:
        """All of them, for those who look."""
        return [task for tasks in self._tasks.values() for task in tasks]

    def check(self) -> None:
        """Asserts the invariants."""
        assert self._length == sum(map(len, self._tasks.values()))
        assert all(self._tasks.values())

    def _of(self, run: RunId) -> deque[Task]:
        return self._tasks.setdefault(run, deque())
