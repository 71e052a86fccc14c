"""The outputs of Devo's collectors: ``devo_platform``, ``syslog`` and ``console``."""

from __future__ import annotations

from typing import Any

from collector.config.problems import Place
from collector.importers.draft import UNREADABLE, Draft
from collector.importers.original import Original, Setting, normal
from collector.importers.rules import follow, rule
from collector.importers.values import text, whole

CERTS = "Devo's collectors look for it in certs/; paths here start at the working directory"


def _upper(value: Any) -> str | None:
    found = text(value)
    return None if found is None else found.upper()


COMMON = (
    rule("config.address|config.host", "config.address"),
    rule("config.port", "config.port", whole),
)
FILES = ("chain", "cert", "key")
DEVO = (*COMMON, rule("config.type", "config.type", _upper))
PROTOCOLS = frozenset({"tcp", "tls"})
PROTOCOL = "tls"
NO_UDP = f"there is no UDP here, because it loses records: {PROTOCOL} is written instead"
NOT_PLAIN = "our default; set tcp where the receiver takes no TLS at this port"
TYPES = {"devoplatform": "devo", "devo": "devo", "syslog": "syslog", "console": "console"}


def outputs(data: Any, draft: Draft) -> None:
    """Every output of a type that is known here, under its name."""
    for name, settings in data.items() if isinstance(data, dict) else ():
        place: Place = ("outputs", name)
        original = Original(settings, place)
        said = original.take("type")
        kind = TYPES.get(normal(name if said is None else str(said.value)))
        if kind is None:
            draft.leave(place, "its type is unknown here: choose one from docs/outputs.md")
            continue
        base = draft.block("outputs", kind, Setting(path=(), place=place, value=name), "devo")
        if said is not None:
            draft.tell(said.place, (*base, "type"))
        _config(kind, original, draft, base)
        draft.rest(original)


def _config(kind: str, original: Original, draft: Draft, base: Place) -> None:
    if kind == "console":
        return
    follow(DEVO if kind == "devo" else COMMON, original, draft, base)
    if kind == "syslog":
        _protocol(original, draft, (*base, "config", "protocol"))
    for name in FILES:
        found = original.take(f"config.{name}")
        if found is not None:
            _file(
                found,
                draft,
                (*base, "config", "ca" if kind == "syslog" and name == "chain" else name),
            )


def _protocol(original: Original, draft: Draft, to: Place) -> None:
    """The transport; where the file names none that is ours, our default is written and told."""
    found = original.take("config.protocol")
    said = normal(str(found.value)) if found is not None else ""
    if found is not None and said in PROTOCOLS:
        draft.put(to, said, found.place)
        return
    if found is not None:
        draft.leave(found.place, NO_UDP if said == "udp" else UNREADABLE)
    draft.keep(to, PROTOCOL, NOT_PLAIN)


def _file(found: Setting, draft: Draft, to: Place) -> None:
    """The path of a certificate or key; a bare name lies in ``certs``."""
    path = text(found.value)
    if path is None or "/" in path:
        draft.put(to, path, found.place)
    else:
        draft.put(to, f"certs/{path}", found.place, CERTS)
