"""Section 30.1: tasks that are classes, started and forked alike; and what the import hook serves."""

import json

import pytest

from dfm_worker.warm_python import WarmPython
from tests.dfm_worker.host import Host

CLASSES = """
import dataclasses
from dv_flow.mgr import PyTask, TaskDataItem, TaskDataResult, pytask

@dataclasses.dataclass
class Says(PyTask):
    desc: str = "says something"

    @dataclasses.dataclass
    class Params:
        title: str = "untitled"
        count: int = 1

    async def __call__(self):
        print(self.params.title, self.params.count, self._input.name, self._ctxt.cores)
        return TaskDataResult(output=[TaskDataItem("p.Note", text=self.params.title)])

class Plain(PyTask):
    def __call__(self):
        print(self.params.title, self.params.other)

class Script(PyTask):
    async def __call__(self):
        return f'pwd > where; echo {self.params.title}; exit 3'

@pytask
class Marked(PyTask):
    Params = type("Params", (), {"title": "x"})
    async def __call__(self):
        print(self.params.title)

@pytask("p.name", desc="of a package")
async def function(ctxt, input):
    print("function", input.params.title)

class Empty(PyTask):
    pass
"""


@pytest.fixture(autouse=True, params=["started", "forked"])
def _way(request: pytest.FixtureRequest, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "started":
        monkeypatch.setattr(WarmPython, "fork", lambda *_: 0)
    else:
        host.warm_up()


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("classes.Says", "a title 1 demo.t 5"),
        ("classes.py::Says", "a title 1 demo.t 5"),
        ("classes.Plain", "a title 7"),
        ("classes.Marked", "a title"),
        ("classes.function", "function a title"),
    ],
)
def test_a_class_is_made_and_called(host: Host, script: str, said: str) -> None:
    (host.folder / "classes.py").write_text(CLASSES)
    spec = host.spec(script, language="python", params=b'{"title": "a title", "other": 7}', cores=5)
    result = host.run(spec)
    assert (result.status, result.failure, host.log()) == (0, "", f"{said}\n")


def test_what_it_returns_is_the_result(host: Host) -> None:
    (host.folder / "classes.py").write_text(CLASSES)
    result = host.run(host.spec("classes.Says", language="python"))
    assert json.loads(result.output) == {
        "type": "p.Note", "src": None, "seq": -1, "text": "untitled",
    }  # fmt: skip


def test_a_text_that_it_returns_is_run_by_bash(host: Host) -> None:
    (host.folder / "classes.py").write_text(CLASSES)
    result = host.run(host.spec("classes.Script", language="python", params=b'{"title": "it"}'))
    assert result.status == 3
    assert (host.folder / "demo.t/where").read_text() == f"{host.folder}/demo.t\n"
    assert (host.folder / "demo.t/demo.t_script.log").read_text() == "it\n"
    assert [command.status for command in result.commands] == [3]


def test_a_class_without_a_call_says_so(host: Host) -> None:
    (host.folder / "classes.py").write_text(CLASSES)
    result = host.run(host.spec("classes.Empty", language="python"))
    assert result.failure == "NotImplementedError: Empty has no __call__"


def test_other_modules_of_that_package_are_not_found_even_if_it_is_installed(host: Host) -> None:
    folder = host.folder / "site/dv_flow/mgr"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("raise ImportError('of the other package')\n")
    (folder / "inside.py").write_text("")
    host.environment = {**host.environment, "PYTHONPATH": f"{host.folder}/site"}
    script = "import dv_flow.mgr\nprint(dv_flow.mgr.__version__)\nimport dv_flow.mgr.inside\n"
    result = host.run(host.spec(script, language="python"))
    assert result.failure == "ModuleNotFoundError: No module named 'dv_flow.mgr.inside'"


def test_a_fault_shows_no_frames_but_the_user_s(host: Host) -> None:
    (host.folder / "own.py").write_text("import inner\n")
    (host.folder / "inner.py").write_text("x = 1\nraise ValueError('here')\n")
    result = host.run(host.spec("own.task", language="python"))
    assert result.failure == "ValueError: here"
    lines = host.log().splitlines()
    assert lines[1] == f'  File "{host.folder}/own.py", line 1, in <module>'
    assert "dfm_worker" not in host.log()


@pytest.mark.parametrize(
    ("line", "failure"),
    [
        ("await ctxt.exec(5)", "TypeError: 'int' object is not iterable"),
        ("ctxt.mkDataItem('none')", "ValueError: no data type `none`; known are "),
        ("await ctxt.exec_parallel([7])", "AttributeError: 'int' object has no attribute 'cmd'"),
    ],
)
def test_a_fault_that_we_find_ends_in_the_user_s_line(host: Host, line: str, failure: str) -> None:
    script = f"try:\n    1 / 0\nexcept ZeroDivisionError:\n    {line}\n"
    result = host.run(host.spec(script, language="python"))
    assert result.failure == failure
    assert "dfm_worker" not in host.log()
    assert "asyncio" not in host.log()
    assert host.log().count("<run of demo.t>") == 2, "of the error before it as well"


def test_items_are_of_their_classes(host: Host) -> None:
    inputs = json.dumps([
        {"type": "std.FileSet", "src": "p.a", "seq": 0, "basedir": "/b", "files": ["x"]},
        {"type": "std.TaskFailure", "src": "p.b", "seq": 0, "task_name": "p.b", "status": 2},
        {"type": "p.Note", "src": "p.c", "seq": 0, "text": "t"},
    ]).encode()  # fmt: skip
    script = "for i in input.inputs:\n    print(type(i).__name__, i.type, i.src)\n"
    host.result(host.start(host.spec(script, language="python"), inputs))
    assert host.log().splitlines() == [
        "FileSet std.FileSet p.a", "TaskFailure std.TaskFailure p.b", "TaskDataItem p.Note p.c",
    ]  # fmt: skip
