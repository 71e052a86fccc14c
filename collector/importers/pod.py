"""What the importers of PoD sources share: name, credentials, services, and our defaults."""

from __future__ import annotations

from collections.abc import Iterable

from collector.config.problems import Place
from collector.importers.draft import UNKNOWN, Draft
from collector.importers.original import Original, Setting, normal
from collector.importers.references import is_reference
from collector.importers.values import masked, text, words

TYPE = "proofpoint_pod"
PRODUCT = "Proofpoint On Demand"
SERVICES = {
    "message": "message",
    "messages": "message",
    "maillog": "maillog",
    "maillogs": "maillog",
    "audit": "audit",
}
"""What the data types are called elsewhere, as ``normal`` has it, and here."""

NOT_IN_FILE = "not in the file"
BOTH = ("message", "maillog")
UNSAID = "the file does not say what it collects"
MODE = (
    "mode is hybrid: the live stream, and archive hours wherever it has gaps; mode: live is the "
    "stream alone"
)
START = (
    "collection starts 7 days back, so what the other product has collected comes once more; "
    "initial_start_time_in_utc sets another time"
)
SOURCE_NAMES = ("name", "source name", "connector name", "device name")


def begin(draft: Draft, original: Original, kind: Setting | None = None) -> Place:
    """A new input, under the original's name; ``kind``: what said that it is one of PoD."""
    base = draft.block("inputs", TYPE, original.take(*SOURCE_NAMES), "pod")
    if kind is not None:
        draft.tell(kind.place, (*base, "type"))
    return base


def credentials(
    draft: Draft, base: Place, cluster: Setting | None, token: Setting | None, *, hidden: bool
) -> None:
    """Cluster and token; ``hidden``: the product masks the cluster, so it counts as secret."""
    place = (*base, "credentials", "cluster_id")
    known = None if cluster is None else text(cluster.value)
    if cluster is None or known is None or hidden or masked(known) or not _usable(known):
        draft.refer(place, cluster, known, _said(cluster))
    else:
        draft.put(place, known, cluster.place)
    secret = None if token is None else text(token.value)
    draft.refer((*base, "credentials", "token"), token, secret, _said(token))


def services(
    draft: Draft, base: Place, found: Setting | None, usual: tuple[str, ...] = BOTH
) -> list[Place]:
    """The services that are collected, by the words for them; the usual ones without any."""
    chosen: dict[str, Setting] = {}
    for word in (words(found.value) or []) if found is not None else []:
        service = SERVICES.get(normal(word))
        if service is None and found is not None:
            draft.leave(found.place, f"names a data type that {UNKNOWN}")
        elif service is not None and found is not None:
            chosen[service] = found
    for service, setting in chosen.items():
        draft.add((*base, "services", service), setting.place)
    for service in () if chosen else usual:
        draft.keep((*base, "services", service), {}, UNSAID)
    return [(*base, "services", service) for service in chosen or usual]


def told_defaults(draft: Draft) -> None:
    """What is otherwise here than there, whatever the product."""
    for note in (MODE, START):
        tell_once(draft, note)


def tell_once(draft: Draft, note: str) -> None:
    """A default of every service, told for the first input that it goes for."""
    if all(each.note != note for each in draft.entries):
        draft.keep(("inputs", "*", "services"), None, note, comment=False)


def put_all(draft: Draft, places: Iterable[Place], name: str, value: object, of: Setting) -> None:
    """One setting of the original, for each of the services."""
    for place in places:
        draft.put((*place, name), value, of.place)


def _usable(value: str) -> bool:
    return value.isprintable() and len(value) <= 1024 and not is_reference(value)


def _said(found: Setting | None) -> str:
    return NOT_IN_FILE if found is None else ""
