"""``collector check``, ``schema`` and ``version``: nothing here touches the network."""

from __future__ import annotations

import platform

import typer

from collector import __version__
from collector.app.certificates import file_warnings
from collector.app.outcome import CONFIG
from collector.cli.options import ConfigOption, JsonOption, settings
from collector.cli.screen import out, print_json, table, warnings
from collector.clock import SystemClock
from collector.config.cautions import cautions
from collector.config.inputs import Service
from collector.config.models import Settings
from collector.config.problems import InvalidConfig
from collector.config.schema import json_schema
from collector.config.websocket import WebSocketStream


def check(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Validate the configuration and show what it will collect, without any network.

    Every problem of the settings is reported at once, each with its place, reason
    and fix; when they are right, the files of certificates and keys are opened,
    too. A warning, of what is allowed and yet unwise, leaves the exit code 0.
    """
    now = SystemClock().now()
    try:
        found = settings(config)
        warned = [*cautions(found), *file_warnings(found, now)]
    except InvalidConfig as error:
        if not as_json:
            raise
        print_json({"valid": False, "problems": [_as_dict(each) for each in error.problems]})
        raise typer.Exit(CONFIG) from None
    rows = _services(found)
    if as_json:
        told = [_as_dict(each) for each in warned]
        print_json({"valid": True, "services": rows, "warnings": told})
        return
    services = table("service", "tag", "mode", "start", "outputs")
    for row in rows:
        services.add_row(*(str(value) for value in row.values()))
    out.print(services)
    warnings(warned)
    out.print("[green]The configuration is valid.[/]")


def schema() -> None:
    """Print the JSON Schema of the configuration, for editors.

    Save it beside the configuration and begin the YAML with:
    # yaml-language-server: $schema=collector.schema.json
    """
    print_json(json_schema())


def version(as_json: JsonOption = False) -> None:
    """Print the version."""
    if as_json:
        print_json({"version": __version__, "python": platform.python_version()})
    else:
        out.print(__version__, highlight=False)


def _services(found: Settings) -> list[dict[str, str]]:
    rows = []
    for name, chosen in found.inputs.items():
        for field in type(chosen.services).model_fields:
            service = getattr(chosen.services, field)
            if service is None:
                continue
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


def _as_dict(problem: object) -> dict[str, object]:
    return {name: getattr(problem, name) for name in ("path", "line", "value", "reason", "fix")}
