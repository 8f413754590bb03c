"""The task `std.Publish`: it runs as a Python task does, since to copy what a team delivers takes time."""

from typing import Any

from dfm_worker.publishing import Publisher, Source
from dfm_worker.python_api import FileSet, TaskDataResult
from dfm_worker.python_context import TaskRunCtxt


def publish(ctxt: TaskRunCtxt, task: Any) -> TaskDataResult:
    """Publishes the file sets that come in."""
    params = task.params
    publisher = Publisher(ctxt.out_dir, ctxt.run_id, task.name, params.on_conflict)
    include = [params.include] if isinstance(params.include, str) else params.include
    sources = [_source(item, params) for item in task.inputs if hasattr(item, "files")]
    done = publisher.publish(sources, include)
    for severity, message in done.markers:
        ctxt.marker(message, severity)
    kinds = {source.filetype for source in sources}
    item = FileSet(
        kinds.pop() if len(kinds) == 1 else "", ctxt.out_dir, list(dict.fromkeys(done.files))
    )
    return TaskDataResult(status=1 if done.has_failed else 0, output=[item])


def _source(item: Any, params: Any) -> Source:
    """A std.PubSet says itself where it goes, below the task's `dest`."""
    own = item if item.type == "std.PubSet" else params
    below = getattr(item, "dest", "") if own is item else ""
    dest = "/".join(part for part in (params.dest, below) if part)
    files = item.files if isinstance(item.files, list) else [item.files]
    return Source(item.src or "", item.basedir, files, item.filetype, dest, own.strip, own.flatten)
