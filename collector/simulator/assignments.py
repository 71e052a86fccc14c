"""Options of the simulator as ``NAME=VALUE``, and what each name means.

The names are the fields of ``SimulatorOptions``, and ``rates.SERVICE`` for each
service.  Type, bounds and meaning are those said there, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final, get_args

import msgspec

from collector.core.model import Frozen
from collector.core.times import isoformat, parse
from collector.errors import ConfigError
from collector.simulator.options import SERVICES, Hourly, SimulatorOptions

BAD_OPTION: Final = 34

RATE: Final = "rates."
INSTANTS: Final = ("history_start", "history_end")
LISTS: Final = ("tokens",)

TYPES: Final[Mapping[str, Any]] = {
    **{
        field.name: field.type
        for field in msgspec.structs.fields(SimulatorOptions)
        if field.name != "rates"
    },
    **{RATE + service: Hourly for service in SERVICES},
}
"""Each name with its annotated type."""


class Described(Frozen, frozen=True, kw_only=True):
    """One name, its value as it would be assigned, and its meaning."""

    name: str
    value: str
    meaning: str


def assigned(base: Mapping[str, Any], assignments: Iterable[str]) -> SimulatorOptions:
    """The options of ``base`` with these assignments on top; of one name's the last counts.

    ``base`` has fields of ``SimulatorOptions``, ``rates`` among them.  Raises
    ``ConfigError`` for an unknown name, a value of another type or out of its
    bounds, and options that make no sense together.
    """
    values = dict(base)
    rates = dict(base["rates"])
    for assignment in assignments:
        name, value = _read(assignment)
        if name.startswith(RATE):
            rates[name.removeprefix(RATE)] = value
        else:
            values[name] = value
    try:
        return msgspec.convert(values | {"rates": rates}, SimulatorOptions)
    except msgspec.ValidationError as error:
        remedy = "correct --set or the options beside it; --no-oddities sets all oddities to 0"
        raise _bad_option(str(error), remedy) from error


def described(options: SimulatorOptions) -> list[Described]:
    """Every name with its value in these options."""
    return [
        Described(name=name, value=_written(name, options), meaning=_meaning(kind))
        for name, kind in TYPES.items()
    ]


def _read(assignment: str) -> tuple[str, Any]:
    """The name and its value; raises ``ConfigError``."""
    name, sign, text = assignment.partition("=")
    if not sign:
        raise _bad_option(f"{assignment} has no value", "write NAME=VALUE")
    if name not in TYPES:
        close = get_close_matches(name, TYPES, n=1)
        meant = f"did you mean {close[0]}? " if close else ""
        remedy = f"{meant}'collector simulate --list-options' shows every name"
        raise _bad_option(f"no option is called {name}", remedy)
    try:
        return name, msgspec.convert(_plain(name, text), TYPES[name], strict=False)
    except (ValueError, OverflowError) as error:
        remedy = f"{name} is: {_meaning(TYPES[name])}; --list-options shows a value"
        raise _bad_option(f"{assignment}: {error}", remedy) from error


def _plain(name: str, text: str) -> Any:
    """The text as msgspec can convert it.  Raises ``ValueError`` for a time that is none."""
    if name in INSTANTS:
        return parse(text)
    if name in LISTS:
        return text.split(",")
    return None if text == "none" and _is_optional(TYPES[name]) else text


def _is_optional(kind: Any) -> bool:
    return type(None) in get_args(get_args(kind)[0])


def _written(name: str, options: SimulatorOptions) -> str:
    """What ``_read`` reads as the value that the name has."""
    if name.startswith(RATE):
        return str(options.rates.get(name.removeprefix(RATE), 0.0))
    value: Any = getattr(options, name)
    if name in INSTANTS:
        return isoformat(value)
    if name in LISTS:
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool | None) else str(value)


def _meaning(kind: Any) -> str:
    """The description of an annotated type."""
    return next(str(note.description) for note in get_args(kind)[1:] if note.description)


def _bad_option(cause: str, remedy: str) -> ConfigError:
    return ConfigError(BAD_OPTION, f"the simulator's options cannot be used: {cause}", remedy)
