"""Whatever the file, it becomes a configuration that is valid, or an error: never a crash."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.config import source
from collector.errors import ConfigError
from collector.importers.products import PRODUCTS, Imported, convert
from collector.importers.reading import read
from tests.fakes.config import NOW
from tests.fakes.imports import CANARY, EXAMPLES, SECRETS, STREAM
from tests.fakes.imports import settings as made

BITS = st.sampled_from(
    [
        *("name: x\n", "type: proofpoint\n", "cluster: c\n", "- ", "{", "}", "[", "]", '"', "'"),
        *("a: ", "b", ",", "\n", "  ", "\t", "&x", "!t", "\x00", "\ufeff", "é", "#", "1", "null"),
    ]
)
SUFFIXES = st.sampled_from([".json", ".yaml", ".csv", "", ".JSON"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        ["${X}", "$secret{x}", "file:x", "****", "message", "1e3", "a.b", "\u2028#x", "\ud800"]
    )
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "config", "name", "tls", "services", "a\nb"]), inner
        )
    ),
    max_leaves=6,
)


def places(value: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document."""
    steps = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for step, child in steps:
        found.append((*above, step))
        if isinstance(child, dict | list):
            found += places(child, (*above, step))
    return found


def hidden(product: str) -> Any:
    """The example of a product as values, with canaries for secrets."""
    text, suffix = EXAMPLES[product]
    for at, secret in enumerate(SECRETS):
        text = text.replace(secret, f"{CANARY}{at}")
    return read(text.encode(), suffix)


DOCUMENTS = [
    *((product, hidden(product)) for product in PRODUCTS),
    ("observo", read(STREAM.encode(), ".yaml")),
]


def with_value(document: Any, place: tuple[Any, ...], value: Any) -> Any:
    """The document with another value at one place."""
    changed = deepcopy(document)
    block = changed
    for step in place[:-1]:
        block = block[step]
    block[place[-1]] = value
    return changed


def outcome(product: str, raw: bytes, suffix: str) -> Imported | ConfigError:
    """What becomes of a file."""
    try:
        return convert(product, raw, suffix, NOW)
    except ConfigError as error:
        return error


def survives(product: str, raw: bytes, suffix: str) -> None:
    """Taken or refused; what is taken is valid, and no canary is anywhere."""
    found = outcome(product, raw, suffix)
    assert CANARY not in f"{found}"
    if isinstance(found, ConfigError):
        assert found.remedy
        return
    assert not source.parse(found.text.encode()).problems
    looked_up = [each for each in found.references if each.startswith("$secret")]
    assert looked_up or made(found).inputs


@pytest.mark.parametrize("product", PRODUCTS)
@settings(max_examples=60)
@given(st.binary(max_size=60), SUFFIXES)
def test_any_bytes(product: str, raw: bytes, suffix: str) -> None:
    """Any bytes are taken or refused."""
    survives(product, raw, suffix)


@pytest.mark.parametrize("product", PRODUCTS)
@settings(max_examples=60)
@given(st.lists(BITS, max_size=20), SUFFIXES)
def test_any_text(product: str, bits: list[str], suffix: str) -> None:
    """Any text that looks a little like a configuration, too."""
    survives(product, "".join(bits).encode(), suffix)


@pytest.mark.parametrize(("product", "document"), DOCUMENTS)
@settings(max_examples=80)
@given(st.data(), VALUES)
def test_any_value_anywhere(product: str, document: Any, data: st.DataObject, value: Any) -> None:
    """Any value at any place of an example, as JSON."""
    place = data.draw(st.sampled_from(places(document)))
    text = json.dumps(with_value(document, place, value))
    survives(product, text.encode("utf-8", "replace"), ".json")
