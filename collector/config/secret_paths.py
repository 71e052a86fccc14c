"""The paths of settings at which a ciphertext can stand: a slip would bind it to no place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, NamedTuple

from collector.config.models import typed
from collector.config.plain import block
from collector.config.schema import Node, kinds, resolve, root
from collector.config.sealed import SECURE

_ANY_NAME = ".NAME"
_ANY_INDEX = "[0]"
_PATTERNS = {re.escape(_ANY_NAME): r"\.[!-~]+", re.escape(_ANY_INDEX): r"\[\d+\]"}


class Place(NamedTuple):
    """A setting; ``NAME`` and ``[0]`` in its path stand for any name and position.

    ``bounded``: its schema says how long it may be, as those of messages do; a secret
    that is a ``fields.Secret`` is one line.
    """

    path: str
    secret: bool
    bounded: bool

    def fits(self, path: str) -> bool:
        """Whether the path is one of this setting."""
        pattern = re.escape(self.path)
        for written, meant in _PATTERNS.items():
            pattern = pattern.replace(written, meant)
        return re.fullmatch(pattern, path) is not None


def remedy_for(path: str, document: dict[str, Any]) -> str | None:
    """What to write in place of a path at which no ciphertext can stand; None for a good one.

    ``document``: the configuration as it stands, or nothing.  Where it has no such
    block yet, any name and any type will do.
    """
    top, name, *_ = path.split(".")
    named = block(document, top)
    if named and name not in named:
        close = get_close_matches(name, named, n=1)
        meant = f"did you mean {close[0]}? " if close else ""
        return f"{meant}{top} there are: {', '.join(named)}; a new one is written into it first"
    places = list(_below(top, name, named))
    if any(place.fits(path) for place in places):
        return None
    secrets = list(dict.fromkeys(place.path for place in places if place.secret))
    close = get_close_matches(path, secrets, n=2, cutoff=0.8)
    if close:
        return f"did you mean {' or '.join(close)}?"
    return f"choose from: {', '.join(secrets)}" if secrets else f"{top}.{name} has no secrets"


def is_one_line(path: str, document: dict[str, Any]) -> bool:
    """Whether a good path is that of a secret which may only be one line (``fields.Secret``)."""
    top, name, *_ = path.split(".")
    places = _below(top, name, block(document, top))
    return any(each.secret and not each.bounded and each.fits(path) for each in places)


def _below(top: str, name: str, named: dict[str, Any]) -> Iterator[Place]:
    """Every setting of one input, output or pipeline, of its type where that is known."""
    node = resolve(resolve(root()["properties"][top])["additionalProperties"])
    given = block(named, name)
    kind = (typed(name, given) if top == "inputs" else given).get("type")
    chosen = kinds(node).get(kind) if isinstance(kind, str) else None
    yield from _places(chosen or node, f"{top}.{name}", secure=False)


def _places(node: Node, path: str, *, secure: bool) -> Iterator[Place]:
    """The texts of a section that may be secure, and of all sections within it."""
    node = resolve(node)
    for kind in kinds(node).values():
        yield from _places(kind, path, secure=secure)
    settings = node.get("properties", {})
    secure = secure or SECURE in settings
    for name, child in settings.items():
        yield from _places(child, f"{path}.{name}", secure=secure)
    if isinstance(node.get("additionalProperties"), dict):
        yield from _places(node["additionalProperties"], f"{path}{_ANY_NAME}", secure=secure)
    if "items" in node:
        yield from _places(node["items"], f"{path}{_ANY_INDEX}", secure=secure)
    if secure and node.get("type") == "string":
        yield Place(path, node.get("writeOnly") is True, "maxLength" in node)
