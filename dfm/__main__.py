"""The command `dfm`."""

import sys


def main() -> None:
    """Runs the command line and ends this process with its status."""
    if sys.argv[1:2] == ["worker"]:  # a worker imports none of what follows
        from dfm_worker.__main__ import main as worker

        sys.exit(worker(sys.argv[2:]))
    from dfm.cli.app import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
