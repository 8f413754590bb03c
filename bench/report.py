"""Tables in Markdown, and where they go: a page of the docs has a place for those of each command."""

import argparse
import os
import platform
import re
import sys
from collections.abc import Sequence
from pathlib import Path

END = "<!-- end of the figures -->"


def seconds(value: float) -> str:
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"


def about() -> str:
    """The machine and what runs on it."""
    return f"{os.cpu_count()} CPUs, Linux {platform.release()}, Python {platform.python_version()}"


def progress(text: str) -> None:
    """A line that the next one replaces."""
    print(f"  {text:<76}", end="\r" if sys.stderr.isatty() else "\n", file=sys.stderr, flush=True)


class Report:
    """Lines of Markdown, and the figures that the targets are about."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.targets: list[tuple[str, str, str]] = []  # figure, measured, target

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        self.lines += ["", f"| {' | '.join(head)} |", f"| --- |{' ---: |' * (len(head) - 1)}"]
        self.lines += [f"| {' | '.join(row)} |" for row in rows]

    def note(self, text: str) -> None:
        self.lines += ["", text]

    def text(self) -> str:
        return "\n".join(self.lines) + "\n"

    def publish(self, command: str, how: str, into: Path | None) -> None:
        """Prints all of it; in the file `into` it replaces what is between the command's marks."""
        if self.targets:
            self.table(["figure", "measured", "target"], self.targets)
        text = f"{about()}; {how}\n{self.text()}"
        print(text)
        if into is not None:
            begin = f"<!-- figures: made by `{command}` -->"
            old = into.read_text()
            if begin not in old:
                sys.exit(f"{into} has no line {begin}")
            pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(END)}", re.DOTALL)
            into.write_text(pattern.sub(lambda _: f"{begin}\n{text}\n{END}", old))


def parser(description: str | None, runs: int) -> argparse.ArgumentParser:
    """The options that every command here has."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--runs", type=int, default=runs, help="rounds, of which the median is taken")
    made.add_argument("--into", type=Path, help="put the tables between their marks in this file")
    return made
