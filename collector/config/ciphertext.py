"""Secrets as text that may stand in a configuration: encrypted, and bound to their setting.

    enc:v1:<key id>:<base64url, without padding, of nonce, ciphertext and tag>

AES-256-GCM-SIV (RFC 8452): a repeated nonce, as two machines restored from one
snapshot may draw it, gives away no more than that two secrets are equal.  The
associated data are the version, the key's id and the path of the setting, so that
a text which was changed, moved to another setting or made with another key is
refused (docs/decisions/0016-encrypted-settings.md).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from collector.config.secrets import MAX_FILE_BYTES, Unresolved

PREFIX = "enc:v1:"
KEY_BYTES = 32
NONCE_BYTES = 12
MAX_SECRET_BYTES = MAX_FILE_BYTES
MAX_CHARACTERS = 2 * MAX_SECRET_BYTES
"""More than the longest secret takes as text."""

FORM = re.compile(r"enc:v1:(?P<key>[0-9a-f]{16}):(?P<body>[A-Za-z0-9_-]{38,})")

AGAIN = "encrypt the secret again: collector secret encrypt --path {path}"


@dataclass(frozen=True)
class Key:
    """One shared key of 32 bytes; its ``id`` names it in public and tells nothing of it."""

    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """Sixteen hexadecimal digits of a digest of the key."""
        return hashlib.sha256(b"collector key id v1\0" + self.secret).hexdigest()[:16]


def new_key() -> Key:
    """A key from the operating system's random numbers."""
    return Key(secrets.token_bytes(KEY_BYTES))


def encrypt(key: Key, path: str, value: str) -> str:
    """The text that stands for a secret at one setting, as ``inputs.pod.credentials.token``.

    Raises ``Unresolved`` for a secret of more than 64 KiB.
    """
    plain = value.encode()
    if len(plain) > MAX_SECRET_BYTES:
        raise Unresolved("the secret is larger than 64 KiB", "give only the secret")
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = AESGCMSIV(key.secret).encrypt(nonce, plain, _bound_to(key.id, path))
    return f"{PREFIX}{key.id}:{encoded(nonce + sealed)}"


def decrypt(keys: Iterable[Key], path: str, text: str) -> str:
    """The secret behind a text; raises ``Unresolved``, which never tells either."""
    match = FORM.fullmatch(text) if len(text) <= MAX_CHARACTERS else None
    raw = decoded(match["body"]) if match else None
    if match is None or raw is None:
        raise Unresolved("is no whole ciphertext", AGAIN.format(path=path))
    key = next((each for each in keys if each.id == match["key"]), None)
    if key is None:
        raise Unresolved(
            f"was encrypted with the key {match['key']}, which is not in the key file",
            f"add that key to the file, or {AGAIN.format(path=path)}",
        )
    nonce, sealed = raw[:NONCE_BYTES], raw[NONCE_BYTES:]
    try:
        return AESGCMSIV(key.secret).decrypt(nonce, sealed, _bound_to(key.id, path)).decode()
    except InvalidTag:
        reason = f"was not encrypted for {path}, or was changed since"
        raise Unresolved(reason, AGAIN.format(path=path)) from None


def key_id(text: str) -> str | None:
    """The id of the key that a ciphertext names; None when it is not one."""
    match = FORM.fullmatch(text)
    return match["key"] if match else None


def encoded(raw: bytes) -> str:
    """Base64 in the alphabet for URLs, without padding."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decoded(text: str) -> bytes | None:
    """The bytes of a base64 text; None unless it is exactly what ``encoded`` writes for them.

    The last character may hold bits that mean nothing: they must not be changed either.
    """
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        return None
    return raw if encoded(raw) == text else None


def _bound_to(key: str, path: str) -> bytes:
    return b"\0".join((PREFIX.encode(), key.encode(), path.encode()))
