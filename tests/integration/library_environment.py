"""An environment with published task libraries, in build/: they and what they pull in, after dfm itself.

pip so writes `bin/dfm` a second time, for the package that the libraries were written against.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WANTED = ("dv-flow-libhdlsim", "dv-flow-libcocotb", "cocotb<2.1")  # 2.1 wants more than they set
_TIMEOUT_S = 300


def programs() -> Path:
    """The `bin` of the environment, made once. Skips the test when PyPI cannot be reached, unless
    DFM_REQUIRE_LIBRARIES=1."""
    text = "\n".join([sys.version, str(ROOT), *WANTED, (ROOT / "pyproject.toml").read_text()])
    folder = (
        ROOT / "build" / f"libraries-{hashlib.blake2b(text.encode(), digest_size=6).hexdigest()}"
    )
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests may run side by side
        if not (folder / "installed").exists():
            _install(folder)
    return folder / "bin"


def _install(folder: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(folder / "bin/pip"), "install", "--quiet", "--disable-pip-version-check"]
    for words in (["--editable", str(ROOT)], WANTED):
        done = subprocess.run(
            [*pip, *words], capture_output=True, text=True, check=False, timeout=_TIMEOUT_S,
            env={**os.environ, "PIP_RETRIES": "1"},
        )  # fmt: skip
        if done.returncode:
            why = f"published libraries left out: pip cannot install {words[-1]}"
            if os.environ.get("DFM_REQUIRE_LIBRARIES") == "1":
                raise AssertionError(f"{why}\n{done.stderr}")
            pytest.skip(f"{why} (DFM_REQUIRE_LIBRARIES=1 makes it a failure)")
    (folder / "installed").touch()
