"""Decrypting a document: the secrets of each section that says ``secure: true``.

What is a secret is told by the settings themselves: their schema marks it
``writeOnly``.  A secret of such a section that stands in clear is a problem, and so
is a ciphertext anywhere else: neither is ever taken for the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from collector.config.ciphertext import PREFIX, Key, decrypt
from collector.config.models import typed
from collector.config.problems import Place, Problem, spell
from collector.config.schema import Node, below, kinds, resolve, root
from collector.config.secrets import Unresolved

SECURE = "secure"


class Leaf(NamedTuple):
    """A text in a document: where, what, whether it is a secret, and in a secure section."""

    place: Place
    text: str
    secret: bool
    secure: bool


def leaves(document: Any) -> Iterator[Leaf]:
    """Every text of a document of settings, with what its setting says about it."""
    return _leaves(document, root(), (), secure=False)


class Opener:
    """Decrypts the secure sections of one document, noting where, and what failed.

    ``keys`` is asked once at most, and only if something is to be decrypted.
    """

    def __init__(self, keys: Callable[[], Sequence[Key]]) -> None:
        self.places: set[Place] = set()
        self.problems: list[Problem] = []
        self._keys = _Kept(keys)

    def open(self, document: dict[str, Any]) -> dict[str, Any]:
        """The same document with its ciphertexts replaced by what they stand for."""
        opened: dict[Place, str] = {}
        for leaf in leaves(document) if _concerned(document) else ():
            if not (leaf.text.startswith(PREFIX) or (leaf.secret and leaf.secure)):
                continue
            try:
                opened[leaf.place] = self._opened(leaf)
            except Unresolved as failure:
                path = spell(leaf.place)
                self.problems.append(Problem(path=path, reason=failure.reason, fix=failure.fix))
        self.places = set(opened)
        changed: dict[str, Any] = _with(document, opened, ())
        return changed

    def _opened(self, leaf: Leaf) -> str:
        path = spell(leaf.place)
        if not leaf.secure:
            reason = "is a ciphertext, but its section does not say secure: true"
            raise Unresolved(reason, "add secure: true to the section, beside its secrets")
        if not leaf.text.startswith(PREFIX):
            reason = "stands in clear, but its section says secure: true"
            raise Unresolved(reason, f"encrypt it: collector secret encrypt --path {path}")
        return decrypt(self._keys(), path, leaf.text)


class _Kept:
    """The keys, or why there are none, asked for once."""

    def __init__(self, keys: Callable[[], Sequence[Key]]) -> None:
        self._ask = keys
        self._answer: Sequence[Key] | Unresolved | None = None

    def __call__(self) -> Sequence[Key]:
        if self._answer is None:
            try:
                self._answer = self._ask()
            except Unresolved as failure:
                self._answer = failure
        if isinstance(self._answer, Unresolved):
            raise Unresolved(f"cannot be decrypted: {self._answer.reason}", self._answer.fix)
        return self._answer


def _concerned(value: Any) -> bool:
    """Whether there may be anything to decrypt: to make the schema takes a tenth of a second."""
    if isinstance(value, dict):
        return SECURE in value or any(map(_concerned, value.values()))
    if isinstance(value, list):
        return any(map(_concerned, value))
    return isinstance(value, str) and value.startswith(PREFIX)


def _leaves(value: Any, node: Node, place: Place, *, secure: bool) -> Iterator[Leaf]:
    node = resolve(node)
    if isinstance(value, str):
        yield Leaf(place, value, node.get("writeOnly") is True, secure)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _leaves(child, node.get("items", {}), (*place, index), secure=secure)
    elif isinstance(value, dict):
        node = _kind(value, node, place)
        secure = secure or (SECURE in node.get("properties", {}) and value.get(SECURE) is True)
        for name, child in value.items():
            yield from _leaves(child, below(node, name), (*place, name), secure=secure)


def _kind(value: dict[str, Any], node: Node, place: Place) -> Node:
    """The node of the kind that a section's ``type`` chooses, where it chooses one."""
    choice = kinds(node)
    if not choice:
        return node
    chosen = typed(str(place[-1]), value) if place[0] == "inputs" else value
    kind = chosen.get(node["discriminator"]["propertyName"])
    return choice.get(kind, {}) if isinstance(kind, str) else {}


def _with(value: Any, opened: dict[Place, str], place: Place) -> Any:
    if isinstance(value, dict):
        return {name: _with(child, opened, (*place, name)) for name, child in value.items()}
    if isinstance(value, list):
        return [_with(child, opened, (*place, index)) for index, child in enumerate(value)]
    return opened.get(place, value)
