"""Encrypting anew, under the newest key, what a configuration holds encrypted.

Only the ciphertexts change: comments, layout and everything else stay byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from collector.config.access import Access
from collector.config.atomic import replace_file
from collector.config.ciphertext import PREFIX, Key, decrypt, encrypt, key_id
from collector.config.hosted import Layer
from collector.config.load import content, layers_of
from collector.config.problems import InvalidConfig, Place, Problem, spell
from collector.config.secrets import Resolver, Unresolved
from collector.core.model import Frozen
from collector.errors import ConfigError

NOT_REKEYED = 43
"""Of the error that says why nothing was rewritten."""


class Plan(Frozen, frozen=True):
    """What would change in one file: the new text of each old one, and the paths concerned.

    ``current`` are under the newest key already; ``elsewhere`` are under an older one,
    but a reference brings them, so that they do not stand in the file.
    """

    texts: Mapping[str, str]
    changed: tuple[str, ...]
    current: tuple[str, ...]
    elsewhere: tuple[str, ...]


def plan(path: Path, environ: Mapping[str, str]) -> Plan:
    """What is to be encrypted anew; raises ``InvalidConfig`` with all that cannot be."""
    layers = layers_of(path, environ)
    layer = layers[-1]
    access = Access(layers, environ)
    try:
        keys = access.keys()
    except Unresolved as failure:
        raise ConfigError(NOT_REKEYED, failure.reason, failure.fix) from None
    return _plan(layer, _referenced(layer, environ, access), keys)


def carry_out(path: Path, found: Plan) -> None:
    """Put the new ciphertexts into the file, in one step; raises ``ConfigError``."""
    raw = content(path, "give its path with --config")
    for old, new in found.texts.items():
        if old.encode() not in raw:
            cause = f"a ciphertext is not written as one piece in {path}; nothing was changed"
            raise ConfigError(NOT_REKEYED, cause, "write each on one line, without escapes")
        raw = raw.replace(old.encode(), new.encode())
    try:
        replace_file(path, raw)
    except OSError as error:
        cause = f"{path} cannot be written: {error.strerror}; nothing was changed"
        raise ConfigError(
            NOT_REKEYED, cause, "check the rights on the file and its folder"
        ) from None


def _plan(layer: Layer, referenced: Mapping[str, str], keys: Sequence[Key]) -> Plan:
    newest = keys[-1]
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    written = {spell(place): text for place, text in _ciphertexts(layer.document.data)}
    old = {path: text for path, text in written.items() if key_id(text) != newest.id}
    for path, text in old.items():
        try:
            texts[text] = encrypt(newest, path, decrypt(keys, path, text))
        except Unresolved as failure:
            problems.append(Problem(path=path, reason=failure.reason, fix=failure.fix))
    if problems:
        raise InvalidConfig(NOT_REKEYED, problems)
    return Plan(
        texts=texts,
        changed=tuple(old),
        current=tuple(path for path in written if path not in old),
        elsewhere=tuple(path for path, text in referenced.items() if key_id(text) != newest.id),
    )


def _referenced(layer: Layer, environ: Mapping[str, str], access: Access) -> dict[str, str]:
    """The ciphertexts that references bring, by path; those that cannot be had are left out."""
    resolver = Resolver(layer.folder, environ, access.lookup)
    found = _ciphertexts(resolver.resolve(layer.document.data))
    return {spell(place): text for place, text in found if place in resolver.places}


def _ciphertexts(value: Any, place: Place = ()) -> Iterator[tuple[Place, str]]:
    if isinstance(value, dict):
        for name, child in value.items():
            yield from _ciphertexts(child, (*place, name))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _ciphertexts(child, (*place, index))
    elif isinstance(value, str) and value.startswith(PREFIX):
        yield place, value
