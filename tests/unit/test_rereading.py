"""Which hours a request to read again leads to."""

from __future__ import annotations

import msgspec
import pytest

from collector.app.rereading import plan, wanting
from collector.core import checkpoint as rules
from collector.core.ledger import COMPLETE, PARTIAL, STATES, UNRECOVERABLE, Account
from collector.core.model import Window
from collector.core.put_off import after_failure
from collector.core.times import DAY, HOUR
from collector.persistence.hours import Hour
from tests.fakes.config import MINIMAL, NOW, settings

SOURCE = "pod#message"


def hour(ago: int, state: str) -> Hour:
    """An hour that ended so long ago."""
    span = Window(NOW - ago - HOUR, NOW - ago)
    return Hour(source=SOURCE, account=Account(span=span, state=state), delivered={})


@pytest.mark.parametrize("state", STATES)
def test_beyond_retention(state: str) -> None:
    """The vendor has nothing of it, whatever we say."""
    old = hour(31 * DAY, state)
    assert plan(settings(MINIMAL), SOURCE, [old], NOW, again=True).out_of_reach == [
        old.account.span
    ]


def test_given_up_by_a_wrong_clock() -> None:
    """What looked too old while the clock ran ahead is within reach once it is right."""
    hours = [hour(3 * DAY, state) for state in (UNRECOVERABLE, PARTIAL, COMPLETE)]
    found = plan(settings(MINIMAL), SOURCE, hours, NOW, again=False)
    assert found.read == [hours[0].account.span, hours[1].account.span]
    assert found.known == [hours[2].account.span]
    assert found.out_of_reach == []


def test_an_hour_that_was_put_off_is_read_on_request() -> None:
    """At once, however long it was to wait."""
    owing = rules.owing(rules.started(NOW - DAY), NOW - 2 * HOUR, NOW - HOUR)
    (hour,) = owing.owed
    put_off = after_failure((), hour, NOW)
    mark = msgspec.structs.replace(rules.look_again(owing, hour, NOW - DAY), put_off=put_off)
    assert rules.due_look(mark, NOW) is None
    assert rules.due_look(wanting(mark, [hour], NOW), NOW) == hour
