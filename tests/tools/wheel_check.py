"""`make wheel-check`: the wheel by itself, in an environment of its own, away from this checkout.

An editable install finds names that are not in the wheel; this does not.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
FLOW = """package:
  name: p
  tasks:
  - {name: src, uses: std.CreateFile, with: {filename: a.txt, content: x}}
  - {root: t, needs: [src], shell: pytask, run: "ctxt.create('seen', input.inputs[0].files[0])"}
  - {root: s, needs: [t], run: "dfm-out item --type std.DataItem"}
"""


def main() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def run(*words: str, cwd: Path) -> str:
        done = subprocess.run(
            words, cwd=cwd, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.exit(f"{' '.join(words)}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, str(ROOT),
            cwd=place)  # fmt: skip
        (wheel,) = place.glob("dfm-*.whl")
        run(sys.executable, "-m", "venv", "clean", cwd=place)
        programs = place / "clean" / "bin"
        run(str(programs / "pip"), "install", "--quiet", str(wheel), cwd=place)
        project = place / "project"
        project.mkdir()
        (project / "flow.yaml").write_text(FLOW)
        dfm = str(programs / "dfm")
        run(dfm, "--help", cwd=project)
        run(dfm, "worker", "--help", cwd=project)
        run(str(programs / "dfm-worker"), "--help", cwd=project)
        run(dfm, "run", "s", cwd=project)
        assert "ExecStart=" in run(dfm, "daemon", "service", "show", cwd=project)
        run(dfm, "util", "schema", "config", cwd=project)
        run(dfm, "doctor", "--probe", cwd=project)
        run(str(programs / "pip"), "install", "--quiet", "--no-deps", str(ROOT / "examples/ssh_runner"),
            cwd=place)  # fmt: skip
        assert "ssh (dfm-ssh-runner 1.0)" in run(dfm, "runners", cwd=project)
        run(dfm, "daemon", "start", cwd=project)
        said = run(dfm, "run", "s", "-f", cwd=project)
        run(dfm, "daemon", "stop", cwd=project)
        assert "tasks go to the daemon" in said, said
    print(f"{wheel.name} works by itself")


if __name__ == "__main__":
    main()
