"""Encrypted settings: what was encrypted comes back, in its own setting, whole, or not at all."""

from __future__ import annotations

import string

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from collector.config.ciphertext import (
    KEY_BYTES,
    MAX_SECRET_BYTES,
    PREFIX,
    Key,
    decoded,
    decrypt,
    encoded,
    encrypt,
    key_id,
    new_key,
)
from collector.config.secrets import Unresolved

KEYS = st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES).map(Key)
PATHS = st.text(string.ascii_letters + "._-", min_size=1, max_size=60)
CANARY = "c4n4ry"
SECRETS = st.text(st.characters(exclude_categories=["Cs"]), max_size=80).map(CANARY.__add__)
ALPHABET = string.ascii_letters + string.digits + "-_:"
examples = settings(max_examples=60)


def refused(keys: list[Key], path: str, text: str) -> None:
    """It is not decrypted, and the error tells neither the secret nor the ciphertext."""
    with pytest.raises(Unresolved) as caught:
        decrypt(keys, path, text)
    told = f"{caught.value.reason} {caught.value.fix} {caught.value.__cause__!r}"
    assert CANARY not in told
    assert len(text) < len(PREFIX) + 17 or text not in told


@examples
@given(KEYS, PATHS, SECRETS)
def test_round_trip(key: Key, path: str, secret: str) -> None:
    """It comes back, whichever other keys there are, and stands in one word of plain ASCII."""
    text = encrypt(key, path, secret)
    assert decrypt([new_key(), key, new_key()], path, text) == secret
    assert text.startswith(f"{PREFIX}{key.id}:")
    assert set(text) <= set(ALPHABET)
    assert key_id(text) == key.id


@examples
@given(KEYS, PATHS, SECRETS, st.data())
def test_a_changed_bit_is_noticed(key: Key, path: str, secret: str, data: st.DataObject) -> None:
    """Wherever it stands: in the version, the key's id, the nonce, the text or the tag."""
    raw = bytearray(encrypt(key, path, secret).encode())
    bit = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[bit // 8] ^= 1 << bit % 8
    refused([key], path, raw.decode("latin-1"))


@examples
@given(KEYS, PATHS, SECRETS, st.data())
def test_a_changed_character_is_noticed(
    key: Key, path: str, secret: str, data: st.DataObject
) -> None:
    """Also the last one, some bits of which mean nothing in base64."""
    text = encrypt(key, path, secret)
    place = data.draw(st.one_of(st.just(len(text) - 1), st.integers(0, len(text) - 1)))
    other = data.draw(st.sampled_from(ALPHABET))
    assume(other != text[place])
    refused([key], path, text[:place] + other + text[place + 1 :])


@examples
@given(KEYS, PATHS, SECRETS, st.data())
def test_a_part_is_refused(key: Key, path: str, secret: str, data: st.DataObject) -> None:
    """A text that was copied in part, or with something around it, is none."""
    text = encrypt(key, path, secret)
    refused([key], path, text[: data.draw(st.integers(0, len(text) - 1))])
    refused([key], path, text + data.draw(st.sampled_from([" ", "\n", "=", "A", "AA"])))


@examples
@given(KEYS, PATHS, PATHS, SECRETS)
def test_another_setting_is_refused(key: Key, path: str, other: str, secret: str) -> None:
    """A text that was moved to another setting is not decrypted there."""
    assume(path != other)
    refused([key], other, encrypt(key, path, secret))


@examples
@given(KEYS, KEYS, PATHS, SECRETS)
def test_another_key_is_refused(key: Key, other: Key, path: str, secret: str) -> None:
    """Also when the text is made to name that key."""
    assume(key != other)
    text = encrypt(key, path, secret)
    refused([other], path, text)
    refused([other, key], path, text.replace(key.id, other.id))
    refused([], path, text)


@examples
@given(st.text(ALPHABET, max_size=80), st.booleans())
def test_any_text_is_refused(text: str, prefixed: bool) -> None:  # noqa: FBT001 - hypothesis gives it
    """What was never encrypted is no secret, and no crash."""
    refused([Key(bytes(KEY_BYTES))], "a", PREFIX + text if prefixed else text)


@examples
@given(st.binary(max_size=60))
def test_base64_has_one_spelling(raw: bytes) -> None:
    """Bytes come back from their text, and from no other one."""
    text = encoded(raw)
    assert decoded(text) == raw
    assert all(decoded(text[:-1] + last) != raw for last in ALPHABET if text[-1:] not in ("", last))


def test_no_two_are_alike() -> None:
    """The same secret at the same place looks different each time."""
    key = new_key()
    assert len({encrypt(key, "a", "secret") for _ in range(50)}) == 50


def test_a_key_is_not_shown() -> None:
    """Printing one shows nothing of it, and its id is public."""
    key = Key(b"k" * KEY_BYTES)
    assert "kkk" not in f"{key!r} {key}"
    assert key.id == Key(b"k" * KEY_BYTES).id != Key(b"l" * KEY_BYTES).id


def test_a_form_of_today_stays_readable() -> None:
    """This text was made by the first release with encryption."""
    key = Key(bytes(range(KEY_BYTES)))
    assert decrypt([key], "inputs.pod.credentials.token", FIRST) == "pod-token"


def test_secrets_are_bounded() -> None:
    """64 KiB can be encrypted and decrypted, more is refused before any work."""
    key = new_key()
    largest = "x" * MAX_SECRET_BYTES
    assert decrypt([key], "a", encrypt(key, "a", largest)) == largest
    with pytest.raises(Unresolved):
        encrypt(key, "a", largest + "x")
    refused([key], "a", encrypt(key, "a", "x") + "A" * 1_000_000)


FIRST = "enc:v1:0bde9ef38d8462f7:xVmzwHBu3EeSJu18qv6rZ1c44lup2x6tDn8wiQKKH_UXztLXEQ"
