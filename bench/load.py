"""`make bench-load`: what it costs to load a flow and to build its graph, for each task.

    python -m bench.load [--runs N] [--into FILE]

The same tasks are listed one by one, and made by a matrix. Each round is a process of its own, that
does what `dfm run` does until the graph stands; its imports are not counted. The cheapest round of
each size is taken: whatever else the machine does makes it dearer only.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from bench.measure import environment, scratch
from bench.report import Report, parser, progress, seconds

SIZES = (10, 1_000, 10_000, 100_000)
SHAPES = ("listed", "matrix")
_HEAD = """\
package:
  name: site
  tasks:
  - {name: image, run: make image}
  - name: Sim
    needs: [image]
    with: {test: {type: str}, seed: {type: int}}
    run: sim --test ${{ test }} --seed ${{ seed }} > out.log
"""
_MATRIX = """\
  - name: all
    strategy: {{matrix: {{test: [{tests}], seed: [{seeds}]}}}}
    body:
    - {{name: sim, uses: Sim, with: {{test: "${{{{ matrix.test }}}}", seed: "${{{{ matrix.seed }}}}"}}}}
"""


class Cost(NamedTuple):
    """Of one flow. CPU seconds: of all, and of libyaml making its nodes alone; and memory."""

    cpu_s: float
    yaml_s: float
    bytes: int


def flow(shape: str, count: int) -> str:
    """A flow of so many simulations and a few tasks around them."""
    if shape == "matrix":
        seeds = min(count, 100)
        tests = (f"t{n}" for n in range(count // seeds))
        return _HEAD + _MATRIX.format(
            tests=", ".join(tests), seeds=", ".join(map(str, range(seeds)))
        )
    lines = [
        f"  - name: sim_{n}\n    uses: Sim\n    with: {{test: t{n // 100}, seed: {n % 100}}}\n"
        for n in range(count)
    ]
    names = ", ".join(f"sim_{n}" for n in range(count))
    return f"{_HEAD}{''.join(lines)}  - {{name: all, needs: [{names}]}}\n"


def measure(file: Path) -> Cost:
    """One round, in a process that has loaded nothing yet."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.loaded", str(file)],
        env=environment(), check=True, stdout=subprocess.PIPE,
    )  # fmt: skip
    return Cost(*json.loads(done.stdout))


def best(costs: list[Cost]) -> Cost:
    return Cost(*map(min, zip(*costs, strict=True)))


def main() -> None:
    words = parser(__doc__, 5).parse_args()
    report = Report()
    found: dict[tuple[str, int], Cost] = {}
    with scratch() as top:
        file = top / "flow.yaml"
        for shape in SHAPES:
            for count in SIZES:
                progress(f"{count} tasks, {shape}")
                file.write_text(flow(shape, count))
                found[shape, count] = best([measure(file) for _ in range(words.runs)])
    report.table(
        ["load a flow and build its graph", "CPU", "libyaml's part", "CPU a task, us", "bytes a task"],
        [[f"{count:,} tasks, {shape}", seconds(cost.cpu_s), seconds(cost.yaml_s),
          f"{cost.cpu_s / count * 1e6:.0f}", f"{cost.bytes / count:,.0f}"]
         for (shape, count), cost in found.items()],
    )  # fmt: skip
    for shape in SHAPES:
        for what, field in (("CPU", 0), ("memory", 2)):
            each = [found[shape, count][field] / count for count in SIZES if count >= 1000]
            report.targets.append(
                (f"{what} a task from 1,000 up, {shape}: dearest over cheapest size",
                 f"{max(each) / min(each):.2f}", "2")
            )  # fmt: skip
    report.targets.append(
        ("CPU of 10,000 listed tasks", seconds(found["listed", 10_000].cpu_s), "2.5 s")
    )
    how = f"the cheapest of {words.runs} rounds of each size."
    report.publish("make bench-load", how, words.into)


if __name__ == "__main__":
    main()
