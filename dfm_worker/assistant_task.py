"""The task `std.Agent`: has an assistant program do something, and takes the result that it writes.

How the three programs that are known by name are called was observed, not documented to us; any other
program gets the prompt as its only argument.
"""

import contextlib
import json
import os
import shutil
from collections.abc import Mapping
from typing import Any

from dfm_worker.python_api import TaskDataResult
from dfm_worker.python_context import TaskRunCtxt

KNOWN = ("claude", "copilot", "codex")  # looked for in this order
_MOST_BYTES = 128 * 1024  # of one argument: MAX_ARG_STRLEN of execve(2)
_SETTINGS = {"claude": {"permission_mode"}, "codex": {"sandbox_mode", "approval_mode"}}
_PROMPT = """\
You do one task of a build: {name}.

What the tasks before it have made is a JSON array of objects in the file {inputs}.

When you are done, write one JSON object to the file {result}:
- "status": a number, 0 if you have succeeded
- "changed": whether anything is new (true or false)
- "output": a list of objects for the tasks that come after; each has a "type". Files are
  {{"type": "std.FileSet", "filetype": "...", "basedir": ".", "files": ["..."]}}
- "markers": a list of messages, {{"msg": "...", "severity": "info", "warning" or "error"}}
"""


class Unusable(Exception):
    """The task cannot do what its parameters ask for, or the result is none; says why."""


async def run_assistant(ctxt: TaskRunCtxt, task: Any) -> TaskDataResult:
    """Calls the program until it has written a result, at most once more than `max_retries` says."""
    params = task.params
    result = os.path.join(ctxt.rundir, params.result_file)
    try:
        words = command(
            params, prompt_for(task), _program(ctxt, task), ctxt.root_rundir, ctxt.rundir
        )
        if params.max_retries < 0:
            raise Unusable("`max_retries` must be 0 or more")
    except Unusable as error:
        ctxt.error(str(error))
        return TaskDataResult(status=1)
    os.makedirs(os.path.dirname(result), exist_ok=True)
    why = ""
    for number in range(params.max_retries + 1):
        with contextlib.suppress(FileNotFoundError):
            os.remove(result)
        count = len(ctxt.markers)
        status = await ctxt.exec(words, logfile=f"assistant_{number + 1}.log")
        del ctxt.markers[count:]  # what counts is said once, at the end
        try:
            if status:
                raise Unusable(f"{words[0]} has ended with status {status}")
            return read_result(result)
        except Unusable as error:
            why = str(error)
    ctxt.error(f"no result after {params.max_retries + 1} attempts: {why}, see assistant_*.log")
    return TaskDataResult(status=1)


def prompt_for(task: Any) -> str:
    """The system prompt, or ours, and the user's."""
    params = task.params
    own = _PROMPT.format(name=task.name, inputs="dfm.inputs.json", result=params.result_file)
    text = "\n\n".join(filter(None, (params.system_prompt or own, params.user_prompt)))
    if len(text.encode(errors="replace")) >= _MOST_BYTES:
        raise Unusable("the prompt is too long; dfm.inputs.json has the inputs")
    return text


def _program(ctxt: TaskRunCtxt, task: Any) -> str:
    """Its path. Raises Unusable."""
    path = ctxt.env.get("PATH")
    wanted: str = task.params.assistant
    if not wanted:
        places = (shutil.which(name, path=path) for name in KNOWN)
        found = next(filter(None, places), None)
        if found is None:
            raise Unusable(f"no assistant: none of {', '.join(KNOWN)} is on the PATH")
        return found
    found = shutil.which(os.path.join(task.srcdir, wanted) if "/" in wanted else wanted, path=path)
    if found is None:
        raise Unusable(f"no assistant: there is no program `{wanted}`")
    return found


def command(params: Any, prompt: str, program: str, root: str, rundir: str) -> list[str]:
    """The words of the call. Raises Unusable."""
    kind = os.path.basename(program)
    config: Mapping[str, Any] = params.assistant_config
    unknown = sorted(config.keys() - _SETTINGS.get(kind, set()))
    if unknown:
        raise Unusable(f"`assistant_config` of {kind}: `{unknown[0]}` is not known")
    model = params.model
    match kind:
        case "claude":
            mode = config.get("permission_mode", "acceptEdits")
            more = ["--model", model] if model else []
            return [program, "-p", prompt, "--permission-mode", mode, *more, "--add-dir", root]
        case "copilot":
            more = ["--model", model] if model else []
            return [program, "-p", prompt, "--allow-all-tools", *more, "--add-dir", root]
        case "codex":
            more = ["-m", model] if model else []
            return [program, "exec", *_codex_mode(params, config), "-C", rundir, *more, prompt]
    if model:
        raise Unusable(f"`model` is for {', '.join(KNOWN)}: {kind} is not told of it")
    return [program, prompt]


def _codex_mode(params: Any, config: Mapping[str, Any]) -> list[str]:
    sandbox = config.get("sandbox_mode", params.sandbox_mode)
    approval = config.get("approval_mode", params.approval_mode)
    if sandbox == "off":
        return ["--dangerously-bypass-approvals-and-sandbox"]
    if (sandbox, approval) == ("read-only", "full-auto"):
        return ["--full-auto", "-s", "read-only"]
    raise Unusable(f"`sandbox_mode` {sandbox} with `approval_mode` {approval} is not supported")


def read_result(path: str) -> TaskDataResult:
    """Raises Unusable."""
    try:
        with open(path, encoding="utf-8") as file:
            result = json.load(file)
    except FileNotFoundError:
        raise Unusable(f"it has not written {os.path.basename(path)}") from None
    except (OSError, ValueError) as error:
        raise Unusable(f"{os.path.basename(path)} cannot be read: {error}") from None
    if not isinstance(result, dict):
        raise Unusable(f"{os.path.basename(path)} is no JSON object")
    output, markers = result.get("output", []), result.get("markers", [])
    status = result.get("status")
    if not isinstance(status, int) or isinstance(status, bool):
        raise Unusable("`status` of the result must be a number")
    for name, values in (("output", output), ("markers", markers)):
        if not isinstance(values, list) or not all(isinstance(one, dict) for one in values):
            raise Unusable(f"`{name}` of the result must be a list of objects")
    return TaskDataResult(status, result.get("changed", True) is not False, output, None, markers)
