"""``collector check``, ``schema`` and ``version``: nothing here touches the network."""

from __future__ import annotations

import platform

import typer

from collector import __version__
from collector.app.outcome import CONFIG
from collector.cli.options import ConfigOption, JsonOption, settings
from collector.cli.screen import out, print_json, table
from collector.config.models import Settings
from collector.config.problems import InvalidConfig
from collector.config.schema import json_schema


def check(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Validate the configuration and show what it will collect, without any network.

    Every problem is reported at once, each with its place, reason and fix.
    """
    try:
        found = settings(config)
    except InvalidConfig as error:
        if not as_json:
            raise
        print_json({"valid": False, "problems": [_as_dict(each) for each in error.problems]})
        raise typer.Exit(CONFIG) from None
    rows = _services(found)
    if as_json:
        print_json({"valid": True, "services": rows})
        return
    services = table("service", "tag", "mode", "start", "outputs")
    for row in rows:
        services.add_row(*(str(value) for value in row.values()))
    out.print(services)
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
                    "start": service.initial_start_time_in_utc or "7 days back",
                    "outputs": ", ".join(found.outputs_of(name)),
                }
            )
    return rows


def _as_dict(problem: object) -> dict[str, object]:
    return {name: getattr(problem, name) for name in ("path", "line", "value", "reason", "fix")}
