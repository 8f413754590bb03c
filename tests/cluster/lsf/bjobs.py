"""`bjobs`: shows jobs, in a table, in the columns of `-o`, or as JSON."""

import json
import os
import re
import sys
import time
from collections.abc import Callable

from tests.cluster.lsf.jobs import Filter, Job, all_jobs, parse_id, select
from tests.cluster.lsf.site import Refused, reach

FIELDS: dict[str, Callable[[Job], str]] = {
    "jobid": lambda job: job.id,
    "jobindex": lambda job: job.element if job.about["is_array"] else "",
    "stat": lambda job: job.stat,
    "user": lambda job: job.about["user"],
    "queue": lambda job: job.about["queue"],
    "job_name": lambda job: job.name,
    "proj_name": lambda job: job.about["project"],
    "job_group": lambda job: job.about["group"],
    "exit_code": lambda job: job.exit_code,
    "exit_reason": lambda job: job.exit_reason,
    "pend_reason": lambda job: job.pend_reason,
    "exec_host": lambda job: _hosts(job),
    "first_host": lambda job: job.host,
    "submit_time": lambda job: _time(job.about["submitted"]),
    "command": lambda job: job.about["command"],
    "sub_cwd": lambda job: job.about["submit_dir"],
    "exec_cwd": lambda job: job.about["cwd"],
    "output_file": lambda job: job.about["out"],
    "time_left": lambda job: job.time_left,
    "runtimelimit": lambda job: str(job.about["minutes"] or ""),
}
_TABLE = "jobid:7 user:7 stat:5 queue:10 sub_cwd:11 exec_host:11 job_name:10 submit_time:12"
_VALUED = ("-J", "-g", "-q", "-P", "-u", "-m", "-o")
_FLAGS = ("-a", "-noheader", "-json", "-w", "-r", "-p", "-s", "-d", "-A", "-X")


def main(words: list[str]) -> int:
    values, flags, ids = _parse(words)
    if "-json" in flags and ("-o" not in values or "-noheader" in flags):
        raise Refused("-json: needs -o, and excludes -noheader")
    columns, delimiter = _columns(values.get("-o", _TABLE))
    site = reach()
    if site.query_limit:
        raise Refused("Batch system concurrent query limit exceeded")
    wanted = Filter(*(values.get(name, "") for name in ("-J", "-g", "-q", "-P")))
    found, missing = select(all_jobs(site), [parse_id(text) for text in ids], wanted)
    if not ids:
        stats = {
            "-r": ("RUN",),
            "-p": ("PEND", "PSUSP"),
            "-s": ("SSUSP", "USUSP"),
            "-d": ("DONE", "EXIT"),
        }
        only = [stat for flag, group in stats.items() if flag in flags for stat in group]
        found = [
            job for job in found if (job.stat in only if only else "-a" in flags or not job.is_over)
        ]
    for one in missing:
        print(f"Job <{one.text}> is not found", file=sys.stderr)
    if not found and not missing:
        name = values.get("-J", "")
        kind = "No job found" if "-a" in flags else "No unfinished job found"
        print(f"Job <{name}> is not found" if name else kind, file=sys.stderr)
    _show(found, columns, delimiter, flags)
    strict = site.consistent_exit_code or os.environ.get("LSB_BJOBS_CONSISTENT_EXIT_CODE") == "Y"
    nothing = not found or bool(missing)
    return 255 if (nothing and strict) or (found and missing) else 0


def _parse(words: list[str]) -> tuple[dict[str, str], set[str], list[str]]:
    values: dict[str, str] = {}
    flags: set[str] = set()
    ids: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word in _VALUED and rest:
            values[word] = rest.pop(0)
        elif word in _FLAGS:
            flags.add(word)
        elif word.startswith("-"):
            raise Refused(
                f"bjobs: illegal option -- {word.lstrip('-')}\nUsage: bjobs [options] [jobId ...]"
            )
        elif word != "0":
            ids.append(word)
    return values, flags, ids


def _columns(text: str) -> tuple[list[tuple[str, int]], str]:
    match = re.search(r"delimiter='(.*)'", text)
    columns = []
    for word in re.sub(r"delimiter='.*'", "", text).split():
        name, _, width = word.partition(":")
        if name not in FIELDS:
            raise Refused(f"{name}: Invalid field name. The field is not displayed.")
        columns.append((name, abs(int(width or 0))))
    return columns, match[1] if match else " "


def _show(jobs: list[Job], columns: list[tuple[str, int]], delimiter: str, flags: set[str]) -> None:
    if "-json" in flags:
        records = [{name.upper(): FIELDS[name](job) for name, _ in columns} for job in jobs]
        if jobs:  # with no match there is no JSON at all
            print(
                json.dumps({"COMMAND": "bjobs", "JOBS": len(records), "RECORDS": records}, indent=2)
            )
        return
    if jobs and "-noheader" not in flags:
        print(delimiter.join(_cut(name.upper(), width) for name, width in columns))
    for job in jobs:
        print(delimiter.join(_cut(FIELDS[name](job) or "-", width) for name, width in columns))


def _cut(text: str, width: int) -> str:
    """Names lose their heads."""
    if not width:
        return text
    return f"*{text[-width + 1 :]}" if len(text) > width else text.ljust(width)


def _hosts(job: Job) -> str:
    slots = job.about["slots"]
    if job.host in ("", "(null)"):
        return ""
    return f"{slots}*{job.host}" if slots > 1 else job.host


def _time(at: float) -> str:
    return time.strftime("%b %e %H:%M", time.localtime(at))
