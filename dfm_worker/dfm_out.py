"""`dfm-out`: what a script calls to hand something back (section 29.4 of the language)."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

_ON_CONFLICT = ("error", "warn", "replace", "skip")
_WRONG = 2  # exit status of a call that cannot be carried out


def fileset(words: argparse.Namespace) -> None:
    item = {
        "type": "std.FileSet",
        "filetype": words.filetype,
        "basedir": words.basedir,
        "files": words.files,
        "incdirs": words.incdir,
        "defines": [],
        "attributes": [],
    }
    append("DFM_OUTPUT", json.dumps(item))


def item(words: argparse.Namespace) -> None:
    fields: dict[str, Any] = {"type": words.type}
    for field in words.fields:
        name, equals, value = field.partition("=")
        if not equals or not name.rstrip(":"):
            fail(f"`{field}` is neither NAME=TEXT nor NAME:=JSON")
        if name.endswith(":"):
            try:
                fields[name[:-1]] = json.loads(value)
            except ValueError as error:
                fail(f"`{field}`: not JSON: {error}")
        else:
            fields[name] = value
    append("DFM_OUTPUT", json.dumps(fields))


def env(words: argparse.Namespace) -> None:
    for pair in words.pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name or "\n" in name or "<<" in name:
            fail(f"`{pair}` is not NAME=VALUE")
        if "\n" in value:
            word = "END"
            while word in value.split("\n"):
                word += "_"
            append("DFM_ENV", f"{name}<<{word}\n{value}\n{word}")
        else:
            append("DFM_ENV", pair)


def path(words: argparse.Namespace) -> None:
    for folder in words.folders:
        if "\n" in folder:
            fail(f"`{folder}` cannot be on a PATH")
        append("DFM_PATH", folder)


def marker(words: argparse.Namespace) -> None:
    fields: dict[str, Any] = {"severity": words.command, "msg": words.message}
    if words.file:
        fields["loc"] = {"path": words.file, "line": words.line, "pos": words.pos}
    append("DFM_MARKERS", json.dumps(fields))


def publish(words: argparse.Namespace) -> None:
    from dfm_worker.publishing import Publisher, Source  # more than all other calls need
    from dfm_worker.python_api import FileSet, plain

    out_dir = os.environ.get("DFM_OUT_DIR")
    if not out_dir:
        fail("DFM_OUT_DIR is not set: dfm-out works inside of a task")
    task = os.environ.get("DFM_TASK_NAME", "")
    source = Source(
        words.src or task, os.path.abspath(words.basedir), words.files, words.filetype, words.dest,
        words.strip, words.flatten,
    )  # fmt: skip
    publisher = Publisher(out_dir, os.environ.get("DFM_RUN_ID", ""), task, words.on_conflict)
    try:
        done = publisher.publish([source])
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}")
    for severity, message in done.markers:
        sys.stderr.write(f"dfm-out: {message}\n")
        append("DFM_MARKERS", json.dumps({"severity": severity, "msg": message}))
    if done.files:
        files = FileSet(words.filetype, out_dir, list(dict.fromkeys(done.files)))
        append("DFM_OUTPUT", json.dumps(plain(files)))
    if done.has_failed:
        sys.exit(1)


def append(variable: str, line: str) -> None:
    """One write to the end of the file that the variable names: calls at the same time do not mix."""
    place = os.environ.get(variable)
    if not place:
        fail(f"{variable} is not set: dfm-out works inside of a task")
    try:
        fd = os.open(place, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        os.write(fd, f"{line}\n".encode(errors="surrogateescape"))
        os.close(fd)
    except OSError as error:
        fail(f"{place}: {error.strerror}")


def fail(why: str) -> NoReturn:
    sys.stderr.write(f"dfm-out: {why}\n")
    sys.exit(_WRONG)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="dfm-out", description="Hands results of a task to dfm.")
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")

    files = commands.add_parser("fileset", help="emit files as a std.FileSet")
    files.add_argument("--filetype", default="")
    files.add_argument("--basedir", default=".", help="default: the run directory")
    files.add_argument("--incdir", action="append", default=[], metavar="DIR")
    files.add_argument("files", nargs="+", metavar="FILE", help="relative to basedir")
    files.set_defaults(run=fileset)

    any_item = commands.add_parser("item", help="emit an item of any type")
    any_item.add_argument("--type", required=True)
    any_item.add_argument("fields", nargs="*", metavar="NAME=TEXT|NAME:=JSON")
    any_item.set_defaults(run=item)

    variables = commands.add_parser("env", help="set variables for the tasks that need this one")
    variables.add_argument("pairs", nargs="+", metavar="NAME=VALUE")
    variables.set_defaults(run=env)

    folders = commands.add_parser("path", help="put folders on the PATH of those tasks")
    folders.add_argument("folders", nargs="+", metavar="DIR")
    folders.set_defaults(run=path)

    out = commands.add_parser("publish", help="copy files to the output directory of the run")
    out.add_argument("--dest", default="", help="directory below that of the run")
    out.add_argument(
        "--strip", type=int, default=0, metavar="N", help="leading directories to drop"
    )
    out.add_argument("--flatten", action="store_true", help="keep the names of files only")
    out.add_argument("--basedir", default=".", help="default: the current folder")
    out.add_argument("--filetype", default="")
    out.add_argument("--on-conflict", choices=_ON_CONFLICT, default="error")
    out.add_argument("--src", default="", metavar="NAME", help="whose they are; default: the task")
    out.add_argument("files", nargs="+", metavar="FILE", help="relative to basedir")
    out.set_defaults(run=publish)

    for severity in ("error", "warning", "info"):
        message = commands.add_parser(severity, help=f"leave {severity} for the user")
        message.add_argument("message")
        message.add_argument("--file", default="")
        message.add_argument("--line", type=int, default=-1)
        message.add_argument("--pos", type=int, default=-1)
        message.set_defaults(run=marker)
    return made


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one call. Wrong use ends with status 2."""
    words = parser().parse_args(arguments)
    words.run(words)


if __name__ == "__main__":
    main()
