"""Whatever a file holds, it becomes a graph or a fault with a place: never another exception.

`make fuzz` tries it with DFM_FUZZ=N examples for each test, and other ones each time.
"""

import contextlib
import itertools
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dfm.errors import FlowError, UsageError
from dfm.flow.load import Options, load
from tests.dfm.flow.conftest import RUNDIR, Nodes
from tests.dfm.flow.fuzzed import GOALS, RARE, VALID, add_files

LONG = int(os.environ.get("DFM_FUZZ") or 0)
LIMITS = settings(
    max_examples=LONG or 60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

if LONG:
    pytestmark = pytest.mark.timeout(0)
Try = Callable[..., None]


@pytest.fixture
def attempt(tmp_path: Path) -> Try:
    """Loads a text and builds what can be built of it."""

    faults: list[FlowError] = []
    add_files(tmp_path)

    def build(options: Options, task: str) -> None:
        flow = load(options, {})
        try:
            Nodes(flow.graph([task], RUNDIR))
        except FlowError as error:
            faults.append(error)

    def load_text(text: str, name: str = "flow.yaml", **options: Any) -> None:
        faults.clear()
        file = tmp_path / name
        file.write_text(text, encoding="utf-8", errors="surrogateescape")
        chosen = Options(str(file), **options)
        try:
            tasks = list(load(chosen, {}).program.root.tasks)
        except FlowError as error:
            faults.append(error)
        except UsageError:
            return
        else:
            for task in tasks:
                with contextlib.suppress(UsageError):
                    build(chosen, task)
        for fault in itertools.chain.from_iterable(error.problems for error in faults):
            assert fault.place is not None, fault
            assert fault.place.file.startswith(str(tmp_path))
            assert fault.what

    return load_text


texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200)
scraps = st.lists(
    st.sampled_from(
        ["package:", "name: a", "tasks:", "- ", "  ", "\n", "{", "}", "[", "]", "${{ ", " }}", ": ", '"',
         "'", "|", "&a", "*a", "<<: ", "run", "needs", "uses", "body", "#", "!!int", "\t", "---", "?"]
    ),
    max_size=40,
).map("".join)  # fmt: skip


@LIMITS
@given(text=texts | scraps)
def test_any_text_is_read_or_refused(attempt: Try, text: str) -> None:
    attempt(text)
    attempt(text, "flow.toml")


@LIMITS
@given(
    valid=st.sampled_from([VALID, RARE]),
    text=texts | scraps,
    at=st.floats(0, 1),
    length=st.integers(0, 60),
)
def test_a_valid_file_with_a_part_exchanged_is_read_or_refused(
    attempt: Try, valid: str, text: str, at: float, length: int
) -> None:
    place = int(at * len(valid))
    attempt(valid[:place] + text[:30] + valid[place + length :])


words = st.sampled_from(
    ["a", "b", "x", "demo.a", "std.FileSet", "std.DataItem", "std.ResourceTag", "std.Null", "a.needs",
     "all", "none", "unused", "inherit", "int", "list", "map", "str", "${{ x }}", "${{ this.x }}",
     "${{ matrix.x }}", "${{ a }}", "t ${{ x | length }}", "${{ [1, 2] }}", "${{ {} }}", "${{ 1 +",
     "${{ env.HOME }}", "${{ 'b' }}", "${{ inputs }}", "${{ memento.x }}", "${{ in.n }}", "state.n", "_iter",
     "${{ x | stems }}", "${{ resolve('x') }}", "${{ v | map(input.k) }}", "if", "while", "repeat", "match",
     "demo.n", "std.check.Needs", "Mine", "m:check", "m.generate", "model", "model.x86.rel", "x86", "root", "m:f", "bash", "lib", "f.yaml", "l.t", "demo", ".", "pytask", "1:00", "", "\0", "a/b", "ä\n"]
)  # fmt: skip
keys = st.sampled_from(
    ["name", "root", "export", "uses", "needs", "feeds", "with", "iff", "run", "shell", "pytask", "body",
     "tasks", "strategy", "matrix", "consumes", "passthrough", "produces", "rundir", "uptodate", "tags",
     "cache", "examples", "abstract", "max_failures", "on_error", "scope", "desc", "doc", "type", "value",
     "append", "prepend", "values", "of", "open", "types", "configs", "extensions", "task", "cores",
     "walltime", "x", "a", "b", "set", "select", "imports", "fragments", "overrides", "override",
     "package-map", "package", "from", "as", "config", "name", "axes", "key", "default", "generate",
     "chain", "control", "cond", "else", "cases", "when", "until", "max_iter", "count", "state", "init",
     "feedback", "requires", "let", "elaborate", "summary", "path", "filters", "expr", "cli", "check"]
)  # fmt: skip
scalars = st.none() | st.booleans() | st.integers(-3, 70) | st.floats() | words
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=20,
)

# Flows that are mostly right, so that graphs are built of them.

expressions = st.sampled_from(
    ["${{ s }}", "${{ v }}", "${{ x:-0 }}", "${{ this.x:-1 }}", "${{ matrix.x:-2 }}", "${{ rundir }}",
     "${{ v | length }}", "n ${{ s }}", "${{ x }}", "${{ this.y }}", "${{ v[0] }}", "${{ s == 'a' }}"]
)  # fmt: skip
plain = st.sampled_from([0, 1, 2.5, True, "a", "b", "7", ["a"], [1, "b"]]) | expressions
parameters = st.fixed_dictionaries(
    {"x": st.fixed_dictionaries({"type": st.sampled_from(["str", "list"]), "value": plain})},
    optional={"y": st.fixed_dictionaries({"type": st.just("list"), "append": plain})},
)
names = st.sampled_from(["a", "b", "c"])
bases = names | st.sampled_from(["T", "std.FileSet", "std.Env", "${{ s }}", "${{ x:-b }}"])
references = st.lists(
    names | st.sampled_from(["a.needs", "b.needs", "${{ s }}", "${{ v }}", "std.Null", "d"]),
    max_size=3,
)


def task(name: str, bodies: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"name": st.just(name)},
        optional={
            "uses": bases,
            "needs": references,
            "feeds": st.lists(names, max_size=1),
            "with": parameters,
            "iff": st.booleans() | expressions,
            "run": expressions,
            "consumes": st.sampled_from(["all", "none", ["std.FileSet"]]),
            "tags": st.just([{"std.ResourceTag": {"cores": 2}}]),
            "body": bodies,
            "strategy": st.fixed_dictionaries(
                {
                    "matrix": st.dictionaries(
                        st.sampled_from(["x", "y"]),
                        st.lists(plain, max_size=2) | st.just("${{ v }}"),
                        max_size=2,
                    )
                }
            ),
            "max_failures": st.integers(-1, 3),
            "rundir": st.sampled_from(["unique", "inherit"]),
        },
    )


def tasks(bodies: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    choices = [st.tuples(*(task(name, bodies) for name in some)) for some in ("", "a", "db", "abc")]
    return st.sampled_from(choices).flatmap(lambda choice: choice.map(list))


bodies = tasks(tasks(st.just([])))
packages = st.fixed_dictionaries(
    {
        "name": st.just("demo"),
        "with": st.just(
            {"s": {"type": "str", "value": "a"}, "v": {"type": "list", "value": ["b", "c"]}}
        ),
        "types": st.just([{"name": "T", "uses": "std.DataItem", "with": {"x": {"type": "int"}}}]),
        "tasks": st.tuples(*(task(name, bodies) for name in "abcd")).map(list),
    }
)


def written(package: object) -> str:
    return json.dumps({"package": package}, ensure_ascii=False)


@LIMITS
@given(value=values | st.dictionaries(keys, values))
def test_any_mapping_is_read_or_refused(attempt: Try, value: object) -> None:
    attempt(written(value))


@LIMITS
@given(package=packages)
def test_a_flow_of_the_right_shape_becomes_graphs_or_is_refused(
    attempt: Try, package: object
) -> None:
    attempt(written(package))


@st.composite
def mutations(draw: st.DrawFn) -> object:
    """The valid flow with a few of its values exchanged, removed or repeated."""
    data = yaml.safe_load(draw(st.sampled_from([VALID, RARE])))
    for _ in range(draw(st.integers(1, 3))):
        around: Any = data
        place: Any = "package"
        while isinstance(around[place], dict | list) and around[place] and draw(st.integers(0, 5)):
            around = around[place]
            choices = list(around) if isinstance(around, dict) else list(range(len(around)))
            place = draw(st.sampled_from(choices))
        if isinstance(around, list) and draw(st.booleans()):
            around.append(around[place])
        else:
            around[place] = draw(values)
    return data


@LIMITS
@given(data=mutations())
def test_a_valid_flow_with_values_exchanged_is_read_or_refused(attempt: Try, data: object) -> None:
    attempt(json.dumps(data, ensure_ascii=False))


@LIMITS
@given(
    definitions=st.lists(
        st.tuples(
            st.sampled_from(["opt", "seeds", "demo.opt", "build.flags", "comp.x", "n", "y", ""]),
            texts,
        ).map("=".join)
        | texts,
        max_size=3,
    ),
    parameter_files=st.lists(
        st.builds(lambda data: json.dumps({"package": data, "tasks": {"build": data}}), values)
        | texts.map(lambda text: "{" + text),
        max_size=2,
    ),
    configuration=st.sampled_from(["", "default", "nope"]),
)
def test_any_command_line_is_taken_or_refused(attempt: Try, **options: Any) -> None:
    attempt(VALID, **options)


@pytest.mark.parametrize(("text", "goals", "count"), [(VALID, GOALS, 14), (RARE, ["all"], 78)])
def test_the_valid_flows_are_valid(tmp_path: Path, text: str, goals: list[str], count: int) -> None:
    (tmp_path / "flow.yaml").write_text(text)
    add_files(tmp_path)
    flow = load(Options(str(tmp_path)), {})
    nodes = Nodes(flow.graph(goals, RUNDIR))
    assert len(nodes.names) == count
    assert flow.warnings() == []
