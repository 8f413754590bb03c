"""Requests for workers, as the daemon makes them."""

from collections.abc import Sequence
from typing import Any

from dfm.runners.base import THIS_WORKER, WorkerRequest
from dfm.runners.command import Output


def request(worker: str = "w1", **more: Any) -> WorkerRequest:
    command = [*THIS_WORKER, "--connect", "h:1", "--worker", worker]
    values = {"command": command, "log_folder": "/p/.dfm/workers", "cores": 1, "daemon": "3f9a"}
    return WorkerRequest(worker, **{**values, **more})


def requests(number: int, **more: Any) -> list[WorkerRequest]:
    return [request(f"w{n}", **more) for n in range(1, number + 1)]


def answer(
    out: str = "", err: str = "", status: int = 0, command: Sequence[str] = ("x",)
) -> Output:
    return Output(tuple(command), status, out, err)


def value(words: Sequence[str], option: str) -> str:
    """What follows an option, or its `=`; "" without it."""
    for number, word in enumerate(words):
        if word == option:
            return words[number + 1]
        if word.startswith(f"{option}="):
            return word.partition("=")[2]
    return ""
