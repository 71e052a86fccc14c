"""What ``collector status`` shows of a state in which faults stand."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from collector.app import heartbeat
from collector.app.outcome import COMPLETE, PARTIAL
from collector.cli import application
from collector.clock import SystemClock
from collector.core import times
from collector.core.health import Fault, Health, Kind, begun, failed
from collector.core.times import SECOND
from collector.persistence.sqlite import SqliteStore
from tests.fakes.config import changed
from tests.fakes.stores import START

REFUSED = Fault(
    kind=Kind.FIRST_PARTY_GENERIC,
    number=602,
    cause="192.0.2.1:6514 refuses the connection",
    remedy="check address and port",
)
LATER = msgspec.structs.replace(REFUSED, cause="198.51.100.1:6514 refuses the connection")
FULL = msgspec.structs.replace(REFUSED, number=640, cause="the spool is full")


def stood(*met: tuple[str, Fault, int, int]) -> Health:
    """The health of a subject of which these parts met faults: part, fault, second, how often."""
    health = begun(None, START)
    for part, fault, second, count in met:
        health = failed(health, part, fault, START + second * SECOND, count)
    return health


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration whose state folder is there."""
    place = {"directory_name": str(tmp_path / "state")}
    path = tmp_path / "config.yaml"
    path.write_text(json.dumps(changed("globals.persistence.config", place)), encoding="utf-8")
    return path


def shown(config: Path, rows: dict[str, Health], *options: str) -> str:
    """What is printed of such a state; the exit code says that something stands."""
    with closing(SqliteStore.open(config.parent / "state", SystemClock())) as store:
        store.health.save(rows, START + 30 * SECOND)
    command = ["status", "--config", str(config), *options]
    done = CliRunner().invoke(application(), command, env={"COLUMNS": "400"})
    assert done.exit_code == PARTIAL, done.output
    return done.stdout


def test_an_output_that_fails_in_both_lanes_is_told_once(config: Path) -> None:
    """One row with both lanes, the sum of their counts, and the last cause."""
    health = stood(("standard", REFUSED, 5, 3), ("internal", LATER, 20, 4))
    (told,) = json.loads(shown(config, {"output siem": health}, "--json"))["events"]
    assert (told["subject"], told["number"], told["count"]) == ("output siem", 602, 7)
    assert told["parts"] == ["internal", "standard"]
    assert told["cause"] == LATER.cause
    assert told["first_seen"] == times.isoformat(START + 5 * SECOND)
    assert told["last_seen"] == times.isoformat(START + 20 * SECOND)
    text = shown(config, {"output siem": health})
    assert text.count("output siem") == 1
    assert "internal, standard" in text


def test_two_faults_of_an_output_are_two_rows(config: Path) -> None:
    """What differs in number is told by itself."""
    health = stood(("standard", REFUSED, 5, 1), ("internal", FULL, 6, 1))
    told = json.loads(shown(config, {"output siem": health}, "--json"))["events"]
    assert [(each["number"], each["parts"]) for each in told] == [
        (602, ["standard"]),
        (640, ["internal"]),
    ]


def test_the_parts_of_a_source_are_told_each(config: Path) -> None:
    """They fail and recover by themselves: two rows, each with its part."""
    health = stood(("live", REFUSED, 5, 1), ("archive", REFUSED, 6, 2))
    told = json.loads(shown(config, {"pod#message": health}, "--json"))["events"]
    assert [(each["parts"], each["count"]) for each in told] == [(["live"], 1), (["archive"], 2)]


def asked(config: Path, *options: str) -> tuple[int, str]:
    """What is printed of the state as it is, and the exit code."""
    command = ["status", "--config", str(config), *options]
    done = CliRunner().invoke(application(), command, env={"COLUMNS": "400"})
    return done.exit_code, done.stdout


def test_services_that_never_ran_are_told(config: Path) -> None:
    """While none ever ran nothing is healthy, and no last run is spoken of."""
    SqliteStore.open(config.parent / "state", SystemClock()).close()
    code, text = asked(config)
    assert code == PARTIAL
    assert "none has run yet" in text
    assert text.count("not begun") == 3
    code, document = asked(config, "--json")
    told = json.loads(document)
    assert (code, told["healthy"]) == (PARTIAL, False)
    assert {each["source"]: each["state"] for each in told["sources"]} == dict.fromkeys(
        ("casb#alerts", "casb#events", "pod#message"), "not begun"
    )


def test_a_service_that_never_ran_beside_one_that_did(config: Path) -> None:
    """It is told, with the keys of every other; the health is that of those that ran."""
    with closing(SqliteStore.open(config.parent / "state", SystemClock())) as store:
        store.health.save({"pod#message": begun(None, START)}, START)
    assert asked(config)[0] == COMPLETE
    told = json.loads(asked(config, "--json")[1])
    assert told["healthy"]
    first, *others = told["sources"]
    assert [each["source"] for each in told["sources"]] == [
        "pod#message",
        "casb#alerts",
        "casb#events",
    ]
    assert all(each.keys() == first.keys() for each in others)


def test_without_a_collector_the_state_is_the_last_one(config: Path) -> None:
    """A run that was cut off leaves the state it was in: nothing collects any more."""
    rows = {"pod#message": stood(("live", REFUSED, 5, 1))}
    assert "last state" in shown(config, rows)
    heartbeat.beat(config.parent / "state", SystemClock().now())
    assert "last state" not in shown(config, rows)
