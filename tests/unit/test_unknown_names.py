"""A name on the command line that means nothing: one error, whichever command was given it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from collector.app.probing import chosen
from collector.app.rereading import sources
from collector.config.names import UNKNOWN_NAME, refuse_unknown, unknown
from collector.errors import ConfigError
from tests.fakes.config import MINIMAL, settings


def of_a_test() -> None:
    """``collector test nobody``."""
    chosen(settings(MINIMAL), ["nobody"])


def of_dead_letters() -> None:
    """``collector dead-letters list --output nobody``."""
    refuse_unknown("output", "nobody", ["relay"], ["gone"], "dead letters")


def of_the_ledger() -> None:
    """``collector ledger show --input nobody``."""
    sources(settings(MINIMAL), ["nobody"], [])


@pytest.mark.parametrize("refused", [of_a_test, of_dead_letters, of_the_ledger])
def test_one_number_for_all(refused: Callable[[], None]) -> None:
    """It is looked up once, and a script can wait for it."""
    with pytest.raises(ConfigError, match="is called nobody") as caught:
        refused()
    assert caught.value.number == UNKNOWN_NAME


def test_all_that_there_is_is_named() -> None:
    """Whoever mistyped reads the right name; an empty list is told, too."""
    error = unknown("input or service", ["x", "y"], {"inputs": ["pod", "casb"], "services": []})
    assert error.cause == "no input or service is called x, y"
    assert error.remedy == "inputs: casb, pod; services: none"


def test_a_slip_of_the_pen_is_recognised() -> None:
    """The name that was meant comes first."""
    error = unknown("input", ["pdo"], {"configured": ["pod", "casb"]})
    assert error.remedy == "did you mean pod? configured: casb, pod"


def test_a_choice_of_services_lists_both_kinds_of_names() -> None:
    """For what ``--input`` and ``--service`` name, whichever command has them."""
    with pytest.raises(ConfigError) as caught:
        sources(settings(MINIMAL), ["casb", "pdo"], ["massage"])
    assert caught.value.cause == "no input or service is called pdo, massage"
    assert caught.value.remedy == (
        "did you mean pod, message? inputs: casb, pod; "
        "services: alerts, audit, events, maillog, message"
    )


def test_names_that_exist_and_leave_nothing() -> None:
    """They are no slip of the pen."""
    with pytest.raises(ConfigError, match="21: no service that is configured and enabled fits"):
        sources(settings(MINIMAL), ["pod"], ["audit"])


def test_what_is_no_longer_configured_is_told_apart() -> None:
    """It has a name still: something is stored under it."""
    with pytest.raises(ConfigError) as caught:
        of_dead_letters()
    assert caught.value.remedy == (
        "configured: relay; no longer configured, with dead letters: gone"
    )
