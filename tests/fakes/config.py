"""A small valid configuration that tests change one thing in."""

from copy import deepcopy
from pathlib import Path
from typing import Any

from collector.config.load import parse
from collector.config.models import Settings
from collector.config.problems import InvalidConfig, Problem
from collector.core import times

NOW = times.parse("2026-06-01T00:00:00Z")

CASB = {"api_key": "casb-key", "client_id": "casb-id", "client_secret": "casb-secret"}
POD = {"cluster_id": "acme_hosted", "token": "pod-token"}

MINIMAL: dict[str, Any] = {
    "globals": {"id": "4711", "name": "acme"},
    "outputs": {"archive": {"type": "file", "config": {"path": "out"}}},
    "inputs": {
        "casb": {
            "type": "proofpoint_casb",
            "credentials": CASB,
            "services": {"alerts": {}, "events": {}},
        },
        "pod": {"type": "proofpoint_pod", "credentials": POD, "services": {"message": {}}},
    },
}


def changed(path: str, value: object) -> dict[str, Any]:
    """The minimal configuration with one setting replaced; ``path`` is dotted."""
    document = deepcopy(MINIMAL)
    *steps, last = path.split(".")
    block = document
    for step in steps:
        block = block.setdefault(step, {})
    block[last] = value
    return document


def settings(document: dict[str, Any]) -> Settings:
    """The document as settings, judged at ``NOW``."""
    return parse(document, Path(), {}, NOW)


def problems(document: dict[str, Any]) -> tuple[Problem, ...]:
    """What is wrong with the document; nothing when it is right."""
    try:
        settings(document)
    except InvalidConfig as error:
        return error.problems
    return ()


def only(document: dict[str, Any]) -> Problem:
    """The one thing that is wrong with the document."""
    (problem,) = problems(document)
    return problem
