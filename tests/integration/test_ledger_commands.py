"""``collector ledger`` and ``collector backfill`` over real runs against the simulator."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner, Result

from collector.cli import application
from collector.clock import SystemClock
from collector.core import times
from collector.core.digests import unpack
from collector.core.ledger import Entry, total
from collector.core.model import Counts, Window
from collector.core.store import Commit
from collector.core.times import HOUR
from collector.demo.judge import good, judge
from collector.errors import ConfigError
from collector.persistence.seals import seal
from collector.persistence.sqlite import SqliteStore
from collector.simulator import QUIET, Simulator
from tests.fakes.forks import ran
from tests.fakes.processes import PATIENCE, Site, document, history

POD = ("message", "maillog", "audit")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[Site, Simulator]]:
    """A vendor with six quiet hours, and an installation that has collected nothing yet."""
    options = history(6, 120, QUIET, alert_burst=0)
    with Simulator(options, SystemClock()) as simulator:
        yield Site(tmp_path, document(tmp_path, simulator, options)), simulator


def within(site: Site, *words: str) -> Result:
    """A command of the collector in this process, which has loaded it already."""
    return CliRunner().invoke(application(words[:1]), [*words, "--config", str(site.config)])


def collector(site: Site, *words: str) -> subprocess.CompletedProcess[str]:
    """A command of the collector, to its end."""
    return ran([*words, "--config", str(site.config)], site.folder, PATIENCE)


def ledger(site: Site) -> list[dict[str, Any]]:
    """Every hour, as ``ledger export`` prints it."""
    exported = collector(site, "ledger", "export")
    assert exported.returncode == 0, exported.stderr
    return [json.loads(line) for line in exported.stdout.splitlines()]


def states(rows: list[dict[str, Any]], service: str) -> list[str]:
    """The states of a service's hours that hold records, oldest first."""
    return [row["state"] for row in rows if row["source"].endswith(service) and row["received"]]


def balanced(rows: list[dict[str, Any]]) -> bool:
    """Whether every received event of every hour is accounted for."""
    parts = ("spooled", "duplicate", "filtered", "dead_lettered")
    return all(row["received"] == sum(row[part] for part in parts) for row in rows)


def on_state(site: Site, statement: str, values: list[Any] | None = None) -> list[Any]:
    """Run one statement on the state of a stopped collector."""
    with closing(sqlite3.connect(site.state / "collector.db")) as db, db:
        return db.execute(statement, values or []).fetchall()


def test_every_hour_is_accounted_for_after_a_run(place: tuple[Site, Simulator]) -> None:
    """After one run each hour is done, balanced, and delivered in full to the output."""
    site, _simulator = place
    assert site.run("--once") == 0
    rows = ledger(site)
    assert balanced(rows)
    for service in POD:
        assert set(states(rows, service)) == {"complete"}
    message = [row for row in rows if row["source"] == "pod#message"]
    assert sum(row["spooled"] for row in message) == 120
    assert all(row["delivered"].get("archive", 0) == row["spooled"] for row in message)


def test_gaps_are_an_alarm_until_they_are_repaired(place: tuple[Site, Simulator]) -> None:
    """Three hours that were lost from the state are gaps; ``repair`` fills them and exits 0."""
    site, simulator = place
    assert site.run("--once") == 0
    start = min(
        row[0] for row in on_state(site, "SELECT start FROM ledger WHERE source = 'pod#message'")
    )
    hours = [start + n * HOUR for n in (1, 2, 3)]
    for hour in hours:
        on_state(site, "DELETE FROM ledger WHERE source = 'pod#message' AND start = ?", [hour])
        on_state(
            site, "DELETE FROM known WHERE source = 'pod#message' AND slot = ?", [hour // HOUR]
        )
    shown = collector(site, "ledger", "show", "--gaps", "--grace", "1", "--json")
    assert shown.returncode == 8
    told = json.loads(shown.stdout)
    gaps = {
        row["hour"]
        for row in told["hours"]
        if row["source"] == "pod#message" and row["standing"] == "gap"
    }
    assert gaps == {times.isoformat(hour) for hour in hours}
    assert told["gaps"] == 3
    table = collector(site, "ledger", "show", "--gaps", "--grace", "1")
    assert table.returncode == 8
    assert table.stdout.count("pod#message") == 1, "three hours in a row are one row"
    assert "Gaps: 3 hours" in table.stdout
    repaired = collector(site, "ledger", "repair", "--grace", "1", "--service", "message", "--yes")
    assert repaired.returncode == 0, repaired.stderr
    after = [row for row in ledger(site) if row["source"] == "pod#message"]
    assert {row["hour"] for row in after if row["state"] == "complete"} >= {
        times.isoformat(hour) for hour in hours
    }
    assert balanced(after)
    assert simulator.truth.emitted("message")


def test_the_first_run_over_a_quiet_vendor_is_no_alarm(tmp_path: Path) -> None:
    """Hours that held nothing settle until they are read again: counted apart, and exit 0."""
    options = history(4, 2, QUIET, alert_burst=0)
    with Simulator(options, SystemClock()) as simulator:
        site = Site(tmp_path, document(tmp_path, simulator, options))
        assert site.run("--once") == 0
    shown = collector(site, "ledger", "show", "--gaps", "--json")
    assert shown.returncode == 0, shown.stdout
    told = json.loads(shown.stdout)
    assert (told["gaps"], told["settling"]) == (0, len(told["hours"]))
    assert {row["standing"] for row in told["hours"]} == {"settling"}
    read_once = [row for row in told["hours"] if row["state"] == "settling"]
    assert len(read_once) >= 3
    assert all(row["hour"] < row["due"] < row["overdue"] for row in told["hours"])
    table = collector(site, "ledger", "show", "--gaps")
    assert f"Still settling, and no gap: {told['settling']} hours" in table.stdout
    assert "pod#message" not in table.stdout, "what settles is counted, not listed"
    assert "No gaps." in table.stdout


def never_came(site: Site, slot: int, digests: set[bytes]) -> None:
    """Take events of an hour out of its row."""
    hour = Window(slot * HOUR, slot * HOUR + HOUR)
    less = Counts(received=-len(digests), spooled=-len(digests))
    clock = SystemClock()
    with closing(SqliteStore.open(site.state, clock)) as store:
        checkpoint = store.checkpoint("pod#message")
        assert checkpoint is not None
        store.commit(
            Commit(
                source="pod#message",
                checkpoint=checkpoint,
                observed=clock.now(),
                entries=[Entry(span=hour, counts=less, digest=-total(digests))],
            )
        )


def test_missing_records_are_delivered_by_verify(place: tuple[Site, Simulator]) -> None:
    """Records that an hour lacks are delivered with mode ``repair``, and the row says how many."""
    site, simulator = place
    assert site.run("--once") == 0
    path = site.out / "mail.proofpoint.pod.message.ndjson"
    lines = path.read_bytes().splitlines()
    ((row, slot, committed, digests),) = on_state(
        site,
        "SELECT id, slot, committed, digests FROM known WHERE source = 'pod#message'"
        " ORDER BY slot LIMIT 1",
    )
    fewer = digests[: 5 * 16]
    sealed = seal("known", "pod#message", slot, committed, fewer)
    on_state(site, "UPDATE known SET digests = ?, seal = ? WHERE id = ?", [fewer, sealed, row])
    never_came(site, slot, unpack([digests[5 * 16 :]]))
    when = times.isoformat(slot * HOUR)
    end = times.isoformat((slot + 1) * HOUR)
    asked = ("--from", when, "--to", end, "--service", "message", "--yes")
    assert collector(site, "ledger", "verify", *asked).returncode == 0
    (hour,) = [
        each for each in ledger(site) if each["hour"] == when and "message" in each["source"]
    ]
    assert hour["state"] == "repaired"
    assert hour["repaired"] == len(digests) // 16 - 5
    added = [msgspec.json.decode(line) for line in path.read_bytes().splitlines()[len(lines) :]]
    assert [record["@collector"]["mode"] for record in added] == ["repair"] * hour["repaired"]
    assert simulator.truth.emitted("message")


def test_verify_finds_nothing_missing(place: tuple[Site, Simulator]) -> None:
    """Reading complete hours once more delivers nothing and makes them verified."""
    site, simulator = place
    assert site.run("--once") == 0
    before = site.records()
    assert collector(site, "ledger", "verify", "--yes").returncode == 0
    assert site.records() == before
    rows = ledger(site)
    for service in (*POD, "alerts"):
        assert set(states(rows, service)) == {"verified"}
    assert good(judge(simulator.truth, site.out))
    assert balanced(rows)


def test_hour_with_forgotten_ids_is_only_compared(place: tuple[Site, Simulator]) -> None:
    """Without its ids an hour is verified by count and digest, and nothing is delivered twice."""
    site, _simulator = place
    assert site.run("--once") == 0
    before = site.records()
    on_state(site, "DELETE FROM known WHERE source = 'pod#message'")
    asked = ("ledger", "verify", "--service", "message", "--yes")
    assert collector(site, *asked).returncode == 0
    assert site.records() == before
    assert set(states(ledger(site), "message")) == {"verified"}
    on_state(site, "DELETE FROM known WHERE source = 'pod#message'")
    claim_one_more(site, "pod#message")
    assert collector(site, *asked).returncode == 8
    assert site.records() == before
    assert "partial" in states(ledger(site), "message")


def test_backfill_reads_before_the_start(place: tuple[Site, Simulator]) -> None:
    """Hours before a service's start are read on request; its position does not move."""
    site, simulator = place
    start = simulator_start(site)
    late = times.isoformat(start + 4 * HOUR)
    for each in site.document["inputs"].values():
        for service in each["services"].values():
            service["initial_start_time_in_utc"] = late
    assert site.run("--once") == 0
    assert not good(judge(simulator.truth, site.out))
    before = {row.source: row.state["since_in_utc"] for row in site.report().services}
    span = ("--from", times.isoformat(start), "--to", late)
    planned = collector(site, "backfill", *span, "--plan")
    assert planned.returncode == 0
    assert {row.source: row.state["since_in_utc"] for row in site.report().services} == before
    assert not good(judge(simulator.truth, site.out))
    filled = collector(site, "backfill", *span, "--yes")
    assert filled.returncode == 0, filled.stderr
    assert good(judge(simulator.truth, site.out))
    after = {row.source: row.state["since_in_utc"] for row in site.report().services}
    assert all(after[source] >= before[source] for source in before)
    assert balanced(ledger(site))


def claim_one_more(site: Site, source: str) -> None:
    """Have each hour of a source say that one event more was delivered than there was."""
    mark = SystemClock().now()
    store = SqliteStore.open(site.state, SystemClock())
    try:
        checkpoint = store.checkpoint(source)
        assert checkpoint is not None
        hours = on_state(site, "SELECT start FROM ledger WHERE source = ? AND spooled", [source])
        more = Counts(received=1, spooled=1)
        entries = [Entry(span=Window(at, at + HOUR), counts=more, digest=1) for (at,) in hours]
        store.commit(Commit(source=source, checkpoint=checkpoint, observed=mark, entries=entries))
    finally:
        store.close()


def simulator_start(site: Site) -> int:
    """When the vendor's history begins, as the configuration has it."""
    alerts = site.document["inputs"]["casb"]["services"]["alerts"]
    return times.parse(alerts["initial_start_time_in_utc"])


def test_reading_refuses_beside_a_running_collector(place: tuple[Site, Simulator]) -> None:
    """They need the state for themselves: 7 beside a running collector, and nothing is asked."""
    site, _simulator = place
    assert site.run("--once") == 0
    store = SqliteStore.open(site.state, SystemClock())
    try:
        refused = [collector(site, "ledger", command) for command in ("verify", "repair")]
    finally:
        store.close()
    for each in refused:
        assert each.returncode == 7
        assert "another collector" in each.stderr
        assert "hours to read" not in each.stderr
        assert "?" not in each.stdout


def alarm(site: Site, *words: str) -> tuple[int, dict[str, Any]]:
    """The exit code of ``ledger show --gaps``, and what it tells."""
    shown = collector(site, "ledger", "show", "--gaps", "--json", *words)
    return shown.returncode, json.loads(shown.stdout)


def test_services_that_never_ran_are_gaps(place: tuple[Site, Simulator]) -> None:
    """From their configured start on, like any hour that nobody read; a whole input, too."""
    site, _simulator = place
    assert collector(site, "run", "--once", "--service", "audit").returncode == 0
    code, told = alarm(site, "--grace", "0")
    assert code == 8
    missing = {row["source"] for row in told["hours"] if row["standing"] == "gap"}
    assert missing == {"pod#message", "pod#maillog", "casb#alerts", "casb#events"}
    first = min(row["hour"] for row in told["hours"] if row["source"] == "casb#events")
    assert first == times.isoformat(simulator_start(site))
    assert alarm(site, "--grace", "0", "--input", "casb")[0] == 8
    assert alarm(site, "--grace", "0", "--service", "audit")[0] == 0
    end = times.isoformat(simulator_start(site) + 6 * HOUR)
    asked = ("--grace", "0", "--service", "message", "--to", end)
    repaired = collector(site, "ledger", "repair", *asked, "--yes")
    assert repaired.returncode == 0, repaired.stderr
    assert alarm(site, *asked) == (0, {"gaps": 0, "settling": 0, "not_collected": [], "hours": []})


def test_a_service_that_never_ran_and_has_no_start_is_one_gap(
    place: tuple[Site, Simulator],
) -> None:
    """Its hours cannot be named; a plan leaves it alone, and its start stays its own."""
    site, _simulator = place
    assert collector(site, "run", "--once", "--service", "audit").returncode == 0
    del site.document["inputs"]["pod"]["services"]["message"]["initial_start_time_in_utc"]
    site.config.write_text(json.dumps(site.document))
    code, told = alarm(site, "--service", "message")
    assert (code, told["gaps"]) == (8, 1)
    (row,) = told["hours"]
    assert (row["state"], row["standing"]) == ("never ran", "gap")
    table = collector(site, "ledger", "show", "--gaps", "--service", "message")
    assert "never ran" in table.stdout
    for command in ("verify", "repair"):
        left = collector(site, "ledger", command, "--service", "message", "--yes")
        assert left.returncode == 0
        assert "There is nothing to read." in left.stderr
    assert on_state(site, "SELECT source FROM checkpoint") == [("pod#audit",)]


@pytest.mark.parametrize("path", [("pod", "services", "audit"), ("pod",)])
def test_what_is_not_collected_any_more_is_no_alarm(
    place: tuple[Site, Simulator], path: tuple[str, ...]
) -> None:
    """A service or a whole input that was disabled is told apart."""
    site, _simulator = place
    assert site.run("--once") == 0
    on_state(site, "DELETE FROM ledger WHERE source = 'pod#audit'")
    assert alarm(site, "--grace", "0")[0] == 8
    block = site.document["inputs"]
    for step in path:
        block = block[step]
    block["enabled"] = False
    site.config.write_text(json.dumps(site.document))
    code, told = alarm(site, "--grace", "0")
    assert (code, told["gaps"]) == (0, 0)
    assert "pod#audit" in told["not_collected"]
    assert "pod#audit" not in {row["source"] for row in told["hours"]}
    table = collector(site, "ledger", "show", "--gaps", "--grace", "0")
    assert "Not collected any more, and no alarm:" in table.stdout
    refused = collector(site, "ledger", "show", "--service", "audit")
    assert refused.returncode == 3
    assert "no service that is configured and enabled fits" in refused.stderr


@pytest.mark.parametrize("hours", ["inf", "nan", "1e300", "1e8", "-1", "8785"])
def test_a_grace_of_no_sense_is_refused(place: tuple[Site, Simulator], hours: str) -> None:
    """It is at most a year; the message says so."""
    site, _simulator = place
    for command in ("show", "repair"):
        refused = within(site, "ledger", command, "--grace", hours)
        assert refused.exit_code == 2
        assert "--grace" in refused.output


@pytest.mark.parametrize(
    ("span", "told"),
    [
        (("--from", "0001-01-01T00:00:00Z"), "1970 to 9998"),
        (("--from", "0001-01-01T00:00:00+23:59"), "1970 to 9998"),
        (("--from", "2026-01-01", "--to", "9999-12-31T23:59:59Z"), "1970 to 9998"),
        (("--from", "1970-01-01"), "longer than ten years"),
        (("--from", "inf"), "is no time"),
        (("--from", "1e300"), "is no time"),
    ],
)
def test_a_span_of_no_sense_is_refused(
    place: tuple[Site, Simulator], span: tuple[str, ...], told: str
) -> None:
    """Each command says what is wrong with it."""
    site, _simulator = place
    for command in (("ledger", "show"), ("backfill",)):
        refused = within(site, *command, *span).exception
        assert isinstance(refused, ConfigError)
        assert told in refused.cause


def test_a_plan_for_a_service_that_never_ran_keeps_its_start(
    place: tuple[Site, Simulator],
) -> None:
    """It begins where it is configured to; without any state the remedy is to run."""
    site, _simulator = place
    none = collector(site, "ledger", "show", "--gaps")
    assert none.returncode == 7
    assert "run the collector once" in none.stderr
    assert collector(site, "run", "--once", "--service", "audit").returncode == 0
    start = simulator_start(site)
    late = times.isoformat(start + 4 * HOUR)
    site.document["inputs"]["pod"]["services"]["message"]["initial_start_time_in_utc"] = late
    site.config.write_text(json.dumps(site.document))
    span = ("--from", times.isoformat(start), "--to", times.isoformat(start + 2 * HOUR))
    filled = collector(site, "backfill", *span, "--service", "message", "--yes")
    assert filled.returncode == 0, filled.stderr
    message = [row for row in ledger(site) if row["source"] == "pod#message"]
    assert {row["hour"] for row in message} >= {times.isoformat(start), late}
    (state,) = [row.state for row in site.report().services if row.source == "pod#message"]
    assert state["initial_start_time_in_utc"] == late
