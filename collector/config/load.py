"""From a file to settings, or to everything that is wrong with it at once."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

import msgspec
from pydantic import ValidationError

from collector.config import explain
from collector.config.checks import between, block
from collector.config.fields import Facts
from collector.config.models import Settings
from collector.config.problems import InvalidConfig, Place, Problem, spell
from collector.config.secrets import Resolver
from collector.config.source import MAX_BYTES, Document
from collector.config.source import parse as read_yaml
from collector.core.model import Micros

DEFAULT = Path("config.yaml")
VARIABLE = "CONFIG_FILE"


def find(path: Path | None, environ: Mapping[str, str]) -> Path:
    """The configuration file: ``--config``, else ``$CONFIG_FILE``, else ``config.yaml``."""
    return path or (Path(environ[VARIABLE]) if environ.get(VARIABLE) else DEFAULT)


def load(path: Path, environ: Mapping[str, str], now: Micros) -> Settings:
    """Read and check a configuration file; ``now`` judges start times (UTC).

    Raises ``InvalidConfig`` with every problem that can be told at once.
    """
    return _settings(read_yaml(_content(path)), path.parent, environ, now)


def parse(
    document: dict[str, Any], base: Path, environ: Mapping[str, str], now: Micros
) -> Settings:
    """Settings from plain values; ``base`` is the folder that ``file:`` starts at.

    Raises ``InvalidConfig`` like ``load``, without lines.
    """
    return _settings(Document(data=document, lines={}, problems=()), base, environ, now)


def _settings(document: Document, base: Path, environ: Mapping[str, str], now: Micros) -> Settings:
    resolver = Resolver(base, environ)
    data = resolver.resolve(document.data)
    if not isinstance(data, dict):
        raise InvalidConfig(2, document.problems or [NO_BLOCK])
    settings, wrong = _validate(data, now, resolver.places)
    first = [*document.problems, *resolver.problems]
    told = {problem.path for problem in first}
    later = [*between(data), *wrong]
    found = [*first, *(problem for problem in later if problem.path not in told)]
    if settings is None or found:
        raise InvalidConfig(3, _located(found, document.lines))
    return settings


def _validate(
    data: dict[str, Any], now: Micros, referenced: AbstractSet[Place]
) -> tuple[Settings | None, list[Problem]]:
    """The settings, or none and what the models find wrong."""
    facts = Facts(
        now=now,
        allow_plaintext=block(data, "globals").get("allow_plaintext") is True,
        outputs=frozenset(block(data, "outputs")),
    )
    try:
        return Settings.model_validate(data, context=facts), []
    except ValidationError as error:
        return None, [explain.problem(each, referenced) for each in error.errors()]


def _located(problems: list[Problem], lines: Mapping[Place, int]) -> list[Problem]:
    """The problems with the line of their setting, or of the nearest one around it."""
    known = {spell(place): line for place, line in lines.items()}
    return [
        problem
        if problem.line is not None
        else msgspec.structs.replace(problem, line=_line(problem.path, known))
        for problem in problems
    ]


def _line(path: str, known: Mapping[str, int]) -> int | None:
    while path and path not in known:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return known.get(path)


def _content(path: Path) -> bytes:
    """The file's bytes, one more than allowed at most; raises ``InvalidConfig``."""
    try:
        if path.is_file():
            with path.open("rb") as file:
                return file.read(MAX_BYTES + 1)
        reason = f"there is no file {path}"
    except OSError as error:
        reason = f"{path} cannot be read: {error.strerror}"
    fix = "give its path with --config or $CONFIG_FILE; start from config.yaml.example"
    raise InvalidConfig(1, [Problem(path="", reason=reason, fix=fix)])


NO_BLOCK = Problem(
    path="",
    reason="it holds no settings by name",
    fix="write globals:, outputs: and inputs: as config.yaml.example does",
    line=1,
)
