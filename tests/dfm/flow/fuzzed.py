"""Valid flows that use every feature of the language, for `test_fuzz` to break; and what they refer to."""

from pathlib import Path

VALID = """\
package:
  name: demo
  desc: A demo
  with:
    opt: {type: str, value: O1, values: [O0, O1]}
    seeds: {type: list, value: [1, 2]}
    both: {type: str, value: "${{ opt }} ${{ seeds | length }}"}
  imports: [{from: lib, as: l, config: c, with: {w: 3}}, lib]
  fragments: [f.yaml]
  overrides: {l.o: demo.opts, l.p: {run: x}}
  types:
  - {name: Opts, uses: std.DataItem, with: {n: {type: int, value: 1}, l: {type: list, append: [x]}}}
  tasks:
  - {name: opts, uses: Opts, with: {n: 3}}
  - {name: rtl, uses: std.FileSet, with: {include: ["*.sv"]}}
  - root: build
    needs: [rtl, opts]
    iff: "${{ opt != 'O7' }}"
    with: {top: {type: str, value: "${{ both }}"}, flags: {type: list, value: [a]}}
    tags: [std.ResourceTag: {cores: 2, walltime: "1:00"}]
    run: |
      cc ${{ top }} ${{ flags }} ${{ env.HOME:-none }}
  - {name: debug, uses: build, feeds: [all], with: {flags: {append: [-g]}}, run: x}
  - name: comp
    needs: [build.needs]
    max_failures: 2
    body:
    - {name: a, run: "${{ this.x }}"}
    - {name: b, needs: [a], rundir: inherit}
    with: {x: {type: float, value: 1.5}}
  - name: regress
    strategy: {matrix: {seed: "${{ seeds }}", kind: [opts, rtl]}}
    body:
    - {name: c, uses: "${{ matrix.kind }}", needs: ["${{ matrix.kind }}"], iff: "${{ matrix.seed > 1 }}"}
  - {root: all, needs: [debug, comp, regress], consumes: [std.FileSet], passthrough: all}
  configs:
  - name: default
    with: {opt: O0}
    extensions: [{task: build, needs: [opts], with: {flags: {append: z}}}]
    overrides: [{task: l.o, with: l.t}, {package: lib, with: l}]
    tasks: [{override: comp, desc: z}, {name: late, needs: [l.t, l.o, f.more, lib.p]}]
"""
# What is rarer: families, branches, loops, filters, code of the user.
RARE = """\
package:
  name: demo
  uses: base
  imports: [lib, {name: base, from: base}, {name: other, from: lib/other.yaml, as: o}]
  package-map: [map.yaml]
  tags: [Team: {mail: a@b}, std.Stable]
  with:
    kinds: {type: list, value: [x86, arm]}
    level: {type: int, value: 2, cli: {name: level, short: l}}
    corner: slow
    made: {type: str, value: "${{ kinds | map(input + '!') | reverse | first }}"}
  filters:
  - {export: only, with: {t: {type: str}}, expr: "input | select(input == $arg0) | length"}
  - {name: stems, shell: python, run: "def filter(data, **args): return [d for d in data]"}
  types:
  - {name: Team, uses: std.Tag, with: {mail: {type: str}}}
  - {name: N, uses: std.DataItem, with: {n: {type: int}, m: {type: {map: {key: str, val: int}}}}}
  - {name: Mine, uses: std.Check, check: "m:check", with: {most: {type: int, value: 3}}}
  tasks:
  - {name: n, uses: N, with: {n: 4}, tags: [std.Test: {name: first}]}
  - {name: Base, abstract: true, requires: [std.check.Implemented, Mine: {most: 5, severity: warning}]}
  - name: model
    strategy:
      select:
        axes: {arch: "${{ kinds }}", mode: [rel, dbg]}
        key: "${{ this.arch }}.${{ this.mode }}"
        default: {mode: dbg}
    body: [{name: make, run: "${{ this.arch }} ${{ this.mode }}"}]
  - {name: uses_model, uses: Base, needs: [model, model.x86.rel, o.thing], run: "${{ in_filter }}", with: {in_filter: {type: str, value: "${{ kinds | stems }} ${{ kinds | only('a') }}"}}}
  - name: branch
    needs: [n]
    control: {type: if, cond: "in.n > 3", else: [{name: b, run: b}]}
    body: [{name: a, uses: N, with: {n: "${{ level }}"}}]
  - name: match
    control:
      type: match
      cases: [{when: "${{ level == 1 }}", body: [{name: a, run: a}]}, {default: true, body: [{name: b}]}]
  - name: loop
    needs: [n]
    control: {type: while, cond: "state.n < 3", max_iter: 3, state: {init: {n: 0}, feedback: "${{ in }}"}}
    body: [{name: turn, run: "${{ _iter }} of ${{ _max_iter }}"}, {name: then, needs: [turn]}]
  - {name: again, uses: loop}
  - {name: until, control: {type: do-while, until: "state.n", max_iter: 2}, body: [{name: t, run: x}]}
  - {name: thrice, control: {type: repeat, count: 3, until: "_iter == 1"}, body: [{name: t, run: x}]}
  - {name: row, strategy: {chain: true}, body: [{name: p, run: x}, {name: q, run: y}]}
  - name: corners
    with: {k: {type: int, value: 2}}
    strategy:
      generate:
        run: |
          for i in range(min(3, int(input.params.k))):
              ctxt.addTask(ctxt.mkTaskNode("demo.n", name=ctxt.mkName(f"k{i}"), needs=[ctxt.input], n=i))
  - {name: named, strategy: {generate: {run: m.generate, shell: pytask}}}
  - name: bound
    set:
    - {demo.level: 5}
    - {uses: "demo.N*", set: [{n: 7}]}
    - {path: "*.x", set: [{p: "${{ level }}"}]}
    let: {word: w}
    body: [{name: x, with: {p: {type: str}}, run: "${{ p }} ${{ level }} ${{ resolve('word', 'none') }}", needs: [n]}]
  - {name: late, needs: [n], with: {c: {type: int, value: "${{ inputs | length }}"}}, run: "${{ memento }} ${{ c }} ${{ inputs | first_of_type('demo.N') }}"}
  - {name: made, elaborate: "m:node", run: x, cache: {enabled: true, hash: ["${{ level }}"], compression: gzip}}
  - {name: reported, summary: "m:summary", uptodate: m.fresh, produces: [{type: demo.N, n: "${{ level }}"}], run: x}
  - {name: python, shell: pytask, run: m.task, needs: [reported], requires: [std.check.Needs: {min: 1, produces: {type: demo.N}, hint: h}], examples: [{code: x}]}
  - {override: inherited, run: "${{ corner }}", needs: [python]}
  - {name: suite, uses: std.TestSuite, needs: [n]}
  - {root: tests, uses: std.TestRunner, needs: [suite], with: {tests: [first]}}
  - {root: info, uses: std.TestInfo, with: {format: json, requires: "std.FileSet:filetype=x"}}
  - {name: graded, tags: [std.Eval: {name: g, sample_id: s}], needs: [n], run: x}
  - {root: evals, uses: std.EvalRunner, needs: [graded], with: {epochs: 3, epochs_reducer: pass_at_k}}
  - {root: cases, uses: std.EvalInfo}
  - {name: agent, uses: std.Agent, with: {user_prompt: "do ${{ name }}", model: m}}
  - name: borne
    on_error: "m:judge"
    max_failures: 2
    control: {type: repeat, count: 2}
    body: [{name: t, run: "exit ${{ _iter }}"}]
  - {name: specs, uses: std.TaskRunSpec, with: {task_type: demo.N, params: {n: 1}}}
  - {name: told, uses: std.RunTasks, needs: [specs]}
  - {name: none, uses: std.NotProvided}
  - {root: all, needs: [uses_model, branch, match, again, until, thrice, row, corners, named, bound, late, made, told, top, tests, evals, agent, borne]}
"""
LIBRARY = """\
package:
  name: lib
  with: {w: {type: int, value: 1}}
  tasks: [{export: t, run: "${{ w }}"}, {export: o}, {export: p}]
  configs: [{name: c, with: {w: 2}}]
"""
OTHER = "package: {name: other, tasks: [{export: thing, run: 'x ${{ srcdir }}'}]}"
BASE = """\
package:
  name: base
  with: {corner: {type: str, value: fast}}
  tasks: [{name: inherited, run: base}, {root: top, needs: [inherited], run: "${{ corner }}"}]
"""
MAP = "package-map: {version: 1, packages: [{name: mapped, path: lib/other.yaml}]}"
FRAGMENT = "fragment: {name: f, tasks: [{name: more, needs: [all]}]}"
CODE = """\
def check(ctxt):
    if len(ctxt.node.needs) > int(ctxt.params["most"]):
        ctxt.warning("many")

def generate(ctxt, input):
    ctxt.addTask(ctxt.mkTaskNode("demo.n", n=1))

def node(ctxt, task, name):
    return ctxt.mkTaskNode(name)
"""
GOALS = ["all", "regress", "comp"]


def add_files(folder: Path) -> None:
    """What the flows refer to."""
    for name, text in {
        "lib/flow.yaml": LIBRARY, "lib/other.yaml": OTHER, "base/flow.yaml": BASE, "map.yaml": MAP,
        "f.yaml": FRAGMENT, "m.py": CODE,
    }.items():  # fmt: skip
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
