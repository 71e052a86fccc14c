"""Steps that hide what stands in fields: ``mask`` and ``pseudonymise``."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias

from collector.pipeline import paths
from collector.pipeline.document import Record, write
from collector.pipeline.paths import Path
from collector.pipeline.patterns import Pattern, template
from collector.pipeline.step import Work

Algorithm: TypeAlias = Literal["hmac_sha256", "blake2b"]
Token: TypeAlias = Callable[[str], str]

DIGITS = 64
"""Hexadecimal digits of a whole pseudonym."""


def mask(fields: Sequence[Path], replacement: str, pattern: Pattern | None = None) -> Work:
    r"""A fixed text in place of each field, or of what a pattern finds in it.

    With a pattern, ``\1`` in the replacement is its first group, and all texts and
    numbers within the field are looked through.  ``null`` stays.
    """
    if pattern is None:
        return _everywhere(fields, lambda value: None if value is None else replacement)
    fill = template(replacement, pattern.groups)
    return _everywhere(fields, _within(lambda text: pattern.replace(text, fill)))


def pseudonymise(fields: Sequence[Path], token: Token, pattern: Pattern | None = None) -> Work:
    """A token in place of all texts and numbers within each field, or of what a pattern finds.

    The same text has the same token wherever it stands, so that joins still work.
    ``null`` and empty texts stay.
    """
    if pattern is None:
        return _everywhere(fields, _within(token))
    return _everywhere(
        fields,
        _within(lambda text: pattern.replace(text, lambda match: token(match(0) or ""))),
    )


def tokens(
    key: str,
    *,
    algorithm: Algorithm = "hmac_sha256",
    length: int = 32,
    prefix: str = "",
    ignore_case: bool = False,
) -> Token:
    """A keyed one-way function: ``prefix`` and so many hexadecimal digits."""
    digest = _DIGESTS[algorithm](key.encode())

    def token(text: str) -> str:
        if not text:
            return text
        known = text.casefold() if ignore_case else text
        return prefix + digest(known.encode()).hex()[:length]

    return token


def _hmac_sha256(key: bytes) -> Callable[[bytes], bytes]:
    return lambda text: hmac.digest(key, text, "sha256")


def _blake2b(key: bytes) -> Callable[[bytes], bytes]:
    # It takes keys of 64 bytes; a longer one is hashed first, as HMAC does.
    short = key if len(key) <= hashlib.blake2b.MAX_KEY_SIZE else hashlib.blake2b(key).digest()
    return lambda text: hashlib.blake2b(text, key=short, digest_size=DIGITS // 2).digest()


_DIGESTS: dict[Algorithm, Callable[[bytes], Callable[[bytes], bytes]]] = {
    "hmac_sha256": _hmac_sha256,
    "blake2b": _blake2b,
}


def _everywhere(fields: Sequence[Path], change: Callable[[Any], Any]) -> Work:
    def changed(record: Record) -> list[Record]:
        for path in fields:
            record = paths.update(record, path, change)
        return [record]

    return changed


def _within(change: Callable[[str], str]) -> Callable[[Any], Any]:
    """The change made to all texts and numbers within a value; keys stay."""

    def changed(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: changed(each) for name, each in value.items()}
        if isinstance(value, list):
            return [changed(each) for each in value]
        if value is None:
            return None
        text = value if isinstance(value, str) else write(value).decode()
        new = change(text)
        return value if new == text else new

    return changed
