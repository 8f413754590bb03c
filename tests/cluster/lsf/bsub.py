"""`bsub`: takes what LSF's documentation allows, refuses the rest in LSF's words, submits to Slurm."""

import getpass
import json
import os
import re
import subprocess
import sys
import time
import uuid
from pathlib import Path

from tests.cluster.lsf import options, requirement
from tests.cluster.lsf.options import Words
from tests.cluster.lsf.site import QUEUES, Queue, Refused, Site, folder, reach

_STARTER = Path(__file__).with_name("starter.py")
_LONGEST = 4094  # characters of a command
_UNHEARD = (
    "-K -I -Is -Ip -E -Ep -w -b -t -x -v -T -F -S -D -c -i".split()
)  # would change what happens
_HANG_S = 3600.0


def main(words: list[str]) -> int:
    if os.environ.get("BSUB_CHK_RESREQ"):
        requirement.parse(options.parse(words).all("-R"))
        print("Resource requirement string is valid.")
        return 0
    script = ""
    parsed = options.parse(words)
    if not parsed.command:
        script = sys.stdin.read()
        parsed = options.parse([*options.in_script(script), *words])
    site = reach()
    job, queue, is_default = submit(site, parsed, script)
    if site.loses_answer == "hang":
        time.sleep(_HANG_S)
    for line in site.before:
        print(line)
    if not site.loses_answer and not os.environ.get("BSUB_QUIET"):
        kind = "default queue" if is_default else "queue"
        out = sys.stderr if os.environ.get("BSUB_STDERR") else sys.stdout
        print(f"Job <{job}> is submitted to {kind} <{queue}>.", file=out)
    for line in site.after:
        print(line)
    return 0


def submit(site: Site, words: Words, script: str) -> tuple[str, str, bool]:
    """The job's id and queue, and whether the queue is the default one. Raises Refused."""
    for option in _UNHEARD:
        if words.has(option):
            raise Refused(f"{option}: this set of commands does not have it. Job not submitted.")
    named = words.last("-q") or os.environ.get("LSB_DEFAULTQUEUE", "")
    name, queue = _queue(named or "normal")
    array = options.job_array(words.last("-J"), site.array_max) if words.has("-J") else None
    slots = options.slots(words.last("-n") or "1")
    if slots > site.slots * len(site.hosts):
        raise Refused("Too many processors requested. Job not submitted.")
    minutes = _run_limit(words, queue)
    memory_kb = _memory_limit(site, words, queue)
    needs = requirement.parse(words.all("-R"))
    command = _command(words, script)
    project = words.last("-P") or os.environ.get("LSB_DEFAULTPROJECT", "default")
    _esub(site, project)
    about = {
        "name": array.name if array else command[:60], "is_array": bool(array and array.indices),
        "queue": name, "project": project, "user": getpass.getuser(), "slots": slots,
        "group": words.last("-g"), "command": command, "is_script": bool(script),
        "cwd": words.last("-cwd") or os.getcwd(), "submitted": time.time(),
        "out": words.last("-oo") or words.last("-o"), "appends": not words.has("-oo"),
        "err": words.last("-eo") or words.last("-e"), "held": words.has("-H"),
        "minutes": minutes, "memory_kb": memory_kb, "requirement": " ".join(words.all("-R")),
        "env": options.environment(words.last("-env") or "all"), "submit_dir": os.getcwd(),
        "is_down_if_cwd_missing": os.environ.get("LSB_EXIT_IF_CWD_NOTEXIST") == "Y",
    }  # fmt: skip
    suits = any(needs.fits(host) for host in site.hosts) and slots <= site.slots
    about["pends"] = site.pends or not suits
    indices = array.indices if array else ""
    return _sbatch(about, needs, indices, reruns=words.has("-r")), name, not named


def _queue(names: str) -> tuple[str, Queue]:
    """The first that takes jobs of this user."""
    refusal = ""
    for name in names.split():
        queue = QUEUES.get(name)
        if queue is None:
            refusal = f"{name}: No such queue"
        elif not queue.is_open:
            refusal = f"{name}: Queue has been closed"
        elif queue.users and getpass.getuser() not in queue.users:
            refusal = f"{name}: User cannot use the queue"
        else:
            return name, queue
    raise Refused(f"{refusal}. Job not submitted.")


def _run_limit(words: Words, queue: Queue) -> int:
    minutes = options.run_limit_minutes(words.last("-W")) if words.has("-W") else 0
    if queue.run_limit and minutes > queue.run_limit:
        raise Refused("RUNLIMIT: Cannot exceed queue's hard limit(s). Job not submitted.")
    return minutes or queue.run_limit


def _memory_limit(site: Site, words: Words, queue: Queue) -> int:
    if not words.has("-M"):
        return queue.memory_limit
    limit = options.memory_limit_kb(words.last("-M"), site.limit_unit)
    if queue.memory_limit and limit > queue.memory_limit:
        raise Refused("MEMLIMIT: Cannot exceed queue's hard limit(s). Job not submitted.")
    return limit


def _command(words: Words, script: str) -> str:
    """One line for /bin/sh: the first word as it is, of the others what has blanks is quoted."""
    if not words.command:
        if not script.strip():
            raise Refused("No command is specified. Job not submitted.")
        return script
    first, *others = words.command
    line = " ".join([first, *(_escaped(word) for word in others)])
    if len(line) > _LONGEST:
        raise Refused("Command is too long. Job not submitted.")
    return line


def _escaped(word: str) -> str:
    escaped = re.sub(r"""(["'\\()])""", r"\\\1", word)
    return f'"{word}"' if " " in word and '"' not in word else escaped


def _esub(site: Site, project: str) -> None:
    if site.refuses:
        raise Refused(f"{site.refuses}\nRequest aborted by esub. Job not submitted.")
    if site.projects and project not in site.projects:
        text = f"Project <{project}> is not one of: {' '.join(site.projects)}"
        raise Refused(f"{text}\nRequest aborted by esub. Job not submitted.")


def _sbatch(
    about: dict[str, object], needs: requirement.Requirement, indices: str, *, reruns: bool
) -> str:
    lsf = folder()
    spec = lsf / "spool" / f"{uuid.uuid4().hex}.json"
    spec.write_text(json.dumps(about))
    usage = dict(needs.usage)
    licences = ",".join(f"{name}:{int(usage[name])}" for name in ("vcs",) if name in usage)
    # A bkill that comes before the starter listens is not lost: it finds it written down.
    line = f"trap '' USR1; exec {sys.executable} {_STARTER} {spec}"
    words = [
        "sbatch", "--parsable", f"--job-name={about['name']}"[:100], "--partition=normal",
        "--ntasks=1", f"--cpus-per-task={about['slots']}", f"--mem={int(usage.get('mem', 100))}M",
        "--output=/dev/null", "--chdir=/", "--export=ALL",
        "--requeue" if reruns else "--no-requeue",
        *([f"--array={indices}"] if indices else []),
        *([f"--licenses={licences}"] if licences else []),
        *(["--hold"] if about["held"] or about["pends"] else []),
        "--wrap", line,
    ]  # fmt: skip
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        raise Refused(f"{done.stderr.strip()}\nBad resource requirement syntax. Job not submitted.")
    job = done.stdout.strip()
    (lsf / "jobs" / f".{job}").write_text(json.dumps(about))
    (lsf / "jobs" / f".{job}").replace(lsf / "jobs" / job)
    return job
