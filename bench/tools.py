"""The tools that are compared: where each is, and how it is told to do the work of `work.py`."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

from bench.measure import Command, Folders, environment

PEERS = Path(__file__).parent.parent / "build" / "bench"  # each in an environment of its own
JOBS = "2"
DFM = [sys.executable, "-m", "dfm"]


def floor(place: Path) -> list[str]:
    """The bare machine: compiled here, else xargs, which comes near."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return []
    program = place / "floor"
    source = Path(__file__).with_name("floor.c")
    subprocess.run([compiler, "-O2", "-o", str(program), str(source)], check=True)
    return [str(program)]


def environment_of(place: Path, package: str) -> Path | None:
    """The Python of an environment at `place` that has the published package; None, and a line, if
    that cannot be had."""
    python = place / "bin" / "python"
    if not python.exists():
        print(f"installing {package} into an environment of its own", file=sys.stderr)
        try:
            subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
            pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, package], check=True)
        except subprocess.CalledProcessError as error:
            print(f"{package} is left out: {error}", file=sys.stderr)
            shutil.rmtree(place, ignore_errors=True)
            return None
    return python


def upstream(place: Path) -> Path | None:
    """The published dv-flow-mgr; None if it cannot be had."""
    python = environment_of(place / "upstream", "dv-flow-mgr")
    return python.with_name("dfm") if python is not None else None


class Daemon:
    """A daemon of two warm workers for the flow of one folder."""

    def __init__(self, flow: Path) -> None:
        self._flow = flow

    def __enter__(self) -> None:
        state = self._flow / ".dfm"
        state.mkdir(mode=0o700, exist_ok=True)
        pool = f"{{min_workers: {JOBS}, max_workers: {JOBS}}}"
        (state / "config.yaml").write_text(f"runner: {{pool: {pool}}}\n")
        self._dfm("daemon", "start")
        while f"{JOBS} idle" not in self._dfm("daemon", "status"):
            time.sleep(0.05)
        self._dfm("run", "t0")

    def __exit__(self, *_: object) -> None:
        self._dfm("daemon", "stop")

    def _dfm(self, *words: str) -> str:
        done = subprocess.run(
            [*DFM, *words], cwd=self._flow, env=environment(), check=True, capture_output=True,
            text=True,
        )  # fmt: skip
        return done.stdout


def commands(
    flow: Path, count: int, folders: Folders, bare: list[str], peer: Path | None, *, chain: bool,
    jobs: str = JOBS,
) -> dict[str, Command]:  # fmt: skip
    """All tools that can do this work, by name; xargs and the floor know no order."""
    root = ["--root", str(flow)]
    ninja = str(Path(sys.executable).with_name("ninja"))
    found = {
        "dfm, local": Command(
            [*DFM, "run", "all", "-j", jobs, "--runner", "local", *root], folders.new
        ),
        "dfm, daemon": Command([*DFM, "run", "all", *root], folders.new),
        "ninja": Command([ninja, "-j", jobs, "--quiet"], lambda: folders.copy(flow)),
    }
    if not chain:
        found["xargs"] = Command(
            ["xargs", "-a", str(flow / "list"), "-P", jobs, "-n", "1", "sh", "-c", "true"],
            folders.new,
        )
        if bare:
            words = [*bare, str(count), jobs, "sh", "-c", "true"]
            found["bare machine"] = Command(words, folders.new)
    if peer is not None and not (chain and count > 150):  # a longer chain breaks it
        beside = folders.copy(flow)  # it would take our daemon for one of its own
        found["dv-flow-mgr"] = Command(
            [str(peer), "run", "all", "--root", str(beside)], folders.new
        )
    return found
