"""What docs/resources.md shows is so: its blocks run, and come to what its table says."""

import re
from pathlib import Path

from dfm.config.loading import load as load_config
from dfm.config.quantities import show_memory, show_walltime
from dfm.config.resources import find_faults, resolve
from dfm.flow.load import Options, load
from tests.integration.conftest import Project

PAGE = (Path(__file__).parents[2] / "docs/resources.md").read_text()


def write_blocks(project: Project) -> None:
    flow, config = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    project.write("flow.yaml", flow)
    project.write(".dfm/config.yaml", config)


def test_the_example_runs(project: Project) -> None:
    write_blocks(project)
    assert project.ok("run", "all").counts()["done"] == 7


def test_the_table_says_what_the_example_comes_to(project: Project) -> None:
    write_blocks(project)
    config = load_config(str(project.folder), {"XDG_CONFIG_HOME": str(project.folder)}, {})
    graph = load(Options(str(project.folder)), {}).graph(["all"], "/r")
    requests = {node.name: node.request for node in graph.nodes}
    rows = re.findall(r"\| `(chip\..*?)` \| `(.*?)` \| (.*?) \| (.*?) \| ?(.*?) ?\| (.*?) \|", PAGE)
    assert len(rows) == 4
    for task, *shown in rows:
        request = requests[task]
        needs = resolve(request, config, "slurm")
        worker = needs.worker
        assert shown == [
            worker.name, str(worker.cores), show_memory(worker.memory_mib), worker.queue,
            show_walltime(needs.walltime_s),
        ]  # fmt: skip
        assert request is None or not list(find_faults(request, config, "slurm"))


def test_a_mistake_is_said_as_the_page_has_it(project: Project) -> None:
    write_blocks(project)
    project.write("flow.yaml", project.read("flow.yaml").replace("{vcs: 1}", "{vsc: 1}"))
    done = project.dfm("run", "all")
    assert done.status == 2
    assert done.err in PAGE
