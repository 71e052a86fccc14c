"""The models of our configuration judge a draft: what they refuse is taken back, and told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from collector.config import source
from collector.config.key_rules import CASB_TENANT
from collector.config.load import parse
from collector.config.problems import InvalidConfig, Place, Problem
from collector.core.model import Micros
from collector.errors import ConfigError
from collector.importers.draft import Draft, shown
from collector.importers.references import clear_secrets
from collector.importers.writing import written

USELESS = 36
"""Number of the error that no configuration can be made of a file."""

OFF = False
ROUNDS = 10
SHOWN = 5

OUTPUT = "the file names no place for records: NDJSON files for now"
IDENTITY = {"id": "imported", "name": "collector"}
SHARED = {
    ("token",): ("token", "get it one of its own"),
    CASB_TENANT: ("credentials", "each record would come twice"),
}
"""Credentials that two inputs may not have for one service: what they are called, and why."""

REMEDY = "write its settings down as docs/moving-in.md shows"


class Asked(NamedTuple):
    """A service, and the references of the credentials, by their keys, that it is asked with."""

    keys: tuple[str, ...]
    secrets: tuple[str, ...]
    service: str


def seal(draft: Draft) -> None:
    """Make every secret that still stands in clear a reference."""
    for place, secret in clear_secrets(draft.settings, draft.references).items():
        draft.write(place, draft.references.add(place, secret))


def settled(draft: Draft, product: str, destination: str, now: Micros) -> str:
    """The text of the configuration, which the models accept once its references are there.

    What they refuse is taken back and in the report, with their reason.  Raises
    ``ConfigError`` where nothing is left that they accept.
    """
    problems: tuple[Problem, ...] = ()
    for _ in range(ROUNDS):
        _complete(draft, destination)
        text = written(draft, product)
        problems = _problems(text, draft, now)
        if not problems:
            return text
        undone = [_undone(draft, each) for each in problems]
        if not any(undone):
            break
    reason = "; ".join(f"{shown(each.path)} {each.reason}".strip() for each in problems[:SHOWN])
    raise ConfigError(USELESS, f"no configuration can be made of this file: {reason}", REMEDY)


def _undone(draft: Draft, problem: Problem) -> bool:
    """Whether something could be taken back because of a problem."""
    told = f"{problem.reason}; {problem.fix}"
    return draft.take_back(problem.path, told) or draft.drop(problem.path, told)


def _complete(draft: Draft, destination: str) -> None:
    """What a configuration must have, as far as the file does not."""
    for name, value in IDENTITY.items():
        if name not in draft.settings.get("globals", {}):
            draft.keep(("globals", name), value, "this collector in its logs and metrics")
    if not draft.settings.get("outputs"):
        note = f"{OUTPUT}; {destination}: docs/outputs.md"
        draft.keep(("outputs", "archive"), {"type": "file", "config": {"path": "out"}}, note)


def _problems(text: str, draft: Draft, now: Micros) -> tuple[Problem, ...]:
    """What is wrong with the text, with something in place of each reference."""
    try:
        data = source.parse(text.encode()).data
        for place, reference in draft.references.places.items():
            _fill(data, place, f"in place of {reference[1:]}")
        parse(data, Path(), {}, now)
    except InvalidConfig as error:
        return error.problems
    return ()


def _fill(data: Any, place: Place, value: str) -> None:
    for step in place[:-1]:
        data = data[step]
    data[place[-1]] = value


def disable_doubles(draft: Draft) -> None:
    """Switch off inputs that would ask for what another one has.

    The vendor allows one session per token and service (docs/vendor-notes.md, PoD 3); a
    CASB tenant's service would come twice.
    """
    holders: dict[Asked, Place] = {}
    for asked, place in _asked(draft):
        holder = holders.setdefault(asked, place)
        if holder != place:
            what, remedy = SHARED[asked.keys]
            note = f"has the {what} of {holder[1]}, for {asked.service} too: {remedy}"
            draft.keep((*place, "enabled"), OFF, note)


def _asked(draft: Draft) -> Iterator[tuple[Asked, Place]]:
    for name, settings in draft.settings.get("inputs", {}).items():
        place: Place = ("inputs", name)
        known = draft.references.places
        for keys in SHARED:
            secrets = tuple(known.get((*place, "credentials", key), "") for key in keys)
            if all(secrets) and settings.get("enabled") is not False:
                for service in settings.get("services", {}):
                    yield Asked(keys, secrets, service), place
