"""Observo AI's WebSocket source for any other stream than PoD's, as an input ``websocket``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collector.config.problems import Place
from collector.config.urls import split
from collector.importers.draft import Draft
from collector.importers.endpoints import plain, query, tell_user, unread
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
from collector.importers.original import Original, Setting, normal
from collector.importers.parsers import parser
from collector.importers.rules import Rule, dismiss, follow, rule
from collector.importers.values import Reader, seconds, text, toggle

TYPE = "websocket"
NO_URI = "is no wss:// or ws:// URI"
STRATEGIES = {
    "basic": "basic",
    "basicauthentication": "basic",
    "bearer": "bearer",
    "bearertoken": "bearer",
    "bearertokenauthentication": "bearer",
}
CODECS = {
    "bytes": "raw",
    "rawbytes": "raw",
    "raw": "raw",
    "json": "json",
    "gelf": "gelf",
    "syslog": "syslog",
    "nativejson": "native_json",
}
FRAMINGS = {
    "bytes": "none",
    "rawbytes": "none",
    "newlinedelimited": "newline",
    "characterdelimited": "character",
    "lengthdelimited": "length",
    "octetcounting": "octet_counting",
}


def chosen(words: Mapping[str, str]) -> Reader:
    """A reader of one of these words, whatever its case and blanks."""

    def read(value: Any) -> str | None:
        return words.get(normal(text(value) or ""))

    return read


def character(value: Any) -> str | None:
    """One character as it stands, or as its code."""
    if isinstance(value, int) and not isinstance(value, bool) and value in range(128):
        return chr(value)
    return value if isinstance(value, str) else None


STREAM = (
    rule("decoding codec|decoding.decoding codec|decoding.codec", "codec", chosen(CODECS)),
    rule(
        "framing method|decoding.framing method|framing.method", "framing.method", chosen(FRAMINGS)
    ),
    rule(
        "character delimiter|decoding.character delimiter|framing.character_delimited.delimiter",
        "framing.delimiter",
        character,
    ),
    rule("initial message", "initial_message"),
    rule(
        "initial message timeout|initial_message_timeout_secs",
        "initial_message_timeout_in_seconds",
        seconds,
    ),
    Rule(names=CONNECT, to=("connect_timeout_in_seconds",), read=seconds),
    Rule(names=PING, to=("ping_interval_in_seconds",), read=seconds),
    rule("ping timeout", "ping_timeout_in_seconds", seconds),
    rule("custom ping message|ping_message", "ping_message"),
)
STREAM_REASONS = (
    ("pong_message", "any byte counts as the answer to a ping"),
    *REASONS,
)
PINGS = "a ping each minute, where the file has no interval"


def stream(original: Original, uri: Setting, draft: Draft) -> None:
    """One source, as an input of the type ``websocket``."""
    url = split(text(uri.value) or "")
    if url is None or url.scheme not in {"ws", "wss"}:
        draft.leave(uri.place, NO_URI)
        return
    name = original.take("name", "source name")
    base = draft.block("inputs", TYPE, name, "stream")
    draft.put((*base, "uri"), plain(url), uri.place, "less its query" if url.query else "")
    tell_user(draft, url, uri)
    if unread(url):
        draft.leave(uri.place, "its query cannot be read: write it to credentials.parameters")
    follow(RULES, original, draft, base)
    tls(draft, base)
    _credentials(original, draft, base)
    for parameter, value in query(url).items():
        draft.refer((*base, "credentials", "parameters", parameter), uri, value, "of its query")
    draft.add((*base, "services", "stream"), uri.place)
    _stream(original, draft, (*base, "services", "stream"))
    _switch(original, draft, base, secure=url.scheme == "wss")
    parser(original, draft, base, parsed=_codec(draft, base) in {"json", "native_json", "gelf"})
    dismiss(STREAM_REASONS, original, draft)
    draft.rest(original)


def _stream(original: Original, draft: Draft, place: Place) -> None:
    if not original.has(*PING):
        draft.keep((*place, "ping_interval_in_seconds"), None, PINGS, comment=False)
    follow(STREAM, original, draft, place)


def _codec(draft: Draft, base: Place) -> str:
    found: str = draft.settings["inputs"][base[-1]]["services"]["stream"].get("codec", "raw")
    return found


def _credentials(original: Original, draft: Draft, base: Place) -> None:
    """The strategy, and the secrets that go with it, as references."""
    place = (*base, "credentials")
    strategy, token = original.take(*STRATEGY), original.take(*TOKEN)
    basic = {
        "user": original.take("username", "user", "auth.user"),
        "password": original.take("password", "auth.password"),
    }
    word = None if strategy is None else STRATEGIES.get(normal(str(strategy.value)))
    kind = word or ("bearer" if token else "basic" if any(basic.values()) else None)
    given = {"bearer": {"token": token}, "basic": basic}.get(kind or "", {})
    if strategy is not None:
        draft.put((*place, "strategy"), word, strategy.place)
    if word is None and kind is not None:
        draft.keep((*place, "strategy"), kind, "by the secrets that are there")
    for name, found in given.items():
        note = "" if found is not None else "not in the file"
        draft.refer((*place, name), found, text(found.value) if found is not None else None, note)
    for found in (token, *basic.values()):
        if found is not None and found not in given.values():
            draft.leave(found.place, "is of no use with this strategy")


def _switch(original: Original, draft: Draft, base: Place, *, secure: bool) -> None:
    """TLS is no switch here: the URI says it."""
    found = original.take(*SWITCH)
    if found is not None and toggle(found.value) is secure:
        draft.tell(found.place, (*base, "uri"))
    elif found is not None:
        draft.leave(found.place, "the scheme of the URI says whether there is TLS")
