"""What ``collector ledger show`` says of a span with little in it, or of no state at all."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner, Result

from collector.cli import application
from collector.clock import SystemClock
from collector.core import times
from collector.core.checkpoint import Checkpoint, started
from collector.core.ledger import OPEN
from collector.core.store import Commit
from collector.core.times import HOUR, SECOND
from collector.errors import ConfigError, StateError
from collector.persistence.damage import DAMAGED
from collector.persistence.hours import MISSING
from collector.persistence.sqlite import SqliteStore
from tests.fakes.config import changed
from tests.fakes.stores import START

ALERTS = ("--input", "casb", "--service", "alerts")


class Site:
    """A configuration, and a state in which the alerts stand where it is said."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "state"
        place = {"directory_name": str(self.state)}
        self.config = folder / "config.yaml"
        self.config.write_text(json.dumps(changed("globals.persistence.config", place)))

    def stands(self, mark: Checkpoint) -> None:
        """Where the alerts have come to."""
        with closing(SqliteStore.open(self.state, SystemClock())) as store:
            store.commit(Commit(source="casb#alerts", checkpoint=mark, observed=START))

    def show(self, *options: str) -> Result:
        """``collector ledger show`` of the alerts."""
        command = ["ledger", "show", *ALERTS, *options, "--config", str(self.config)]
        return CliRunner().invoke(application(), command)

    def states(self, hours: int) -> list[str]:
        """The states of so many hours from the start on."""
        span = ("--from", times.isoformat(START), "--to", times.isoformat(START + hours * HOUR))
        found: dict[str, Any] = json.loads(self.show("--json", *span).stdout)
        return [each["state"] for each in found["hours"]]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """An installation without a state."""
    return Site(tmp_path)


def test_no_hours_are_told(site: Site) -> None:
    """Instead of headings with nothing below them."""
    site.stands(started(START))
    shown = site.show("--to", times.isoformat(START))
    assert (shown.exit_code, shown.stdout) == (0, "No hours in this span.\n")


def test_no_output_begins_with_an_empty_line(site: Site) -> None:
    """Whatever is said first: here that hours settle."""
    site.stands(started(SystemClock().now() - HOUR))
    shown = site.show("--gaps")
    assert shown.stdout.startswith("Still settling, and no gap:")


def test_a_span_in_the_future(site: Site) -> None:
    """It is told by itself: there need not be a --to that it would be after."""
    refused = site.show("--from", "2999-01-01T00:00:00Z").exception
    assert isinstance(refused, ConfigError)
    assert "--from lies in the future (it is now" in refused.cause


def test_an_hour_that_is_read_as_far_as_it_went_is_open(site: Site) -> None:
    """Somebody has read in it, though nothing came; only the hours after it nobody has read."""
    half = START + HOUR + 1800 * SECOND
    site.stands(msgspec.structs.replace(started(START + HOUR), since=half))
    assert site.states(3) == [OPEN, MISSING]
    site.stands(started(half))
    assert site.states(3) == [MISSING, MISSING], "it begins there, and nothing is read yet"


def test_a_damaged_state_that_was_set_aside_is_named(site: Site) -> None:
    """To run the collector once would be no way out: each start is refused."""
    site.state.mkdir()
    kept = site.state / "collector.db.damaged-20260101T000000Z"
    kept.write_bytes(b"damaged")
    refused = site.show().exception
    assert isinstance(refused, StateError)
    assert refused.number == DAMAGED
    assert str(kept) in refused.cause
    assert "restore a backup" in refused.remedy
