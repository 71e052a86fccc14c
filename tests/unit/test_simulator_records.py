"""The simulator's records: their shape, their oddities, their identity."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from collector.core.times import HOUR, parse
from collector.simulator import identity
from collector.simulator.history import History
from collector.simulator.oddities import ID_FIELDS, TIME_FIELDS
from collector.simulator.options import POD_SERVICES, SERVICES, SimulatorOptions
from collector.simulator.records import TEMPLATES, Records
from collector.simulator.stamps import gateway_stamp, is_summer
from tests.fakes.vendor import START, quiet_options

ID_FORMS = {
    "alerts": r"[0-9a-f]{32}",
    "events": r"flevent_[0-9a-f]{32}",
    "message": r"[A-Za-z0-9_-]{32}",
    "maillog": r"[A-Za-z0-9+/]{22}",
    "audit": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
}


def make(options: SimulatorOptions) -> tuple[Records, History]:
    """The records of a vendor."""
    history = History(options)
    return Records(options, history), history


def decoded(records: Records, service: str, count: int) -> list[dict[str, Any]]:
    """The first records of a service."""
    return [msgspec.json.decode(records.render(service, number)) for number in range(count)]


@pytest.mark.parametrize("service", SERVICES)
def test_records_have_the_vendors_id_and_no_hole_is_left(service: str) -> None:
    """Ids have the documented form, are unique, and templates are filled in."""
    records, history = make(quiet_options())
    count = min(len(history[service].times), 3 * TEMPLATES)
    ids = [record[ID_FIELDS[service]] for record in decoded(records, service, count)]
    assert all(re.fullmatch(ID_FORMS[service], one) for one in ids)
    assert len(set(ids)) == count
    assert not re.search(rb"@[a-z_]+@|%\(", b"".join(records.render(service, n) for n in range(99)))


@pytest.mark.parametrize("service", SERVICES)
def test_time_in_the_record_is_the_time_in_the_history(service: str) -> None:
    """Every spelling of the time gives back the instant."""
    records, history = make(quiet_options())
    for number, record in enumerate(decoded(records, service, 50)):
        value = record[TIME_FIELDS[service]]
        instant = value * 1000 if isinstance(value, int) else parse(value)
        assert instant == history[service].times[number]


@pytest.mark.parametrize("service", POD_SERVICES)
def test_archive_has_the_same_content_in_another_key_order(service: str) -> None:
    """Live and archive differ in bytes, not in content."""
    records, _ = make(quiet_options(colon_offset_rate=0.3))
    pairs = [
        (records.render(service, number), records.render(service, number, archived=True))
        for number in range(100)
    ]
    assert all(msgspec.json.decode(live) == msgspec.json.decode(old) for live, old in pairs)
    assert any(live != old for live, old in pairs)


@pytest.mark.parametrize("service", SERVICES)
def test_identity_of_a_record_is_what_the_truth_expects(service: str) -> None:
    """With an id or without one, live or from the archive."""
    records, history = make(quiet_options(missing_id_rate=0.3))
    count = len(history[service].times)
    for archived in (False, True):
        found = [
            identity(service, msgspec.json.decode(records.render(service, n, archived=archived)))
            for n in range(count)
        ]
        assert found == [records.identity(service, n) for n in range(count)]
        assert len(set(found)) == count
    without = [r for r in decoded(records, service, count) if ID_FIELDS[service] not in r]
    assert without


def test_foreign_record_has_no_identity() -> None:
    """A record that the simulator never made is an error, not a silent match."""
    with pytest.raises(ValueError, match="neither an id"):
        identity("message", {"msg": {"header": {}}})


@pytest.mark.parametrize("service", SERVICES)
def test_missing_and_unreadable_times(service: str) -> None:
    """A record may come without its time, or with a text that is none."""
    records, _ = make(quiet_options(missing_time_rate=1.0))
    assert TIME_FIELDS[service] not in decoded(records, service, 1)[0]
    records, _ = make(quiet_options(unreadable_time_rate=1.0))
    assert decoded(records, service, 1)[0][TIME_FIELDS[service]] == "not a time"


@pytest.mark.parametrize("service", SERVICES)
def test_broken_text_is_really_broken(service: str) -> None:
    """Invalid UTF-8 does not decode; raw control characters are in a string."""
    records, _ = make(quiet_options(invalid_utf8_rate=1.0))
    with pytest.raises(UnicodeDecodeError):
        records.render(service, 0).decode()
    records, _ = make(quiet_options(control_characters_rate=1.0))
    raw = records.render(service, 0)
    assert b"\t" in raw
    assert b"\n" in raw
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(raw)


def test_huge_messages_and_odd_keys() -> None:
    """A message may exceed 1 MiB, and document properties have keys of any kind."""
    records, _ = make(quiet_options(huge_record_rate=1.0))
    assert len(records.render("message", 0)) > 1024 * 1024
    records, _ = make(quiet_options(odd_keys_rate=1.0))
    keys = decoded(records, "message", 1)[0]["msgParts"][0]["metadata"]
    assert {"Creation Date", "dc:title", "pdf.pages"} <= set(keys)


def test_unparsable_records_are_cut() -> None:
    """PoD sends half a record; a CASB page stays readable."""
    records, _ = make(quiet_options(unparsable_rate=1.0))
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(records.render("message", 0))
    assert records.is_unparsable("message", 0)
    assert not records.is_unparsable("alerts", 0)
    assert decoded(records, "alerts", 1)


def test_maillog_pri_and_stat_as_the_vendor_writes_them() -> None:
    """Pri is text or a number; stat is cut at the first equals sign, data is whole."""
    records, _ = make(quiet_options(numeric_pri_rate=0.5, truncated_stat_rate=0.5))
    lines = [r["sm"] | {"data": r["data"]} for r in decoded(records, "maillog", TEMPLATES)]
    delivered = [line for line in lines if "stat" in line]
    assert {type(line["pri"]) for line in delivered} == {int, str}
    cut = [line for line in delivered if line["stat"].endswith("[InternalId")]
    assert 0 < len(cut) < len(delivered)
    assert all("Queued mail for delivery" in line["data"] for line in delivered)


def test_alerts_and_events_come_with_lists_empty_lists_and_without() -> None:
    """The list that is split may be there, empty or absent."""
    records, _ = make(quiet_options())
    for service, name in (("alerts", "related_events"), ("events", "additionalProperties")):
        lists = [record.get(name) for record in decoded(records, service, TEMPLATES)]
        assert {None if found is None else len(found) > 0 for found in lists} == {None, True, False}


@pytest.mark.parametrize(
    ("text", "summer"),
    [
        ("2026-03-29T00:59:59Z", False),
        ("2026-03-29T01:00:00Z", True),
        ("2026-10-25T00:59:59Z", True),
        ("2026-10-25T01:00:00Z", False),
        ("2026-12-31T23:59:59Z", False),
    ],
)
def test_daylight_saving_by_the_european_rule(text: str, summer: bool) -> None:  # noqa: FBT001
    """It changes at 01:00 UTC on the last Sundays of March and October."""
    assert is_summer(parse(text)) is summer


def test_gateway_stamp_changes_its_offset_with_the_season() -> None:
    """The local time is right on both sides of the change, and parses back."""
    write = gateway_stamp(1, daylight_saving=True)
    change = parse("2026-03-29T01:00:00Z")
    assert write(change - 1) == b"2026-03-29T01:59:59.999999+0100"
    assert write(change) == b"2026-03-29T03:00:00.000000+0200"
    assert gateway_stamp(-5, daylight_saving=False)(START) == b"2025-12-31T19:00:00.000000-0500"
    assert parse(write(START + HOUR).decode()) == START + HOUR
