"""Rules between settings that stand far apart.

They read the plain document, tolerating any shape, so that they report together
with what the models find.
"""

from __future__ import annotations

import os.path
from collections.abc import Iterator
from typing import Any

from collector.config.models import typed
from collector.config.problems import Problem

POD_SERVICES = ("message", "maillog", "audit")
POD_TOKENS = ("token", "archive_token")


def between(document: dict[str, Any]) -> Iterator[Problem]:
    """Everything that two parts of the document do to each other."""
    yield from shared_tokens(block(document, "inputs"))
    yield from shared_folders(block(document, "outputs"))
    yield from shared_prefixes(block(document, "outputs"))


def shared_tokens(inputs: dict[str, Any]) -> Iterator[Problem]:
    """Enabled PoD inputs that would fight for one session.

    The vendor allows one session per token and service (vendor notes on PoD,
    section 3), archive sessions included.
    """
    holders: dict[tuple[str, str], str] = {}
    for path, token, service in _sessions(inputs):
        holder = holders.setdefault((token, service), path)
        if holder != path:
            yield Problem(
                path=path,
                reason=f"is the same token as {holder}, and both ask for {service}; "
                "the vendor allows one session per token and service",
                fix="get a second token, or disable one of the two",
            )


def shared_folders(outputs: dict[str, Any]) -> Iterator[Problem]:
    """File outputs that would write the same files."""
    holders: dict[str, str] = {}
    for name in outputs:
        folder = block(block(outputs, name), "config").get("path")
        if block(outputs, name).get("type") != "file" or not isinstance(folder, str):
            continue
        holder = holders.setdefault(os.path.normpath(folder), name)
        if holder != name:
            yield Problem(
                path=f"outputs.{name}.config.path",
                reason=f"is the folder of outputs.{holder} too",
                fix="give each file output its own folder",
            )


def shared_prefixes(outputs: dict[str, Any]) -> Iterator[Problem]:
    """S3 outputs that would write objects of the same names."""
    holders: dict[tuple[object, ...], str] = {}
    for name in outputs:
        settings = block(block(outputs, name), "config")
        if block(outputs, name).get("type") != "s3" or not isinstance(settings.get("bucket"), str):
            continue
        place = tuple(str(settings.get(key)) for key in ("endpoint_url", "bucket", "prefix"))
        holder = holders.setdefault(place, name)
        if holder != name:
            yield Problem(
                path=f"outputs.{name}.config.prefix",
                reason=f"is the prefix of outputs.{holder} too, in the same bucket",
                fix="give each s3 output its own prefix",
            )


def block(settings: dict[str, Any], name: str) -> dict[str, Any]:
    """A block of settings; empty when it is missing or none."""
    found = settings.get(name)
    return found if isinstance(found, dict) else {}


def _sessions(inputs: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Path of the token, token and service of every session that may be opened."""
    for name in inputs:
        settings = typed(name, block(inputs, name))
        if settings.get("type") != "proofpoint_pod" or settings.get("enabled") is False:
            continue
        for key in POD_TOKENS:
            token = block(settings, "credentials").get(key)
            for service in _enabled(block(settings, "services")):
                if isinstance(token, str):
                    yield f"inputs.{name}.credentials.{key}", token, service


def _enabled(services: dict[str, Any]) -> list[str]:
    return [
        name
        for name in POD_SERVICES
        if name in services and block(services, name).get("enabled") is not False
    ]
