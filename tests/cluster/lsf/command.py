"""Calls one of the commands; what it refuses goes to stderr, status 255."""

import importlib
import sys

from tests.cluster.lsf.site import Refused


def call(name: str, words: list[str]) -> int:
    try:
        status: int = importlib.import_module(f"tests.cluster.lsf.{name}").main(words)
    except Refused as error:
        print(error, file=sys.stderr)
        return 255
    return status
