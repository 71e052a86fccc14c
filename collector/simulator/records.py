"""The bytes of each record: a template of true shape, its holes filled in.

A service has a few dozen templates, each encoded once, so that filling one in
costs microseconds.  The archive's keys come in another order than the live
stream's (docs/vendor-notes.md, PoD 4), hence two encodings of each.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from hashlib import blake2b
from random import Random
from typing import Any, Final

import msgspec

from collector.core.model import Micros
from collector.simulator import casb_samples, oddities, pod_samples
from collector.simulator.history import History
from collector.simulator.options import (
    CASB_SERVICES,
    CONTENT_ODDITIES,
    POD_SERVICES,
    SERVICES,
    SimulatorOptions,
)
from collector.simulator.stamps import gateway_stamp, with_colon, zulu_millis

TEMPLATES: Final = 48
MILLIS_BEFORE: Final = 281  # how long before its alert a related event lies

_HOLE = re.compile(rb"@([a-z_]+)@")
_SAMPLES: Final = {
    "alerts": casb_samples.alert,
    "events": casb_samples.event,
    "message": pod_samples.message,
    "maillog": pod_samples.maillog,
    "audit": pod_samples.audit,
}

Values = Mapping[bytes, bytes | int]


class Records:
    """Makes the bytes of any record of any service."""

    def __init__(self, options: SimulatorOptions, history: History) -> None:
        """Encode the templates."""
        self._options = options
        self._history = history
        self._stamp = gateway_stamp(
            options.zone_offset_hours, daylight_saving=options.daylight_saving
        )
        self._utc_stamp = gateway_stamp(0, daylight_saving=False)
        self._live = {service: _templates(service, options, "live") for service in SERVICES}
        self._archive = {service: _templates(service, options, "archive") for service in SERVICES}

    def render(self, service: str, number: int, *, archived: bool = False) -> bytes:
        """The record with this number, as it comes live or from the archive."""
        templates = (self._archive if archived else self._live)[service]
        raw = templates[number % TEMPLATES] % self._values(service, number)
        oddity = self._oddity(service, number)
        if oddity is None:
            return raw
        return oddities.make_odd(raw, oddity, service, number, self._options)

    def is_unparsable(self, service: str, number: int) -> bool:
        """Whether a record is sent as bytes that no parser can read."""
        return service in POD_SERVICES and self._oddity(service, number) == "unparsable"

    def identity(self, service: str, number: int) -> str:
        """The vendor's id of a record, or its marker when it is sent without one."""
        if self._oddity(service, number) == "missing_id":
            return oddities.marker(number)
        return _ID_TEXT[service](self._digest(service, number))

    def _oddity(self, service: str, number: int) -> str | None:
        kind = self._history[service].oddities[number]
        return CONTENT_ODDITIES[kind - 1] if kind else None

    def _digest(self, service: str, number: int) -> bytes:
        name = f"{self._options.seed}:{service}:{number}".encode()
        return blake2b(name, digest_size=24).digest()

    def _values(self, service: str, number: int) -> Values:
        digest = self._digest(service, number)
        own_id = _ID_TEXT[service](digest).removeprefix("flevent_").encode()
        time = self._history[service].times[number]
        dated = self._casb_times if service in CASB_SERVICES else self._pod_times
        text = digest.hex().encode()
        return {b"id": own_id, b"hex": text, b"qid": b"6" + text[:13], **dated(time)}

    def _pod_times(self, time: Micros) -> Values:
        stamp = self._stamp(time)
        return {b"ts": stamp, b"colon": with_colon(stamp), b"utc": self._utc_stamp(time)}

    def _casb_times(self, time: Micros) -> Values:
        millis = time // 1000
        return {
            b"millis": millis,
            b"millis_before": millis - MILLIS_BEFORE,
            b"zulu": zulu_millis(time),
        }


def _templates(service: str, options: SimulatorOptions, order: str) -> list[bytes]:
    """Format strings for ``%`` with a mapping; the content is the same in every order."""
    return [_template(service, options, order, number) for number in range(TEMPLATES)]


def _template(service: str, options: SimulatorOptions, order: str, number: int) -> bytes:
    content = Random(f"{options.seed}:{service}:{number}")
    record = _SAMPLES[service](content, options)
    shuffle = Random(f"{options.seed}:{service}:{number}:{order}")
    encoded = msgspec.json.encode(_shuffled(record, shuffle)).replace(b"%", b"%%")
    for name in (b"millis", b"millis_before"):
        encoded = encoded.replace(b'"@%b@"' % name, b"%%(%b)d" % name)
    return _HOLE.sub(rb"%(\1)b", encoded)


def _shuffled(value: Any, rng: Random) -> Any:
    """The same JSON value with the keys of every object in random order."""
    if isinstance(value, dict):
        keys = list(value)
        rng.shuffle(keys)
        return {key: _shuffled(value[key], rng) for key in keys}
    if isinstance(value, list):
        return [_shuffled(item, rng) for item in value]
    return value


def _base64url(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).decode()


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest[:16]).decode().rstrip("=")


def _uuid(digest: bytes) -> str:
    text = digest[:16].hex()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:]}"


_ID_TEXT: Final[Mapping[str, Callable[[bytes], str]]] = {
    "alerts": lambda digest: digest[:16].hex(),
    "events": lambda digest: "flevent_" + digest[:16].hex(),
    "message": _base64url,
    "maillog": _base64,
    "audit": _uuid,
}
