"""Instants and their spellings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from collector.core import times
from collector.core.model import Window
from collector.core.times import DAY, HOUR, SECOND
from tests.fakes.pulls import START


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00:00.000000",
        "2025-12-31T16:00:00.000000-0800",
        "2025-12-31T16:00:00-08:00",
        "2026-01-01T05:45:00+0545",
        "2026-01-01T01:00:00.000+0100",
        "2026-01-01",
    ],
)
def test_spellings(text: str) -> None:
    """Every spelling of one instant that was seen on the wire is read alike."""
    assert times.parse(text) == START


@pytest.mark.parametrize("text", ["", "yesterday", "2026-02-30T00:00:00Z", "1767225600"])
def test_no_time(text: str) -> None:
    """What is no time is refused."""
    with pytest.raises(ValueError, match=r".+"):
        times.parse(text)


def test_naive_is_utc() -> None:
    """A datetime without a zone is meant as UTC, whatever the machine's zone."""
    moment = datetime(2026, 1, 1)  # noqa: DTZ001 - that it has no zone is the point
    assert times.from_datetime(moment) == START


def test_datetime_round_trip() -> None:
    """An instant survives the way to a datetime and back, to the microsecond."""
    moment = times.to_datetime(START + 1)
    assert moment == datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC)
    assert times.from_datetime(moment.astimezone(timezone(timedelta(hours=5.5)))) == START + 1


def test_isoformat() -> None:
    """The text form has microseconds only where there are any."""
    assert times.isoformat(START) == "2026-01-01T00:00:00Z"
    assert times.isoformat(START + 1500) == "2026-01-01T00:00:00.001500Z"


def test_minute_is_rounded_down() -> None:
    """A start time for CASB never skips the minute it is in."""
    assert times.minute(START + 119 * SECOND) == "2026-01-01T00:01"


@pytest.mark.parametrize(
    ("instant", "floor", "ceiling"),
    [
        (START, START, START),
        (START + 1, START, START + HOUR),
        (START - 1, START - HOUR, START),
    ],
)
def test_whole_hours(instant: int, floor: int, ceiling: int) -> None:
    """The start of an hour belongs to that hour."""
    assert times.floor_hour(instant) == floor
    assert times.ceil_hour(instant) == ceiling
    assert times.hour_of(instant) == Window(floor, floor + HOUR)


def test_next_midnight() -> None:
    """Midnight itself is followed by the next one."""
    assert times.next_midnight(START) == START + DAY
    assert times.next_midnight(START - 1) == START
