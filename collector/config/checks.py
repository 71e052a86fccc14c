"""Rules between settings that stand far apart.

They read the plain document, tolerating any shape, or the inputs that are right by
themselves, so that they report together with what the models find.
"""

from __future__ import annotations

import os.path
from collections.abc import Iterator, Mapping
from typing import Any

from collector.config.globals import Globals
from collector.config.key_rules import shared_streams, shared_tenants, shared_tokens
from collector.config.models import AnyInput
from collector.config.plain import block
from collector.config.problems import Problem


def between(document: dict[str, Any]) -> Iterator[Problem]:
    """Everything that two parts of the document do to each other."""
    yield from shared_tokens(block(document, "inputs"))
    yield from shared_streams(block(document, "inputs"))
    yield from shared_tenants(block(document, "inputs"))
    yield from shared_folders(block(document, "outputs"))
    yield from shared_prefixes(block(document, "outputs"))


def shared_folders(outputs: dict[str, Any]) -> Iterator[Problem]:
    """File outputs that would write the same files."""
    holders: dict[str, str] = {}
    for name in outputs:
        folder = block(block(outputs, name), "config").get("path")
        if block(outputs, name).get("type") != "file" or not isinstance(folder, str):
            continue
        holder = holders.setdefault(os.path.realpath(folder), name)
        if holder != name:
            yield Problem(
                path=f"outputs.{name}.config.path",
                reason=f"is the folder of outputs.{holder} too",
                fix="give each file output its own folder",
            )


def shared_tag(document: dict[str, Any], inputs: Mapping[str, AnyInput]) -> Iterator[Problem]:
    """The collector's own records under the tag of a service that is collected."""
    default = Globals.model_fields["internal_tag"].default
    internal = block(document, "globals").get("internal_tag", default)
    for name, each in inputs.items():
        for field, service in each.services.enabled().items():
            if each.enabled and service.tag == internal:
                yield Problem(
                    path="globals.internal_tag",
                    reason=f"is the tag of inputs.{name}.services.{field} too: the collector's own "
                    "records would stand among the vendor's",
                    fix="give one of the two a tag of its own",
                    value=f"'{internal}'",
                )
                return


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
