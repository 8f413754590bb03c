"""How a fault is said at the prompt."""

import os

from dfm.errors import Place, Problem


def shortened(problem: Problem) -> Problem:
    """The same with its file as seen from here, if that is below this folder."""
    if problem.place is None:
        return problem
    path = os.path.relpath(problem.place.file)
    if path.startswith(".."):
        return problem
    return problem._replace(place=Place(path, problem.place.line, problem.place.column))
