"""What each worker owns, when it is started again, and which sources one must own together."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from collector.app.selection import NOTHING, Selection
from collector.app.worker_processes import units
from collector.core.workers import STEADY_SECONDS, deaths, pause, share, spread
from tests.fakes.config import MINIMAL, settings


def configured(**pod: Any) -> dict[str, Any]:
    """A CASB and a PoD input with all services."""
    document = deepcopy(MINIMAL)
    document["inputs"]["pod"] |= {"services": {"message": {}, "maillog": {}, "audit": {}}, **pod}
    return document


CASB = ["casb#alerts", "casb#events"]
POD = [["pod#message"], ["pod#maillog"], ["pod#audit"]]


def test_units_are_spread_in_turn() -> None:
    """A unit stays whole; the third of two workers' units goes to the first worker."""
    assert spread([["a", "b"], ["c"], ["d"]], 2) == [["a", "b", "d"], ["c"]]


def test_no_worker_is_idle() -> None:
    """More workers than units are not started."""
    assert spread([["a"], ["b"]], 64) == [["a"], ["b"]]
    assert spread([], 2) == []


def test_parts_of_a_budget() -> None:
    """A third of the services may use a third; no limit stays none."""
    assert (share(1000, 1, 3), share(1000, 2, 3), share(0, 1, 3)) == (333, 666, 0)


def test_pauses_grow_while_a_worker_keeps_dying() -> None:
    """Doubled to a minute at most, for ever; a steady life begins anew."""
    pauses, count = [], 0
    for _ in range(9):
        count = deaths(count, lived=1.0)
        pauses.append(pause(count))
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
    assert pause(10_000) == 60.0
    assert deaths(count, lived=STEADY_SECONDS) == 1


def test_services_that_share_token_and_quota_stay_together() -> None:
    """Those of a CASB input do; a PoD service is a unit of its own."""
    assert units(settings(configured()), Selection()) == [CASB, *POD]


def test_a_budget_too_small_to_cut_keeps_an_input_together() -> None:
    """Two sessions an hour cannot be cut for three services; no limit need not be."""
    few = configured(rate={"sessions_per_hour": 2})
    assert units(settings(few), Selection()) == [CASB, [each for (each,) in POD]]
    unlimited = configured(rate={"sessions_per_hour": 0})
    assert units(settings(unlimited), Selection()) == [CASB, *POD]


def test_only_what_is_wanted_and_enabled_is_spread() -> None:
    """An input or service that is switched off or not chosen belongs to nobody."""
    document = configured(enabled=False)
    document["inputs"]["casb"]["services"]["events"] = {"enabled": False}
    assert units(settings(document), Selection()) == [["casb#alerts"]]
    chosen = Selection(inputs={"pod"}, services={"audit", "alerts"})
    assert units(settings(configured()), chosen) == [["pod#audit"]]
    assert units(settings(configured()), NOTHING) == []


def test_a_selection_of_sources() -> None:
    """A worker runs its own sources and no other of the same input."""
    own = Selection(sources=["pod#audit"])
    assert own.has_input("pod")
    assert not own.has_input("casb")
    assert own.has_source("pod", "audit")
    assert not own.has_source("pod", "message")


def test_one_process_is_the_default() -> None:
    """More are taken where they are asked for."""
    assert settings(configured()).globals.workers == 1
    document = configured()
    document["globals"]["workers"] = 64
    assert settings(document).globals.workers == 64
