"""The fault script: what is accepted, and which calls and sessions it hits."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collector.core.times import SECOND
from collector.errors import ConfigError
from collector.simulator import Fault, load_faults
from collector.simulator.faults import Script
from collector.simulator.scripts import demo_faults


def hits(script: Script, count: int, now: int = 0, **call: Any) -> list[bool]:
    """Which of so many calls of the alerts service are hit."""
    return [script.for_call("alerts", now, **call) is not None for _ in range(count)]


def test_nth_and_count_choose_the_calls() -> None:
    """The nth matching call and the count - 1 after it are hit, no others."""
    script = Script([Fault(service="alerts", action="status", nth=2, count=2)], 0)
    assert hits(script, 5) == [False, True, True, False, False]


def test_calls_count_from_the_faults_time_on() -> None:
    """Calls before after_seconds neither count nor are hit."""
    script = Script([Fault(service="alerts", action="status", after_seconds=10)], 5 * SECOND)
    assert hits(script, 3, now=15 * SECOND - 1) == [False] * 3
    assert hits(script, 2, now=15 * SECOND) == [True, False]


def test_faults_keep_to_their_service_and_mode() -> None:
    """A fault for archive handshakes leaves live ones and other services alone."""
    script = Script([Fault(service="message", action="status", mode="archive")], 0)
    assert script.for_call("maillog", 0, mode="archive") is None
    assert script.for_call("message", 0, mode="live") is None
    assert script.for_call("message", 0, mode="archive") is not None


def test_refused_cursor_waits_for_a_call_with_a_cursor() -> None:
    """Calls without a cursor do not use the fault up."""
    script = Script([Fault(service="events", action="refuse_cursor")], 0)
    assert script.for_call("events", 0) is None
    assert script.for_call("events", 0, cursor=True) is not None


def test_stream_faults_strike_count_sessions_once_each() -> None:
    """From the nth session on, when so many records were written."""
    fault = Fault(service="message", action="reset", nth=2, count=2, after_records=10)
    script = Script([fault], 0)
    struck = []
    for _ in range(5):
        planned = script.for_session("message", "live")
        struck.append(any(one.strikes(written, 0) for one in planned for written in range(12)))
    assert struck == [False, True, True, False, False]


def test_stream_fault_strikes_within_a_session_when_its_time_comes() -> None:
    """The time counts inside the session, not at its opening."""
    script = Script([Fault(service="audit", action="eof", after_seconds=20)], 0)
    (planned,) = script.for_session("audit", "live")
    assert not planned.strikes(0, 19 * SECOND)
    assert planned.strikes(0, 20 * SECOND)


@pytest.mark.parametrize(
    "fields",
    [
        {"service": "alerts", "action": "status", "when": 3},
        {"service": "alerts", "action": "explode"},
        {"service": "mail", "action": "status"},
        {"service": "alerts", "action": "reset"},
        {"service": "message", "action": "cut_body"},
        {"service": "alerts", "action": "refuse_cursor"},
        {"service": "alerts", "action": "status", "mode": "live"},
        {"service": "alerts", "action": "status", "nth": 0},
    ],
)
def test_bad_fault_is_refused_with_a_remedy(tmp_path: Path, fields: dict[str, Any]) -> None:
    """Unknown keys and impossible combinations raise ConfigError."""
    path = tmp_path / "faults.json"
    path.write_text(json.dumps([fields]))
    with pytest.raises(ConfigError) as caught:
        load_faults(path)
    assert caught.value.remedy


def test_script_file(tmp_path: Path) -> None:
    """A JSON file holds a list of faults; a broken one names itself."""
    path = tmp_path / "faults.json"
    path.write_text('[{"service": "events", "action": "slow", "seconds": 3}]')
    assert load_faults(path) == [Fault(service="events", action="slow", seconds=3)]
    path.write_text('[{"service": "events"}]')
    with pytest.raises(ConfigError, match=r"faults\.json"):
        load_faults(path)


@pytest.mark.parametrize(
    "wanted",
    [
        lambda fault: fault.action == "expire_tokens",
        lambda fault: fault.status == 429 and fault.retry_after is not None,
        lambda fault: fault.action == "status" and fault.status == 503,
        lambda fault: fault.action == "cut_body",
        lambda fault: fault.action == "refuse_cursor",
        lambda fault: (fault.service, fault.action, fault.mode) == ("message", "reset", "live"),
        lambda fault: (fault.service, fault.action, fault.close_code) == ("maillog", "close", 1000),
        lambda fault: fault.status == 409,
        lambda fault: fault.mode == "archive",
    ],
)
def test_demo_script_holds_each_common_failure(wanted: Callable[[Fault], bool]) -> None:
    """The demo shows every failure that a collector meets in its first month."""
    assert any(wanted(fault) for fault in demo_faults())
