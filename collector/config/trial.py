"""The pipelines of one source alone, for a trial: nothing else is judged, no other secret read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from collector.config import explain
from collector.config.access import Access
from collector.config.fields import Name, Section
from collector.config.hosted import Layer, merged
from collector.config.load import layers_of
from collector.config.located import located
from collector.config.names import unknown
from collector.config.pipelines import PipelineConfig
from collector.config.plain import block
from collector.config.problems import WRONG_SETTINGS, InvalidConfig, Place, Problem
from collector.config.sealed import Opener
from collector.config.secrets import Resolver
from collector.errors import ConfigError

PIPELINES = "pipelines"
NOTHING_TO_TRY = 25
"""The number of the error that a source names no pipeline."""


class Chosen(Section):
    """The block ``pipelines`` with those of one source in it, and no other block."""

    pipelines: dict[Name, PipelineConfig] = Field(description="The pipelines, by name.")


def chosen_pipelines(
    path: Path, environ: Mapping[str, str], name: str, service: str | None
) -> list[PipelineConfig]:
    """The pipelines of the input ``name`` or of one of its services, in order.

    Raises ``ConfigError`` when there is no such source, or it names no pipeline, and
    ``InvalidConfig`` with everything that is wrong with its pipelines.
    """
    layers = layers_of(path, environ)
    written: dict[str, Any] = {}
    for layer in layers:
        written = merged(layer.document.data, written)
    names = _names(written, name, service)
    access = Access(layers, environ)
    data, referenced, problems = _resolved(layers, environ, access, names)
    opener = Opener(access.keys)
    found, wrong = _validated(opener.open(data), referenced | opener.places)
    told = {problem.path for problem in problems}
    later = [*opener.problems, *_missing(names, data, name), *wrong]
    problems += [problem for problem in later if problem.path not in told]
    if found is None or problems:
        raise InvalidConfig(WRONG_SETTINGS, located(problems, layers))
    return [found.pipelines[each] for each in names]


def _names(written: dict[str, Any], name: str, service: str | None) -> list[str]:
    """What the source names, as it stands in the file."""
    inputs = block(written, "inputs")
    chosen = block(inputs, name)
    if name not in inputs:
        raise unknown("input", [name], {"configured": inputs})
    services = block(chosen, "services")
    if service is not None and service not in services:
        raise unknown(f"service of {name}", [service], {"configured": services})
    own = block(services, service).get(PIPELINES) if service is not None else None
    names = chosen.get(PIPELINES) if own is None else own
    if not isinstance(names, list) or not names:
        cause = f"{name if service is None else f'{name}#{service}'} names no pipeline"
        raise ConfigError(
            NOTHING_TO_TRY, cause, "write pipelines: [...] there; see docs/pipelines.md"
        )
    return [str(each) for each in names]


def _resolved(
    layers: Sequence[Layer], environ: Mapping[str, str], access: Access, names: Sequence[str]
) -> tuple[dict[str, Any], set[Place], list[Problem]]:
    """These pipelines with their references replaced, where those stood, and what failed."""
    data: dict[str, Any] = {PIPELINES: {}}
    referenced: set[Place] = set()
    problems: list[Problem] = []
    for layer in layers:
        resolver = Resolver(layer.folder, environ, access.lookup)
        here = block(layer.document.data, PIPELINES)
        own = {each: here[each] for each in names if each in here}
        data = merged(resolver.resolve({PIPELINES: own}), data)
        referenced |= resolver.places
        problems += [*layer.document.problems, *resolver.problems]
    return data, referenced, problems


def _missing(names: Sequence[str], data: dict[str, Any], name: str) -> Iterator[Problem]:
    for each in names:
        if each not in data[PIPELINES]:
            reason = f"names {each}, which is no pipeline of this configuration"
            fix = f"write it under {PIPELINES}:"
            yield Problem(path=f"inputs.{name}.{PIPELINES}", reason=reason, fix=fix)


def _validated(data: dict[str, Any], referenced: set[Place]) -> tuple[Chosen | None, list[Problem]]:
    try:
        return Chosen.model_validate(data), []
    except ValidationError as error:
        return None, [explain.problem(each, referenced) for each in error.errors()]
