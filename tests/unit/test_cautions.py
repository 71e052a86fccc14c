"""What is allowed and yet unwise is a warning, with path, reason and fix."""

from __future__ import annotations

from typing import Any

import pytest

from collector.config.cautions import cautions
from collector.config.problems import Problem
from tests.fakes.config import MINIMAL, changed, settings

MESSAGE = "inputs.pod.services.message"
ALERTS = "inputs.casb.services.alerts"


def warned(document: dict[str, Any]) -> list[Problem]:
    """What is to be warned of."""
    return cautions(settings(document))


def test_the_minimal_configuration_is_wise() -> None:
    """No default of ours deserves a warning."""
    assert warned(MINIMAL) == []


CASES: dict[str, tuple[str, dict[str, Any], str]] = {
    "live without archive": (MESSAGE, {"mode": "live"}, "mode"),
    "the server's memory": (
        MESSAGE,
        {"server_memory_in_seconds": 7200.0},
        "server_memory_in_seconds",
    ),
    "the archive's reach": (MESSAGE, {"retention_in_hours": 721.0}, "retention_in_hours"),
    "an interval over 30 days": (
        MESSAGE,
        {
            "mode": "archive",
            "request_period_in_seconds": 2_600_000.0,
            "silence_limit_in_seconds": 0.0,
        },
        "request_period_in_seconds",
    ),
    "pings too far apart": (
        MESSAGE,
        {"ping_interval_in_seconds": 300.0},
        "ping_interval_in_seconds",
    ),
    "silence that is normal": (
        ALERTS,
        {"silence_limit_in_seconds": 600.0},
        "silence_limit_in_seconds",
    ),
    "silence of the archive": (
        MESSAGE,
        {"mode": "archive", "silence_limit_in_seconds": 7200.0},
        "silence_limit_in_seconds",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_warning(case: str) -> None:
    """One, at its setting."""
    block, found, setting = CASES[case]
    (caution,) = warned(changed(block, found))
    assert caution.path == f"{block}.{setting}"
    assert caution.reason
    assert caution.fix
    assert caution.value


OUTRUN: dict[str, tuple[dict[str, float], str, str]] = {
    "a short retention": ({"retention_in_hours": 1.0}, "retention_in_hours", "at least 3"),
    "a long delay": (
        {"archive_delay_in_seconds": 3_600_000.0},
        "archive_delay_in_seconds",
        "write 3600 or less",
    ),
    "both": (
        {"retention_in_hours": 1.0, "archive_delay_in_seconds": 3_600_000.0},
        "archive_delay_in_seconds",
        "write 3600 or less, and 718 for retention_in_hours",
    ),
    "a long period": (
        {"request_period_in_seconds": 2_581_200.0, "archive_delay_in_seconds": 0.0},
        "request_period_in_seconds",
        "write 3600 or less",
    ),
}


@pytest.mark.parametrize("case", OUTRUN)
def test_hours_that_leave_the_archive_too_soon(case: str) -> None:
    """The setting at fault is named with what it holds, and its fix is one."""
    block, setting, fix = OUTRUN[case]
    (caution,) = warned(changed(MESSAGE, block))
    assert caution.path == f"{MESSAGE}.{setting}"
    assert fix in caution.fix
    assert float(caution.value or "") == block[setting]
    assert "e+" not in f"{caution.value}"
    mended = {"retention_in_hours": 3.0} if setting == "retention_in_hours" else {setting: 3600.0}
    whole = {"retention_in_hours": 718.0} if "718 for" in caution.fix else {}
    assert warned(changed(MESSAGE, block | mended | whole)) == []


def test_more_pulls_than_calls() -> None:
    """Two services a minute each are 2,880 calls a day; 1,000 are allowed."""
    document = changed("inputs.casb.services", {"alerts": {}, "events": {}})
    for service in document["inputs"]["casb"]["services"].values():
        service["request_period_in_seconds"] = 60.0
    (caution,) = warned(document)
    assert caution.path == "inputs.casb.rate.calls_per_day"
    assert "2880" in caution.reason
    document["inputs"]["casb"]["rate"] = {"calls_per_day": 0}
    assert warned(document) == []


def test_what_is_switched_off_is_not_warned_of() -> None:
    """Neither a service nor an input."""
    live = {"mode": "live"}
    assert warned(changed(MESSAGE, live | {"enabled": False})) == []
    document = changed(MESSAGE, live)
    document["inputs"]["pod"]["enabled"] = False
    assert warned(document) == []


def test_two_inputs_of_one_tenant() -> None:
    """Each counts its own calls, the vendor those of both."""
    document = changed("inputs.casb.services", {"alerts": {}})
    other = {**document["inputs"]["casb"], "services": {"events": {}}}
    document["inputs"]["casb2"] = other
    (caution,) = warned(document)
    assert caution.path == "inputs.casb2.rate.calls_per_day"
    assert "inputs.casb" in caution.reason
    other["enabled"] = False
    assert warned(document) == []


def streams(**other: Any) -> list[str]:
    """What is warned of where a second input asks as the first does, but for this."""
    one = {
        "type": "websocket",
        "uri": "wss://stream.example.com/v1",
        "credentials": {"strategy": "bearer", "token": "secret"},
        "services": {"stream": {"codec": "json"}},
    }
    found = warned(MINIMAL | {"inputs": {"one": one, "other": one | other}})
    return [each.path for each in found if each.path.endswith(".uri")]


def test_one_stream_twice() -> None:
    """The same address with the same credentials; any other is another stream."""
    assert streams() == ["inputs.other.uri"]
    assert streams(uri="wss://stream.example.com/v2") == []
    assert streams(credentials={"strategy": "bearer", "token": "another"}) == []
    subscription = {"stream": {"codec": "json", "initial_message": "subscribe: b"}}
    assert streams(services=subscription) == []
    assert streams(enabled=False) == []


@pytest.mark.parametrize("off", ["inputs.casb.enabled", "inputs.casb.services.alerts.enabled"])
def test_nothing_is_collected(off: str) -> None:
    """All is disabled, by input or by service: valid, and worth a word."""
    document = changed("inputs.casb.services", {"alerts": {}})
    del document["inputs"]["pod"]
    assert warned(document) == []
    *steps, last = off.split(".")
    block: Any = document
    for step in steps:
        block = block[step]
    block[last] = False
    (caution,) = warned(document)
    assert (caution.path, "nothing is collected" in caution.reason) == ("inputs", True)
