"""The examples of docs/moving-in.md, and what an import makes of a text."""

from __future__ import annotations

import re
from pathlib import Path

from collector.config import source
from collector.config.load import parse
from collector.config.models import Settings
from collector.importers.products import Imported, convert
from tests.fakes.config import NOW

PAGE = (Path(__file__).parents[2] / "docs" / "moving-in.md").read_text(encoding="utf-8")
EXAMPLES = {
    product: (text, f".{form}")
    for product, form, text in re.findall(r"<!-- (\w+) -->\n```(\w+)\n(.*?)```", PAGE, re.DOTALL)
}
"""Text and suffix of each product's example."""

CANARY = "c4n4ry"
SECRETS = ("********", "5c2a9e1f", "9d41c07b", "77e0b3aa")
"""What stands in the examples where secrets are."""

STREAM = """
Name: feed
WebSocket URI: "wss://me:c4n4ry@feed.example.com/logs?key=c4n4ry&n%0A%20x:=1"
Authentication Strategy: Basic Authentication
Username: c4n4ry
Password: c4n4ry
Initial Message: subscribe c4n4ry
Initial Message Timeout: 5 seconds
Connection Timeout: 9
Ping Timeout: 7
Custom Ping Message: ping
Decoding Codec: Syslog (RFC 3164 or RFC 5424)
Framing Method: Character Delimited
Character Delimiter: "|"
Enable TLS: true
Fields to Parse:
  - {Field Name: message, New Field Name: parsed}
"""
"""Observo AI's form for another stream than PoD's."""


def imported(product: str, text: str, suffix: str = ".yaml") -> Imported:
    """What becomes of a text, judged at ``NOW``."""
    return convert(product, text.encode(), suffix, NOW)


def example(product: str, *changes: tuple[str, str]) -> Imported:
    """What becomes of a product's example, with some of its text changed."""
    text, suffix = EXAMPLES[product]
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return imported(product, text, suffix)


def environment(found: Imported) -> dict[str, str]:
    """A value for each environment variable that the configuration refers to."""
    names = re.findall(r"\$\{(\w+)\}", " ".join(found.references))
    return {name: f"value of {name}" for name in names}


def settings(found: Imported) -> Settings:
    """The configuration as settings, its references set."""
    return parse(source.parse(found.text.encode()).data, Path(), environment(found), NOW)


def told(found: Imported, kind: str) -> dict[str, str]:
    """The notes of one part of the report, by the path there, or here where there is none."""
    return {each.source or each.to: each.note for each in found.entries if each.kind == kind}


def mapped(found: Imported) -> dict[str, str]:
    """Where each setting went."""
    return {each.source: each.to for each in found.entries if each.kind == "mapped"}
