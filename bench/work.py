"""The work that all tools are given: trivial tasks, independent or one after the other."""

from pathlib import Path

PROGRAM = "true"  # one plain command: dfm starts it without a shell, the others with one
SHELL = "true; true"  # for which dfm starts bash


def write(folder: Path, count: int, command: str = PROGRAM, *, chain: bool = False) -> None:
    """The same tasks for every tool: flow.yaml (dfm and dv-flow-mgr), build.ninja, and a list."""
    folder.mkdir(parents=True)
    before = {i: [f"t{i - 1}"] if chain and i else [] for i in range(count)}
    last = [f"t{count - 1}"] if chain else [f"t{i}" for i in range(count)]
    tasks = [
        f"  - {{name: t{i}, run: '{command}', needs: [{', '.join(needs)}]}}"
        for i, needs in before.items()
    ]
    (folder / "flow.yaml").write_text(
        "package:\n  name: bench\n  tasks:\n"
        + "\n".join(tasks)
        + f"\n  - {{root: all, needs: [{', '.join(last)}]}}\n"
    )
    rules = [f"build t{i}: r {' '.join(needs)}" for i, needs in before.items()]
    (folder / "build.ninja").write_text(
        "rule r\n  command = : > $out\n" + "\n".join(rules) + "\n"  # no program but the shell
    )
    (folder / "list").write_text("".join(f"{i}\n" for i in range(count)))
