"""Observo AI's WebSocket source: the JSON of its API, or the settings of its form written down.

    {"source": {"name": ..., "config": {"uri": ..., "auth": {"strategy": "bearer", ...}}}}

    Name: ...
    WebSocket URI: wss://logstream.proofpoint.com/v1/stream?cid=...&type=message
    Bearer Token: ...

The names are those of the form, in any case, with or without its headings.
"""

from __future__ import annotations

from typing import Any

from collector.config.problems import Place
from collector.importers import pod
from collector.importers.draft import Draft, is_called
from collector.importers.endpoints import endpoint, is_pod
from collector.importers.observo_parts import (
    CONNECT,
    PING,
    REASONS,
    RULES,
    STRATEGY,
    SWITCH,
    TOKEN,
    tls,
)
from collector.importers.observo_stream import stream
from collector.importers.original import Original, Setting
from collector.importers.parsers import parser
from collector.importers.rules import Form, blocks, dismiss, follow
from collector.importers.values import seconds, toggle

FORM = Form(
    names=frozenset({"source", "sources"}),
    wrappers=frozenset(
        {
            "config",
            "general",
            "generalsettings",
            "authentication",
            "connectionsettings",
            "decodingsettings",
            "tlsconfiguration",
            "parserconfig",
            "parserconfiguration",
            "parserconfigurationoptions",
            "parserspecificsettings",
            "jsonparser",
            "fieldstoparse",
        }
    ),
    around=dict.fromkeys(
        ("sinks", "destinations", "transforms", "pipeline"),
        "belongs to Observo AI; write it anew: docs/outputs.md, docs/pipelines.md",
    ),
)
URI = ("websocket uri", "uri")
PONG = (
    "a short limit ends good sessions: idle_limit_in_seconds counts seconds without a byte, "
    "pongs included"
)
JSON_HERE = "records of the log stream are JSON, each a message of its own"
POD_REASONS = (
    ("initial message|initial message timeout|initial_message_timeout_secs", "PoD expects none"),
    ("custom ping message|ping_message|pong_message", "pings are WebSocket's own, which PoD wants"),
    ("ping timeout", PONG),
    ("decoding codec|decoding.codec|decoding.decoding codec|codec", JSON_HERE),
    ("framing method|framing.method|decoding.framing method|framing", JSON_HERE),
    ("character delimiter|framing.character_delimited.delimiter", JSON_HERE),
    ("decoding.character delimiter", JSON_HERE),
    ("username|user|password|auth.user|auth.password", "PoD takes a bearer token alone"),
    *REASONS,
)
TIMES = ((CONNECT, "connect_timeout_in_seconds"), (PING, "ping_interval_in_seconds"))
CUT_SHORT = "is no data type; message is taken, and maillog: {} adds the other"


def take(data: Any, draft: Draft) -> None:
    """Every source becomes an input: of PoD by its URI, else one of any stream."""
    for original in blocks(data, FORM, draft):
        uri = original.take(*URI)
        if uri is not None and is_pod(uri):
            _source(original, uri, draft)
        elif uri is not None:
            stream(original, uri, draft)
        else:
            draft.rest(original)


def _source(original: Original, uri: Setting, draft: Draft) -> None:
    base = pod.begin(draft, original)
    said = endpoint(draft, base, uri)
    follow(RULES, original, draft, base)
    tls(draft, base)
    _credentials(original, draft, base, uri, said)
    places = pod.services(draft, base, _data_type(draft, uri, said))
    for names, name in TIMES:
        found = original.take(*names)
        if found is not None:
            pod.put_all(draft, places, name, seconds(found.value), found)
    _switch(original, draft, base)
    pod.told_defaults(draft)
    parser(original, draft, base, parsed=True)
    dismiss(POD_REASONS, original, draft)
    draft.rest(original)


def _credentials(
    original: Original, draft: Draft, base: Place, uri: Setting, said: dict[str, str]
) -> None:
    """The cluster from the URI, the token from its field."""
    strategy = original.take(*STRATEGY)
    if strategy is not None and is_called(strategy, "bearer", "Bearer Token Authentication"):
        draft.tell(strategy.place, (*base, "credentials"))
    elif strategy is not None:
        draft.leave(strategy.place, "PoD takes a bearer token alone")
    cid = said.get("cid")
    cluster = None if cid is None else Setting(path=uri.path, place=uri.place, value=cid)
    token = original.take(*TOKEN)
    pod.credentials(draft, base, cluster, token, hidden=False)


def _data_type(draft: Draft, uri: Setting, said: dict[str, str]) -> Setting | None:
    """The data type of the URI; where it is cut short, as on the product's page, messages."""
    kind = said.get("type")
    if kind is None:
        return None
    if kind.lower() not in pod.SERVICES:
        draft.leave(uri.place, f"its type {CUT_SHORT}")
        kind = "message"
    return Setting(path=uri.path, place=uri.place, value=kind)


def _switch(original: Original, draft: Draft, base: Place) -> None:
    """TLS is not a switch here: it is how the log stream is reached."""
    found = original.take(*SWITCH)
    if found is None:
        return
    if toggle(found.value) is True:
        draft.tell(found.place, (*base, "endpoint"))
    else:
        draft.leave(found.place, "PoD is reached over TLS alone")
