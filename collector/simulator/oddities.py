"""What makes one record odd: changes to its content, each seen in production.

See docs/vendor-notes.md, PoD 4 and 6, CASB A3, trap 2.  A record without its id
carries its number in a marker, so that it can be told from its siblings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from collector.simulator.options import POD_SERVICES, SimulatorOptions

ID_FIELDS: Final[Mapping[str, str]] = {
    "alerts": "id",
    "events": "eventId",
    "message": "guid",
    "maillog": "id",
    "audit": "guid",
}
TIME_FIELDS: Final[Mapping[str, str]] = {
    "alerts": "timestamp",
    "events": "timestamp",
    "message": "ts",
    "maillog": "ts",
    "audit": "ts",
}
MARKER: Final = "x-simulator-number"

_BROKEN_BYTES: Final = "@broken@"
_REPLACEMENTS: Final = {
    "invalid_utf8": b"caf\xe9 \xff\xfe \xc3",
    "control_characters": b"raw\ttab, raw\nline end, \x01\x02 and \x7f",
}


def marker(number: int) -> str:
    """The identity of a record that has no id of its own."""
    return f"{MARKER}:{number}"


def make_odd(
    raw: bytes, oddity: str, service: str, number: int, options: SimulatorOptions
) -> bytes:
    """The record with one oddity of ``options.CONTENT_ODDITIES``; its key order stays."""
    if oddity == "unparsable":
        # Halves of two records may be the same bytes, and would pass for one that is repeated.
        return raw[: len(raw) // 2] + marker(number).encode() if service in POD_SERVICES else raw
    record = msgspec.json.decode(raw)
    _CHANGES[oddity](record, service, number, options)
    encoded = msgspec.json.encode(record)
    broken = _REPLACEMENTS.get(oddity)
    return encoded.replace(_BROKEN_BYTES.encode(), broken) if broken else encoded


Record = dict[str, Any]


def _drop_id(record: Record, service: str, number: int, _options: SimulatorOptions) -> None:
    del record[ID_FIELDS[service]]
    if service == "message":
        record["msg"]["header"][MARKER] = [str(number)]
    else:
        record[MARKER] = str(number)


def _drop_time(record: Record, service: str, _number: int, _options: SimulatorOptions) -> None:
    del record[TIME_FIELDS[service]]


def _spoil_time(record: Record, service: str, _number: int, _options: SimulatorOptions) -> None:
    record[TIME_FIELDS[service]] = "not a time"


def _break_text(record: Record, service: str, _number: int, _options: SimulatorOptions) -> None:
    if service == "message":
        record["msg"]["header"]["subject"] = [_BROKEN_BYTES]
    else:
        name = {"alerts": "title", "events": "resource", "maillog": "data"}.get(service, "note")
        record[name] = _BROKEN_BYTES


def _grow(record: Record, service: str, _number: int, options: SimulatorOptions) -> None:
    if service == "message":
        record["msgParts"][0]["textExtracted"] = "x" * options.huge_record_bytes


def _odd_keys(record: Record, service: str, _number: int, _options: SimulatorOptions) -> None:
    if service == "message":
        record["msgParts"][0]["metadata"] = {"Creation Date": 1, "dc:title": "x", "pdf.pages": "3"}


def _colon_offset(record: Record, service: str, _number: int, _options: SimulatorOptions) -> None:
    time = record[TIME_FIELDS[service]]
    if isinstance(time, str) and time[-5] in "+-":
        record[TIME_FIELDS[service]] = f"{time[:-2]}:{time[-2:]}"


_CHANGES: Final[Mapping[str, Callable[[Record, str, int, SimulatorOptions], None]]] = {
    "missing_id": _drop_id,
    "missing_time": _drop_time,
    "unreadable_time": _spoil_time,
    "invalid_utf8": _break_text,
    "control_characters": _break_text,
    "huge_record": _grow,
    "odd_keys": _odd_keys,
    "colon_offset": _colon_offset,
}
