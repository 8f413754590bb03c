"""A cache of finished tasks, that survives run directories (section 34)."""

import json
import shutil
from pathlib import Path

from tests.integration.conftest import Done, Project

FLOW = """
  with: {opt: {type: str, value: O1}, tag: {type: str, value: x}}
  tasks:
  - {name: rtl, uses: std.FileSet, with: {type: verilog, include: "*.v"}}
  - root: build
    needs: [rtl]
    cache: {hash: ["${{ tag }}"], compression: COMPRESSION}
    with: {opt: {type: str, value: "${{ opt }}"}}
    run: |
      echo run >> ../../runs
      mkdir -p obj && echo image > obj/img && ln -s obj/img link
      dfm-out fileset --filetype img obj/img
  - {root: use, needs: [build], run: 'cat "$DFM_INPUTS"'}
"""


def prepare(project: Project, compression: str = "no") -> None:
    project.flow(FLOW.replace("COMPRESSION", compression))
    project.write("a.v", "module a; endmodule\n")


def fresh(project: Project, *words: str) -> Done:
    """A run without a run directory."""
    shutil.rmtree(project.folder / "rundir", ignore_errors=True)
    return project.ok("run", *words, DV_FLOW_CACHE=str(project.folder / "cache"))


def runs(project: Project) -> int:
    return len(project.read("runs").splitlines())


def test_a_result_is_restored_with_its_files_and_paths(anywhere: Project) -> None:
    prepare(anywhere)
    fresh(anywhere, "use")
    done = fresh(anywhere, "use", "-v")
    assert "-- Task p.build (cache)" in done.out
    assert done.counts()["cache"] == 1
    assert runs(anywhere) == 1
    assert anywhere.read("rundir/p.build/link") == "image\n"
    (item,) = anywhere.record("p.use")["input"]["inputs"]
    assert item["basedir"] == str(anywhere.folder / "rundir/p.build")
    again = anywhere.ok("run", "use", DV_FLOW_CACHE=str(anywhere.folder / "cache"))
    assert again.counts()["up-to-date"] == 3


def test_the_key_has_sources_parameters_values_and_script(project: Project) -> None:
    prepare(project)
    fresh(project, "build")
    fresh(project, "build", "-D", "opt=O2")
    assert runs(project) == 2
    fresh(project, "build", "-D", "tag=y")
    assert runs(project) == 3
    project.write("a.v", "module b; endmodule\n")
    fresh(project, "build")
    assert runs(project) == 4
    project.flow(FLOW.replace("COMPRESSION", "no").replace("echo image", "echo other"))
    fresh(project, "build")
    assert runs(project) == 5
    fresh(project, "build", "-D", "opt=O1")
    assert runs(project) == 5


def test_archives(project: Project) -> None:
    for number, compression in enumerate(("gzip", "bzip2", "yes"), 1):
        shutil.rmtree(project.folder / "cache", ignore_errors=True)
        prepare(project, compression)
        fresh(project, "build")
        assert fresh(project, "build").counts()["cache"] == 1
        assert runs(project) == number
        assert project.read("rundir/p.build/obj/img") == "image\n"


def test_force_and_tasks_that_always_run_take_no_part(project: Project) -> None:
    prepare(project)
    fresh(project, "build")
    fresh(project, "build", "-f")
    assert runs(project) == 2
    project.flow(
        FLOW.replace("COMPRESSION", "no").replace("root: build", "root: build\n    uptodate: false")
    )
    fresh(project, "build")
    assert runs(project) == 3


def test_files_outside_of_the_run_directory_and_failures_are_not_kept(project: Project) -> None:
    project.flow(
        "  tasks:\n  - {root: out, cache: true, run: 'dfm-out fileset --basedir /etc hosts'}\n"
        "  - {root: bad, cache: true, run: 'exit 3'}\n"
    )
    for name in ("out", "bad"):
        project.dfm("run", name, DV_FLOW_CACHE=str(project.folder / "cache"))
    assert not [path for path in (project.folder / "cache").rglob("*") if path.is_file()]


def test_the_layout_of_an_entry(project: Project) -> None:
    prepare(project)
    fresh(project, "build")
    (entry,) = (project.folder / "cache/p.build").iterdir()
    names = sorted(path.name for path in entry.iterdir())
    assert names == [".lock", "artifacts", "metadata.json", "output.json"]
    assert str(project.folder) not in (entry / "output.json").read_text()


def test_a_file_lists_several_caches(project: Project) -> None:
    prepare(project)
    fresh(project, "build")
    (project.folder / "cache").rename(project.folder / "old")
    caches = [{"type": "directory", "path": "old", "writable": False}, {"path": "new"}]
    project.write("caches.json", json.dumps({"caches": caches}))
    project.write("caches.yaml", f"caches: {json.dumps(caches)}\n")
    for name in ("caches.json", "caches.yaml"):
        shutil.rmtree(project.folder / "rundir")
        project.ok("run", "build", DV_FLOW_CACHE=name)
    assert runs(project) == 1
    project.ok("run", "build", "-D", "opt=O3", DV_FLOW_CACHE="caches.json")
    assert len(list((project.folder / "new/p.build").iterdir())) == 1
    project.write("caches.json", "{}")
    assert project.dfm("run", "build", DV_FLOW_CACHE="caches.json").status == 2


def test_a_directory_is_prepared(project: Project) -> None:
    project.ok("cache", "init", "mine", "--shared")
    folder = Path(project.folder / "mine")
    assert folder.stat().st_mode & 0o7777 == 0o2775
    assert "shared: true" in (folder / ".cache_config.yaml").read_text()
    assert project.dfm("cache").status == 1
