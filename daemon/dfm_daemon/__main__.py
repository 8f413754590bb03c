"""`python -m dfm_daemon`: the daemon's process. `dfm daemon start` and `dfm run` start it."""

import argparse
import logging
import logging.handlers
import os
import sys

from dfm.errors import DfmError, RunnerError

_LOG_BYTES, _LOG_FILES = 10 * 1024 * 1024, 3


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="dfm_daemon", description="The daemon of one project.")
    made.add_argument("--root", required=True, metavar="DIR", help="the project's folder")
    made.add_argument("--state", default="", metavar="DIR", help="in place of the project's .dfm")
    made.add_argument("--runner", default=None, metavar="NAME")
    made.add_argument("--runner-opt", action="append", default=[], metavar="KEY=VALUE")
    made.add_argument("--pool-size", type=int, default=None, metavar="N")
    made.add_argument("--ready-fd", type=int, default=-1, metavar="FD", help="told when it serves")
    made.add_argument("--ephemeral", action="store_true", help="ends with its first client")
    made.add_argument("--foreground", action="store_true", help="logs to standard error, too")
    return made


def _set_up_log(path: str, *, foreground: bool) -> None:
    handlers: list[logging.Handler] = [
        logging.handlers.RotatingFileHandler(path, maxBytes=_LOG_BYTES, backupCount=_LOG_FILES)
    ]
    if foreground:
        handlers.append(logging.StreamHandler())
    form = "%(asctime)s %(levelname)s %(message)s"
    logging.basicConfig(level=logging.INFO, format=form, handlers=handlers)


def main() -> int:
    """Runs the daemon until it is stopped; returns the exit status."""
    words = _parser().parse_args()
    os.umask(0o077)

    def ready(text: str = "ready") -> None:
        if words.ready_fd >= 0:
            os.write(words.ready_fd, text.encode(errors="replace"))
            os.close(words.ready_fd)
            words.ready_fd = -1

    import uvloop

    from dfm.config.options import apply_options
    from dfm.config.selection import select_runner
    from dfm.config.state_folder import StateFolder
    from dfm.runners.registry import choose, configuration
    from dfm_daemon.shell.daemon import Daemon, Options

    state = StateFolder(words.root, words.state or None)
    try:
        state.make()
        _set_up_log(state.log, foreground=words.foreground)
        config = configuration(state.project, os.environ, with_runners=True)
        selection = select_runner(config, os.environ, words.runner)
        chosen = choose(selection)
        assert chosen.make is not None
        config = apply_options(config, selection.name, words.runner_opt)
        runner = chosen.make(config.runners[selection.name])
        reason = runner.unusable()
        if reason:
            raise RunnerError(f"the runner `{selection.name}` cannot be used here: {reason}")
        options = Options(selection.name, runner, config, words.pool_size, words.ephemeral)

        async def serve() -> None:
            await Daemon(state, options).run(ready)

        uvloop.run(serve())
    except DfmError as error:
        logging.error("%s", error)
        ready(f"failed {error}")
        if words.foreground or words.ready_fd < 0:
            print(f"dfm: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code
    except BaseException:
        logging.exception("the daemon fails: this is a fault of dfm")
        ready(f"failed: a fault of dfm; see {state.log}")
        raise
    return 0


if __name__ == "__main__":
    sys.exit(main())
