"""The logs of an evaluation (section 31.8 of the language): a JSON file for each view."""

import json
import os
from collections.abc import Sequence
from typing import Any

from dfm.cli.verdicts import Case, Verdict, has_passed, scores, trial_scores
from dfm.errors import RunnerError
from dfm.flow.trials import Runner
from dfm.graph.names import file_name
from dfm.graph.node import Graph

SCHEMA = "dfm-eval/1"


def write_logs(
    runner: Runner, found: Sequence[Case], graph: Graph, rundir: str, run_id: str
) -> None:
    """Writes what each trial came to, over older logs. Raises RunnerError."""
    params, name = runner.params, graph.nodes[runner.number].name
    folder = os.path.join(rundir, str(params["log_dir"]))
    views = dict.fromkeys(one.trial.view for case in found for one in case.verdicts)
    for view in views:
        chosen = [_in_view(case, view) for case in found]
        data = {
            "schema": SCHEMA,
            "eval_set_id": params["eval_set_id"] or run_id,
            "task": name,
            "view": view,
            "epochs": params["epochs"],
            "reducer": params["epochs_reducer"],
            "cases": [
                {
                    "path": case.path,
                    "scores": scores(case, str(params["epochs_reducer"])),
                    "trials": [_trial(one, graph, rundir) for one in case.verdicts],
                }
                for case in chosen
                if case.verdicts
            ],
        }
        path = os.path.join(folder, f"{file_name(f'{name}.{view}' if view else name)}.json")
        try:
            os.makedirs(folder, exist_ok=True)
            with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
                json.dump(data, file, indent=1)
        except OSError as error:
            raise RunnerError(f"cannot write {path}: {error.strerror}") from None


def _in_view(case: Case, view: str) -> Case:
    return case._replace(verdicts=[one for one in case.verdicts if one.trial.view == view])


def _trial(verdict: Verdict, graph: Graph, rundir: str) -> dict[str, Any]:
    ends = [graph.nodes[number] for number in verdict.trial.ends]
    return {
        "epoch": verdict.trial.epoch,
        "status": verdict.status.lower(),
        "passed": has_passed(verdict),
        "scores": trial_scores(verdict),
        "rundirs": [f"{rundir}/{node.rundir}" for node in ends],
        "sample": verdict.sample,
    }
