"""``collector check`` and ``schema``: nothing here touches the network."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NoReturn

import typer

from collector.app.examining import examine
from collector.app.outcome import CONFIG
from collector.cli.options import ConfigOption, JsonOption
from collector.cli.screen import out, print_json, table, warnings
from collector.clock import SystemClock
from collector.config.inputs import Service
from collector.config.load import find
from collector.config.models import Settings
from collector.config.problems import InvalidConfig, Problem
from collector.config.schema import json_schema
from collector.config.websocket import WebSocketStream


def check(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Validate the configuration and show what it will collect, without any network.

    Every problem is reported at once, each with its place, reason and fix: those
    of the settings, and those of the files of certificates and keys that they
    name. A warning, of what is allowed and yet unwise, leaves the exit code 0.
    """
    found = examine(find(config, os.environ), os.environ, SystemClock().now())
    if isinstance(found.outcome, InvalidConfig):
        _refuse(found.outcome, found.warnings, as_json=as_json)
    rows = _services(found.outcome)
    if as_json:
        print_json({"valid": True, "services": rows, "warnings": _as_dicts(found.warnings)})
        return
    services = table("service", "tag", "mode", "start", "~outputs")
    for row in rows:
        services.add_row(*(str(value) for value in row.values()))
    out.print(services)
    warnings(found.warnings)
    out.print("[green]The configuration is valid.[/]")


def schema() -> None:
    """Print the JSON Schema of the configuration, for editors.

    Save it beside the configuration and begin the YAML with:
    # yaml-language-server: $schema=collector.schema.json
    """
    print_json(json_schema())


def _refuse(error: InvalidConfig, cautions: Sequence[Problem], *, as_json: bool) -> NoReturn:
    """End with everything that is wrong; what is merely unwise is told all the same."""
    if not as_json:
        warnings(cautions)
        raise error
    problems = _as_dicts(error.problems)
    print_json({"valid": False, "problems": problems, "warnings": _as_dicts(cautions)})
    raise typer.Exit(CONFIG)


def _services(found: Settings) -> list[dict[str, str]]:
    rows = []
    for name, chosen in found.inputs.items():
        for field, service in chosen.services.configured().items():
            on = chosen.enabled and service.enabled
            rows.append(
                {
                    "service": f"{name}#{field}",
                    "tag": service.tag,
                    "mode": getattr(service, "mode", "pull") if on else "disabled",
                    "start": _start(service),
                    "outputs": ", ".join(found.outputs_of(name)),
                }
            )
    return rows


def _start(service: Service) -> str:
    """Where the first pull begins; a stream has no past to begin in."""
    past = "now" if isinstance(service, WebSocketStream) else "7 days back"
    return service.initial_start_time_in_utc or past


def _as_dicts(problems: Sequence[Problem]) -> list[dict[str, object]]:
    names = ("path", "line", "value", "reason", "fix")
    return [{name: getattr(each, name) for name in names} for each in problems]
