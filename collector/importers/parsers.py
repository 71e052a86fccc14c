"""Observo AI's JSON parser, as steps of a pipeline."""

from __future__ import annotations

from typing import Any, TypeAlias

from collector.config.problems import Place
from collector.importers.draft import UNREADABLE, Draft, is_called
from collector.importers.original import Original, Setting, normal
from collector.importers.values import text, toggle

Step: TypeAlias = dict[str, Any]

WHOLE = frozenset({"message", "log", "raw", "rawlog"})
"""What the text of a whole record is called there; here it is JSON already."""

ALREADY = "is the whole record, which is JSON here already"
NOTHING = "there is nothing to parse: records are JSON here already"
NO_JSON = "only the JSON parser has steps here; write them anew: docs/pipelines.md"
CONDITIONS = "has another language here: write a step of type filter, see docs/pipelines.md"

GATES = ("enable source log parser", "enabled")
FIELD = ("field name", "new field name", "keep old field", "explode array events")


def parser(original: Original, draft: Draft, base: Place, *, parsed: bool) -> None:
    """The steps of the parser, where it has any, and the pipeline's name at the input.

    ``parsed``: records are JSON here from the first, not a text in a field.
    """
    filters = original.take("add filter conditions", "filter conditions")
    if filters is not None:
        draft.leave(filters.place, CONDITIONS)
    kind = original.take("source log parser")
    if kind is not None and not is_called(kind, "JSON Parser", "JSON"):
        draft.leave(kind.place, NO_JSON)
        return
    bypass = original.take("bypass transform")
    gates = [each for name in GATES if (each := original.take(name)) is not None]
    place: Place = ("pipelines", f"{base[-1]}_json", "steps")
    rows = _rows(original, draft)
    steps = [step for row in rows for step in _steps(row, draft, place, parsed=parsed)]
    for row in rows:
        if row is not original:
            draft.rest(row)
    for each in (kind, bypass, *gates):
        if each is not None and steps:
            draft.tell(each.place, place)
        elif each is not None:
            draft.leave(each.place, NOTHING)
    if steps:
        on = bypass is None or toggle(bypass.value) is not True
        on = on and all(toggle(each.value) is not False for each in gates)
        _put(draft, base, place, steps, on=on)


def _put(
    draft: Draft, base: Place, place: Place, steps: list[tuple[Setting, Step]], *, on: bool
) -> None:
    """The pipeline, and its name at the input; switched off as the parser was."""
    off = {} if on else {"enabled": False}
    source = steps[0][0].place
    draft.put((*base, "pipelines"), [place[1]], source)
    draft.put(place, [{**step, **off} for _, step in steps], source, "the JSON parser")


def _rows(original: Original, draft: Draft) -> list[Original]:
    """The fields to parse: a list of blocks, or one among the other settings."""
    listed = original.take("fields to parse")
    if listed is None:
        return [original]
    if not isinstance(listed.value, list):
        draft.leave(listed.place, UNREADABLE)
        return []
    return [Original(each, (*listed.place, at)) for at, each in enumerate(listed.value)]


def _steps(
    row: Original, draft: Draft, place: Place, *, parsed: bool
) -> list[tuple[Setting, Step]]:
    """The steps for one field, each with the setting that asks for it."""
    field, new, keep, explode = (row.take(name) for name in FIELD)
    name = None if field is None else text(field.value)
    if field is None or name is None or (parsed and normal(name) in WHOLE):
        for each in (field, new, keep, explode):
            if each is not None:
                draft.leave(each.place, ALREADY)
        return []
    step: Step = {"type": "parse_json", "field": name}
    wanted = None if new is None else text(new.value)
    if wanted is not None:
        step |= {"new_name": wanted, "keep_old": keep is not None and toggle(keep.value) is True}
    found = [(field, step)]
    if explode is not None and toggle(explode.value) is True:
        found.append((explode, {"type": "explode", "field": _beside(name, wanted)}))
    for each in (new, keep, explode):
        if each is not None:
            draft.tell(each.place, place)
    return found


def _beside(field: str, wanted: str | None) -> str:
    """The parsed field: under its new name, it is beside the old one."""
    above, dot, last = field.rpartition(".")
    return f"{above}{dot}{last if wanted is None else wanted}"
