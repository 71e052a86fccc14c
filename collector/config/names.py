"""The error of a name, given on the command line, that nothing has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from collector.config.models import Settings
from collector.errors import ConfigError

UNKNOWN_NAME = 28
"""The number of every error that a name means nothing."""


def unknown(kind: str, names: Sequence[str], known: Mapping[str, Iterable[str]]) -> ConfigError:
    """Nothing of this kind has these names.  ``known``: the names that there are, by what has them.

    A name that is nearly one of them is taken for a slip of the pen.
    """
    offered = {what: sorted(each) for what, each in known.items()}
    all_offered = [name for each in offered.values() for name in each]
    close = [match for name in names for match in get_close_matches(name, all_offered, n=1)]
    meant = f"did you mean {', '.join(close)}? " if close else ""
    choice = "; ".join(f"{what}: {', '.join(each) or 'none'}" for what, each in offered.items())
    return ConfigError(UNKNOWN_NAME, f"no {kind} is called {', '.join(names)}", f"{meant}{choice}")


def refuse_unknown(
    kind: str, name: str, configured: Iterable[str], stored: Iterable[str], what: str
) -> None:
    """Raise ``ConfigError`` for a name that is neither configured nor in the state.

    ``what``: what the state has of the names that are no longer configured.
    """
    known, rest = sorted(configured), sorted(set(stored).difference(configured))
    if name in known or name in rest:
        return
    others = {f"no longer configured, with {what}": rest} if rest else {}
    raise unknown(kind, [name], {"configured": known} | others)


def refuse_unknown_choice(found: Settings, inputs: Iterable[str], services: Iterable[str]) -> None:
    """Raise ``ConfigError`` for ``--input`` or ``--service`` with a name that nothing has."""
    offered = {
        field for each in found.inputs.values() for field in type(each.services).model_fields
    }
    strange = sorted(set(inputs).difference(found.inputs))
    strange += sorted(set(services) - offered)
    if strange:
        known = {"inputs": found.inputs, "services": offered}
        raise unknown("input or service", strange, known)
