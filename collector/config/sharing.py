"""Inputs that share what there is once, a tenant's calls or a stream: warnings.

What two inputs may not share at all is refused (``collector/config/key_rules.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from collector.config.casb import CasbInput
from collector.config.models import AnyInput
from collector.config.problems import Problem
from collector.config.secured import secret_values
from collector.config.websocket import WebSocketInput


def shared(inputs: Mapping[str, AnyInput]) -> Iterator[Problem]:
    """Everything to be warned of between two inputs that collect something."""
    collecting = {
        name: each for name, each in inputs.items() if each.enabled and each.services.enabled()
    }
    yield from _calls(collecting)
    yield from _streams(collecting)


def _calls(inputs: Mapping[str, AnyInput]) -> Iterator[Problem]:
    """CASB inputs with the credentials of one tenant, whose calls each counts by itself."""
    holders: dict[tuple[str, str], str] = {}
    for name, each in inputs.items():
        if isinstance(each, CasbInput):
            secrets = each.credentials
            tenant = (secrets.api_key.get_secret_value(), secrets.client_id.get_secret_value())
            holder = holders.setdefault(tenant, name)
            if holder != name:
                yield Problem(
                    path=f"inputs.{name}.rate.calls_per_day",
                    reason=f"is counted beside that of inputs.{holder}, which has the same "
                    "credentials: the vendor counts the calls of both together",
                    fix="collect all services in one input, or divide the calls between the two",
                    value=str(each.rate.calls_per_day),
                )


def _streams(inputs: Mapping[str, AnyInput]) -> Iterator[Problem]:
    """WebSocket inputs that ask for the same in the same way."""
    holders: dict[tuple[object, ...], str] = {}
    for name, each in inputs.items():
        stream = each.services.stream if isinstance(each, WebSocketInput) else None
        if isinstance(each, WebSocketInput) and stream is not None:
            asked = (each.uri, stream.initial_message, *secret_values(each.credentials))
            holder = holders.setdefault(asked, name)
            if holder != name:
                yield Problem(
                    path=f"inputs.{name}.uri",
                    reason=f"is asked as inputs.{holder} asks it, with the same credentials: each "
                    "record comes twice, unless the server divides the stream between the two",
                    fix="remove or disable one of the two, if it does not",
                )
