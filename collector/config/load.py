"""From a file to settings, or to everything that is wrong with it at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from collector.config import explain, hosted, json_source
from collector.config.access import Access, anchored, exposed
from collector.config.checks import between, shared_tag
from collector.config.fields import Facts
from collector.config.hosted import Layer, merged
from collector.config.located import located
from collector.config.metadata import tagged
from collector.config.models import AnyInput, Settings, typed
from collector.config.plain import block
from collector.config.problems import (
    MALFORMED_FILE,
    UNREADABLE_FILE,
    WRONG_SETTINGS,
    InvalidConfig,
    Place,
    Problem,
)
from collector.config.respelling import respelt
from collector.config.sealed import Opener
from collector.config.secrets import Resolver
from collector.config.source import MAX_BYTES, Document
from collector.config.source import parse as read_yaml
from collector.core.model import Micros
from collector.errors import own_user

DEFAULT = Path("config.yaml")
VARIABLE = "CONFIG_FILE"


@dataclass(frozen=True)
class Reading:
    """What a configuration says, and everything that is wrong with its settings.

    ``settings`` is None where the models refuse something.  ``inputs`` are those that
    are right by themselves.  ``document`` has the plain values, references replaced
    and secrets decrypted: never to be shown.
    """

    settings: Settings | None
    inputs: Mapping[str, AnyInput]
    document: dict[str, Any] = field(repr=False)
    layers: Sequence[Layer] = field(repr=False)
    problems: tuple[Problem, ...]

    def located(self, problems: Iterable[Problem]) -> tuple[Problem, ...]:
        """The problems with their lines, in the spelling of the file."""
        return tuple(located(problems, self.layers))

    def accepted(self) -> Settings:
        """The settings; raises ``InvalidConfig`` when something is wrong with them."""
        if self.settings is None or self.problems:
            raise InvalidConfig(WRONG_SETTINGS, self.located(self.problems))
        return self.settings


def find(path: Path | None, environ: Mapping[str, str]) -> Path:
    """The configuration file: ``--config``, else ``$CONFIG_FILE``, else ``config.yaml``."""
    return path or (Path(environ[VARIABLE]) if environ.get(VARIABLE) else DEFAULT)


def load(path: Path, environ: Mapping[str, str], now: Micros) -> Settings:
    """Read and check a configuration file; ``now`` judges start times (UTC).

    It is YAML or, by its name, JSON, in our own form or Devo's hosted one.
    Raises ``InvalidConfig`` with every problem that can be told at once.
    """
    return read(path, environ, now).accepted()


def read(path: Path, environ: Mapping[str, str], now: Micros) -> Reading:
    """Read and judge a configuration file, as ``load`` does.

    Raises ``InvalidConfig`` only for a file of which nothing can be judged.
    """
    return _read(layers_of(path, environ), environ, now)


def parse(
    document: dict[str, Any], base: Path, environ: Mapping[str, str], now: Micros
) -> Settings:
    """Settings from plain values; ``base`` is the folder that ``file:`` starts at.

    Raises ``InvalidConfig`` like ``load``, without lines.
    """
    plain = Document(data=document, lines={}, problems=())
    return _read([Layer(document=plain, folder=base)], environ, now).accepted()


def layers_of(path: Path, environ: Mapping[str, str]) -> list[Layer]:
    """The documents that a configuration is made of, the uppermost last; not yet judged.

    One, but for the hosted form.  Raises ``InvalidConfig`` for what cannot be read.
    """
    fix = f"give its path with --config or ${VARIABLE}; start from config.yaml.example"
    asked = _layer(path, fix)
    if not hosted.is_hosted(asked.document):
        return [asked]
    named = environ.get(hosted.VARIABLE)
    return hosted.layers(asked, _base(Path(named)) if named else None)


def _base(path: Path) -> Layer:
    try:
        layer = _layer(path, f"correct ${hosted.VARIABLE}")
    except InvalidConfig as error:
        raise InvalidConfig(error.number, map(hosted.of_the_base, error.problems)) from None
    problems = tuple(map(hosted.of_the_base, layer.document.problems))
    document = msgspec.structs.replace(layer.document, problems=problems)
    return msgspec.structs.replace(layer, document=document, base=True)


def _layer(path: Path, fix: str) -> Layer:
    """One document, whose settings have names; raises ``InvalidConfig``."""
    raw = content(path, fix)
    parser = json_source.parse if path.suffix == json_source.SUFFIX else read_yaml
    document = parser(raw)
    if not isinstance(document.data, dict):
        raise InvalidConfig(MALFORMED_FILE, document.problems or [NO_BLOCK])
    return Layer(document=document, folder=path.parent)


def _read(layers: Sequence[Layer], environ: Mapping[str, str], now: Micros) -> Reading:
    access = Access(layers, environ)
    data: dict[str, Any] = {}
    first: list[Problem] = []
    referenced: set[Place] = set()
    for layer in layers:
        resolver = Resolver(layer.folder, environ, access.lookup)
        found = resolver.resolve(layer.document.data)
        data = merged(anchored(found, layer.folder), data)
        first += [*layer.document.problems, *exposed(layer), *resolver.problems]
        referenced |= resolver.places
    opener = Opener(access.keys)
    data = opener.open(data)
    facts = _facts(data, now)
    settings, wrong = _validate(data, facts, referenced | opener.places)
    problems = _besides(_besides(first, opener.problems), [*between(data), *wrong])
    inputs = _sound_inputs(data, facts) if settings is None else settings.inputs
    problems = _besides(problems, shared_tag(data, inputs))
    return Reading(settings, inputs, data, layers, tuple(problems))


def _besides(first: Sequence[Problem], later: Iterable[Problem]) -> list[Problem]:
    """The first, and those later ones that are about other settings: a cause is told once."""
    told = {problem.path for problem in first}
    return [*first, *(problem for problem in later if problem.path not in told)]


def _facts(data: dict[str, Any], now: Micros) -> Facts:
    return Facts(
        now=now,
        allow_plaintext=block(data, "globals").get("allow_plaintext") is True,
        outputs=frozenset(block(data, "outputs")),
        pipelines=frozenset(block(data, "pipelines")),
    )


def _validate(
    data: dict[str, Any], facts: Facts, referenced: AbstractSet[Place]
) -> tuple[Settings | None, list[Problem]]:
    """The settings, or none and what the models find wrong.

    What has a misspelt type is judged as the type that was meant, too.
    """
    settings, found = _judged(data, facts)
    if settings is not None:
        return settings, []
    meant, misspelt = respelt(data, found)
    if misspelt:
        found = [*misspelt, *_judged(meant, facts)[1]]
    told = filter(explain.speaks_for_itself, found)
    return None, [explain.problem(each, referenced) for each in told]


def _judged(data: dict[str, Any], facts: Facts) -> tuple[Settings | None, list[ErrorDetails]]:
    """The settings, or none and pydantic's findings."""
    try:
        return Settings.model_validate(data, context=facts), []
    except ValidationError as error:
        return None, error.errors()


def _sound_inputs(data: dict[str, Any], facts: Facts) -> dict[str, AnyInput]:
    """The inputs that are right by themselves, whatever is wrong elsewhere."""
    judge: TypeAdapter[AnyInput] = TypeAdapter(AnyInput)
    found: dict[str, AnyInput] = {}
    for name, given in block(data, "inputs").items():
        with suppress(ValidationError):
            found[name] = judge.validate_python(tagged(name, typed(name, given)), context=facts)
    return found


def content(path: Path, fix: str) -> bytes:
    """A configuration file's bytes, one more than allowed at most; raises ``InvalidConfig``."""
    try:
        if path.is_file():
            with path.open("rb") as file:
                return file.read(MAX_BYTES + 1)
        reason = f"{path} is a folder" if path.is_dir() else f"there is no file {path}"
    except OSError as error:
        reason = f"{path} cannot be read: {error.strerror}"
        if isinstance(error, PermissionError):
            fix = f"let {own_user()}, read it (chown or chmod)"
    raise InvalidConfig(UNREADABLE_FILE, [Problem(path="", reason=reason, fix=fix)])


NO_BLOCK = Problem(
    path="",
    reason="it holds no settings by name",
    fix="write globals:, outputs: and inputs: as config.yaml.example does",
    line=1,
)
