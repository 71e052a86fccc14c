"""The schema for editors and the manual are the settings themselves."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from collector.config.reference import reference
from collector.config.schema import json_schema, settings_at

MANUAL = Path(__file__).parents[2] / "docs" / "configuration.md"


def described() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each setting of the schema: its block, its name, what is said of it."""
    for owner, definition in json_schema()["$defs"].items():
        for name, setting in definition.get("properties", {}).items():
            yield owner, name, setting


def test_manual_is_current() -> None:
    """docs/configuration.md is what the settings say; write ``reference()`` into it."""
    assert MANUAL.read_text() == reference()


def test_every_setting_is_described() -> None:
    """No setting is without a sentence that ends like one."""
    assert [
        (owner, name)
        for owner, name, setting in described()
        if not setting.get("description", "").endswith((".", ".`"))
    ] == []


def test_every_setting_is_in_the_manual() -> None:
    """Each setting's name stands in a table of the manual."""
    names = {name for _, name, setting in described() if "$ref" not in setting}
    rows = [line for line in reference().splitlines() if line.startswith("| `")]
    listed = {line.split("`")[1].rpartition(".")[2] for line in rows}
    assert {name for name in names if name not in listed} <= {
        "alerts",
        "events",
        "message",
        "maillog",
        "audit",
        "stream",
        "credentials",
        "sasl",
    }


def test_every_duration_tells_its_unit() -> None:
    """A number that is a time says in its name or its text which unit it counts."""
    silent = [
        name
        for _, name, setting in described()
        if setting.get("type") == "number"
        and not name.endswith(("_in_seconds", "_in_hours", "_ratio"))
        and "seconds" not in setting["description"]
    ]
    assert silent == []


def test_schema_is_strict() -> None:
    """An editor marks unknown settings, and knows secrets as such."""
    definitions = json_schema()["$defs"]
    assert all(d["additionalProperties"] is False for d in definitions.values())
    api_key = definitions["CasbCredentials"]["properties"]["api_key"]
    assert (api_key["format"], api_key["writeOnly"]) == ("password", True)
    assert json_schema()["$schema"].endswith("2020-12/schema")


def test_settings_at() -> None:
    """The names that may stand at a place are known."""
    assert settings_at(()) == ["globals", "outputs", "inputs", "pipelines"]
    batch = settings_at(("globals", "batch"))
    assert batch == ["max_records", "max_seconds"]
    assert "alerts" in settings_at(("inputs", "x", "proofpoint_casb", "services"))
    assert "tag" in settings_at(("inputs", "x", "proofpoint_pod", "services", "audit"))
