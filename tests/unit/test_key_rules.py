"""Which tokens may be shared: one session per token and type (STE-14 to STE-17)."""

from __future__ import annotations

from typing import Any

import pytest

from collector.config.problems import InvalidConfig
from tests.fakes.config import MINIMAL, changed, only, problems, settings

SECRET = "canary-token"


def pods(*inputs: dict[str, Any]) -> dict[str, Any]:
    """A configuration with these PoD inputs; each is its services, tokens and switches."""
    made = {}
    for number, each in enumerate(inputs):
        credentials = {"cluster_id": "acme_hosted", "token": each.pop("token", SECRET)}
        archive = each.pop("archive_token", None)
        services: dict[str, Any] = {name: {} for name in each.pop("services")}
        made[f"pod{number}"] = {
            "type": "proofpoint_pod",
            "credentials": credentials | ({"archive_token": archive} if archive else {}),
            "services": services,
            **each,
        }
    return MINIMAL | {"inputs": made}


ALLOWED: dict[str, list[dict[str, Any]]] = {
    "one connector, one key (STE-14)": [{"services": ["message", "maillog", "audit"]}],
    "one connector a type, one key (STE-15)": [
        {"services": ["message"]},
        {"services": ["maillog"]},
    ],
    "a key each (STE-16, STE-17)": [
        {"services": ["message", "maillog"]},
        {"services": ["message", "maillog"], "token": "another"},
    ],
    "one that is switched off": [
        {"services": ["message"]},
        {"services": ["message"], "enabled": False},
    ],
}


@pytest.mark.parametrize("case", ALLOWED)
def test_allowed(case: str) -> None:
    """Types that differ share a key; the same type has a key each."""
    assert problems(pods(*(dict(each) for each in ALLOWED[case]))) == ()


@pytest.mark.parametrize("service", ["message", "maillog", "audit"])
def test_refused_across_inputs(service: str) -> None:
    """The same type on one key: told at the second, naming the first, without the key."""
    problem = only(pods({"services": [service]}, {"services": [service]}))
    assert problem.path == "inputs.pod1.credentials.token"
    assert "inputs.pod0.credentials.token" in problem.reason
    assert service in problem.reason
    assert "second token" in problem.fix
    assert SECRET not in str(problem)


def test_refused_within_an_input() -> None:
    """An archive token that is the live token opens two sessions of one type, too."""
    found = problems(pods({"services": ["message"], "archive_token": SECRET}))
    assert [each.path for each in found] == ["inputs.pod0.credentials.archive_token"]


def test_refused_between_live_and_archive() -> None:
    """One's archive token may not be another's live token."""
    found = problems(
        pods(
            {"services": ["audit"], "token": "a", "archive_token": SECRET},
            {"services": ["audit"]},
        )
    )
    assert [each.path for each in found] == ["inputs.pod1.credentials.token"]


def test_every_type_that_collides_is_told() -> None:
    """Two types on one key in two inputs: both are named, and the whole is a config error."""
    with pytest.raises(InvalidConfig) as raised:
        settings(pods({"services": ["message", "audit"]}, {"services": ["message", "audit"]}))
    assert [problem.path for problem in raised.value.problems] == [
        "inputs.pod1.credentials.token"
    ] * 2
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize("name", ["tenant-ü", "a b", "x" * 65, "日本", ""])
@pytest.mark.parametrize("where", ["globals.name", "inputs", "outputs"])
def test_names(where: str, name: str) -> None:
    """Names are short and ASCII: no multibyte characters (STE-24)."""
    if where == "globals.name":
        document = changed(where, name)
    else:
        kept = next(iter(MINIMAL[where]))
        document = MINIMAL | {where: MINIMAL[where] | {name: MINIMAL[where][kept]}}
        if where == "inputs":
            document[where].pop(kept)
    found = problems(document)
    assert found
    assert "no name" in found[0].reason
