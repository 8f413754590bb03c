"""The status document, schema `dfm-daemon-status/1` (spec section 5). Keys are only ever added."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from dfm_daemon.core.scheduler import Scheduler
from dfm_daemon.core.state import Pool, Run, TaskState, Worker, WorkerState

_WORDS = {
    WorkerState.REQUESTED: "pending",
    WorkerState.PENDING: "pending",
    WorkerState.IDLE: "idle",
    WorkerState.BUSY: "busy",
    WorkerState.DRAINING: "draining",
    WorkerState.AWAY: "lost",
    WorkerState.GONE: "lost",
}


def document(
    scheduler: Scheduler, identity: dict[str, Any], now: float, utc: Callable[[float], str]
) -> dict[str, Any]:
    """What the scheduler knows; `identity` is what `daemon.json` says, `utc` makes ISO 8601 of a
    time of the scheduler's clock."""
    queued = sum(len(pool.queue) for pool in scheduler.pools.values())
    running = sum(pool.running_count for pool in scheduler.pools.values())
    return {
        "schema": "dfm-daemon-status/1",
        "running": True,
        **identity,
        "pending_tasks": queued,
        "tasks": {"queued": queued, "running": running, **scheduler.totals},
        "pools": [_pool(pool) for pool in scheduler.pools.values()],
        "workers": [_worker(worker, utc) for worker in scheduler.workers.values()],
        "clients": [_client(run) for run in scheduler.runs.values()],
        "limits": {
            name: {"total": total, "used": scheduler.limits.used[name]}
            for name, total in scheduler.limits.totals.items()
        },
        "excluded_hosts": {
            host: utc(until) for host, until in scheduler.hosts.excluded(now).items()
        },
    }


def _pool(pool: Pool) -> dict[str, Any]:
    return {
        "runner": pool.runner,
        "name": pool.name,
        "cores": pool.shape.cores,
        "memory_mb": pool.shape.memory_mib or None,
        "min_workers": pool.limits.min_workers,
        "max_workers": pool.limits.max_workers,
        "workers": {
            "total": len(pool.workers),
            "busy": pool.counts[WorkerState.BUSY],
            "idle": pool.counts[WorkerState.IDLE],
            "pending": pool.coming,
            "draining": pool.counts[WorkerState.DRAINING],
        },
        "queued": len(pool.queue),
        "running": pool.running_count,
        "state": pool.state.value,
        "last_error": pool.last_error or None,
    }


def _worker(worker: Worker, utc: Callable[[float], str]) -> dict[str, Any]:
    names = [task.name for task in worker.tasks.values()]
    return {
        "worker_id": worker.name,
        "runner": worker.pool.runner,
        "pool": worker.pool.name,
        "resource_class": worker.pool.shape.resource_class or None,
        "hostname": worker.host or None,
        "pid": worker.pid or None,
        "job_id": worker.job or None,
        "lsf_job_id": worker.job if worker.pool.runner == "lsf" else None,
        "state": _WORDS[worker.state],
        "current_task": names[0] if names else None,
        "tasks": names,
        "tasks_done": worker.tasks_done,
        "since": utc(worker.since),
        "deadline": None if worker.deadline is None else utc(worker.deadline),
    }


def _client(run: Run) -> dict[str, Any]:
    states = Counter(task.state for task in run.tasks.values())
    return {
        "run_id": run.id,
        "pid": run.pid,
        "user": run.user,
        "host": run.host,
        "queued": states[TaskState.WAITING],
        "running": states[TaskState.ASSIGNED] + states[TaskState.RUNNING],
        "completed": run.completed,
    }
