"""Section 31.6 as its users see it: deliverables of a run in a folder of their own."""

import json
import os

from tests.integration.conftest import Project

FLOW = """
  tasks:
  - name: docs
    uses: std.FileSet
    with: {type: doc, base: docs, include: ["*.md", "sub/*.md"]}
  - name: tool
    run: |
      mkdir -p a/b && echo tool > a/b/tool
      dfm-out fileset --filetype exe a/b/tool
      echo notes > notes.txt
      dfm-out publish --dest extra --filetype text notes.txt
  - {name: where, uses: std.PubSet, needs: [tool], with: {dest: bin, flatten: true}}
  - root: release
    uses: std.Publish
    needs: [docs, where]
    with: {dest: rel, strip: 1}
"""


def published(project: Project, run_id: str) -> set[str]:
    folder = project.folder / "rundir/out" / run_id
    return {
        str(file.relative_to(folder))
        for file in folder.rglob("*")
        if file.is_file() and file.name != ".dfm-publish.json"
    }


def test_files_are_copied_and_written_down(anywhere: Project) -> None:
    anywhere.flow(FLOW)
    anywhere.write("docs/a.md", "a")
    anywhere.write("docs/sub/b.md", "b")
    anywhere.ok("run", "release")
    all_of_them = {"extra/notes.txt", "rel/a.md", "rel/b.md", "rel/bin/tool", "rel/bin/notes.txt"}
    assert published(anywhere, "0001") == all_of_them
    assert published(anywhere, "latest") == all_of_them
    manifest = json.loads(anywhere.read("rundir/out/0001/.dfm-publish.json"))
    assert manifest["entries"]["rel/b.md"]["src_task"] == "p.docs"
    assert manifest["entries"]["extra/notes.txt"]["publish_task"] == "p.tool"
    items = anywhere.record("p.release")["output"]["output"]
    assert [(item["type"], item["src"]) for item in items] == [
        ("std.FileSet", "p.docs"), ("std.PubSet", "p.where"), ("std.PubSet", "p.where"),
        ("std.FileSet", "p.release"),
    ]  # fmt: skip
    assert items[-1]["basedir"] == str(anywhere.folder / "rundir/out/0001")
    assert set(items[-1]["files"]) == all_of_them - {"extra/notes.txt"}


def test_each_run_publishes_into_a_folder_of_its_own_and_always(project: Project) -> None:
    project.flow(FLOW)
    project.write("docs/a.md", "a")
    project.write("docs/sub/b.md", "b")
    project.ok("run", "release")
    again = project.ok("run", "release", "--run-id", "v1.2")
    assert again.executed() == {"p.release"}
    assert "rel/bin/tool" in published(project, "v1.2")
    assert os.readlink(project.folder / "rundir/out/latest") == "v1.2"
    project.ok("run", "release")
    assert "rel/bin/tool" in published(project, "0002")


def test_a_run_that_publishes_nothing_makes_no_folder(project: Project) -> None:
    project.flow("  tasks: [{root: t, run: 'echo $DFM_OUT_DIR $DFM_RUN_ID'}]")
    project.ok("run", "t", "--run-id", "x")
    assert not (project.folder / "rundir/out").exists()
    assert project.read("rundir/p.t/p.t.log") == f"{project.folder}/rundir/out/x x\n"


def test_an_id_that_is_no_name_is_wrong_usage(project: Project) -> None:
    project.flow("  tasks: [{root: t, run: 'true'}]")
    for word in ("latest", "a/b", "..", "-x"):
        done = project.dfm("run", "t", f"--run-id={word}")
        assert (done.status, done.err) == (
            2, f"dfm: --run-id {word}: a name of letters, digits, `.`, `_` and `-`\n",
        )  # fmt: skip


def test_two_files_at_one_place_fail_the_task(anywhere: Project) -> None:
    anywhere.flow(
        "  tasks:\n"
        "  - {name: a, uses: std.CreateFile, with: {filename: x.txt, content: a}}\n"
        "  - {name: b, uses: std.CreateFile, with: {filename: x.txt, content: b}}\n"
        "  - {root: out, uses: std.Publish, needs: [a, b]}\n"
    )
    done = anywhere.dfm("run", "out")
    assert done.status == 1
    assert "x.txt is there already, from" in done.out
    assert anywhere.read("rundir/out/0001/x.txt") == "a"
    anywhere.ok("run", "out", "-D", "out.on_conflict=warn")


def test_what_was_not_published_is_no_item(project: Project) -> None:
    project.flow("  tasks: [{root: t, run: 'dfm-out publish nowhere.txt'}]\n")
    assert project.dfm("run", "t").status == 1
    assert [item["type"] for item in project.record("p.t")["output"]["output"]] == [
        "std.TaskFailure"
    ]
