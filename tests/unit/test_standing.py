"""When an hour is due, when it is a gap, and what the settings say about it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from collector.app.rereading import terms
from collector.core.ledger import COMPLETE, OPEN, PARTIAL, SETTLING, UNRECOVERABLE, Account
from collector.core.model import Micros
from collector.core.standing import GAP, Terms, standing
from collector.core.times import HOUR, SECOND
from tests.fakes.config import MINIMAL, settings
from tests.fakes.pulls import START, hours

TERMS = Terms(settle=HOUR, again=HOUR, margin=2 * HOUR)
END = START + HOUR


def kind(state: str, now: Micros, look: Micros | None = None) -> str:
    """How the first hour stands."""
    return standing(Account(span=hours(0, 1), state=state), look, TERMS, now).kind


@pytest.mark.parametrize("state", ["missing", OPEN, SETTLING])
def test_until_it_is_overdue_an_hour_settles(state: str) -> None:
    """An hour for the archive, two more for a run to read it."""
    assert kind(state, START) == SETTLING
    assert kind(state, END + 3 * HOUR - 1) == SETTLING
    assert kind(state, END + 3 * HOUR) == GAP


def test_a_first_run_over_a_quiet_vendor() -> None:
    """An hour of last week that held nothing is to be read again in an hour: that is no gap."""
    now = END + 200 * HOUR
    assert kind(SETTLING, now, look=now + HOUR) == SETTLING
    found = standing(Account(span=hours(0, 1), state=SETTLING), now + HOUR, TERMS, now)
    assert (found.due, found.overdue) == (now + HOUR, now + 3 * HOUR)
    assert kind(SETTLING, now + 3 * HOUR, look=now + HOUR) == GAP


def test_a_reading_that_failed_is_a_gap_at_once() -> None:
    """Whatever is still to come; and what the vendor no longer has is lost."""
    assert kind(PARTIAL, START + 1, look=END + 9 * HOUR) == GAP
    assert kind(UNRECOVERABLE, START + 1) == UNRECOVERABLE
    assert kind(COMPLETE, END + 900 * HOUR) == COMPLETE


def test_an_hour_that_was_never_read_waits_for_no_second_reading() -> None:
    """Somebody asks for it every day, and nothing comes: it stays a gap."""
    now = END + 50 * HOUR
    for state in ("missing", OPEN):
        assert kind(state, now, look=now) == GAP


def test_a_look_that_nobody_wants_so_late() -> None:
    """A clock that ran a year ahead when the hour was read hides nothing."""
    assert kind(SETTLING, END + 4 * HOUR, look=END + 9000 * HOUR) == GAP


@pytest.mark.parametrize(
    ("service", "settle"),
    [
        ({}, 3600),
        ({"archive_delay_in_seconds": 600.0}, 900),
        ({"archive_delay_in_seconds": 7200.0}, 7200),
        ({"mode": "live"}, 900),
    ],
)
def test_pod(service: dict[str, Any], settle: int) -> None:
    """The archive gives an hour after its delay; live is sure of one when late records are in."""
    document = deepcopy(MINIMAL)
    document["inputs"]["pod"]["services"]["message"] = service
    found = terms(settings(document), "pod#message", 7)
    assert found == Terms(settle=settle * SECOND, again=max(3600 * SECOND, found.again), margin=7)


def test_casb() -> None:
    """A window ends so long before now."""
    found = terms(settings(MINIMAL), "casb#alerts", 7)
    assert found == Terms(settle=60 * SECOND, again=0, margin=7)
    assert terms(settings(MINIMAL), "casb#events", 7).settle == 0
