"""Where in which file a problem stands, in the spelling of that file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from collector.config import hosted
from collector.config.hosted import Layer
from collector.config.problems import Problem, spell


def located(problems: Iterable[Problem], layers: Sequence[Layer]) -> list[Problem]:
    """The problems with the line of their setting, or of the nearest one around it.

    One in the base of a hosted document says so; one in the document itself is
    spelled as it stands there.
    """
    known = [{spell(place): line for place, line in each.document.lines.items()} for each in layers]
    if len(layers) == 1:
        return [_with_line(problem, known[0]) for problem in problems]
    return [_in_layers(problem, layers, known) for problem in problems]


def _in_layers(
    problem: Problem, layers: Sequence[Layer], known: Sequence[Mapping[str, int]]
) -> Problem:
    """From the layer that comes nearest to the setting, the uppermost where several do."""
    if problem.line is not None:
        return problem
    reach = [len(_nearest(problem.path, lines)) for lines in known]
    best = max(range(len(layers)), key=lambda index: (reach[index], index))
    found = _with_line(problem, known[best])
    if layers[best].base:
        return hosted.of_the_base(found)
    return msgspec.structs.replace(found, path=hosted.original(found.path))


def _with_line(problem: Problem, known: Mapping[str, int]) -> Problem:
    if problem.line is not None:
        return problem
    return msgspec.structs.replace(problem, line=known.get(_nearest(problem.path, known)))


def _nearest(path: str, known: Mapping[str, int]) -> str:
    """The longest beginning of a path that stands in the file; empty when none does."""
    while path and path not in known:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return path
