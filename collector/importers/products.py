"""The products whose configurations are read, and the whole way from bytes to a configuration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from collector.core.model import Frozen, Micros
from collector.errors import ConfigError
from collector.importers import devo, observo, stellar, sumo, virtualmetric
from collector.importers.draft import Draft, Entry
from collector.importers.judging import disable_doubles, seal, settled
from collector.importers.reading import read
from collector.importers.writing import by_reference

NOTHING = 37
"""Number of the error that a file has nothing for us."""


class Product(Frozen, frozen=True):
    """How a product's file becomes a draft, and where its users' records may go from here."""

    take: Callable[[Any, Draft], None]
    destination: str


PRODUCTS = {
    "sumo": Product(
        take=sumo.take,
        destination="for Sumo Logic: type sumo_logic, with the url of an HTTP Logs source",
    ),
    "virtualmetric": Product(
        take=virtualmetric.take,
        destination="for a Director: type syslog or http, to one of its listening devices",
    ),
    "observo": Product(
        take=observo.take,
        destination="for Observo AI: type splunk_hec, http or syslog, to one of its sources",
    ),
    "stellar": Product(
        take=stellar.take,
        destination="for Stellar Cyber: type syslog, to a sensor",
    ),
    "devo": Product(
        take=devo.take,
        destination="for Devo: type devo, with your domain's address, chain, cert and key",
    ),
}


class Imported(Frozen, frozen=True):
    """The text of a configuration, what became of each setting, and the references in it."""

    text: str
    entries: tuple[Entry, ...]
    references: dict[str, tuple[str, ...]]


def convert(name: str, raw: bytes, suffix: str, now: Micros) -> Imported:
    """A product's file as a configuration that the models accept.

    ``suffix`` is the end of the file's name, ``now`` (UTC) judges start times.  Raises
    ``ConfigError``; no error and no entry holds a value of the file.
    """
    draft, product = Draft(), PRODUCTS[name]
    product.take(read(raw, suffix), draft)
    if not draft.settings.get("inputs"):
        raise _nothing(draft)
    seal(draft)
    disable_doubles(draft)
    text = settled(draft, name, product.destination, now)
    return Imported(text=text, entries=tuple(draft.entries), references=by_reference(draft))


def _nothing(draft: Draft) -> ConfigError:
    unplaced = [each for each in draft.entries if each.kind == "no place"]
    left = [f"{each.source or 'the file'} {each.note}" for each in unplaced[:5]]
    cause = "the file holds nothing that can be collected here"
    return ConfigError(
        NOTHING,
        f"{cause}: {'; '.join(left)}" if left else cause,
        "see in docs/moving-in.md what it should look like, and check --from",
    )
