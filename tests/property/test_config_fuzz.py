"""Whatever the bytes or values, a configuration is taken or refused, never a crash."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.config import source
from collector.config.problems import InvalidConfig, Problem
from tests.fakes.config import MINIMAL, problems

# fmt: off
YAML_BITS = st.sampled_from([
    "a", "b: ", ": ", "- ", "\n", "  ", "\t", "[", "]", "{", "}",
    ",", "&x ", "*x", "!t ", "'", '"', "|", ">", "#", "%", "---",
    "...", "?", "1", "no", "\r\n", "\ufeff", "\x00", "é", "@",
])
# fmt: on

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "config", "a", "services"]), inner, max_size=3)
    ),
    max_leaves=8,
)


def paths(block: dict[str, Any], above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every place in a document, blocks and values."""
    below = [
        path
        for name, value in block.items()
        if isinstance(value, dict)
        for path in paths(value, (*above, name))
    ]
    return [(*above, name) for name in block] + below


def with_value(block: dict[str, Any], path: tuple[str, ...], value: object) -> dict[str, Any]:
    """The document with another value at one place."""
    name, *rest = path
    return {**block, name: with_value(block[name], tuple(rest), value) if rest else value}


def refusals(raw: bytes) -> tuple[Problem, ...]:
    """Why these bytes cannot be read; nothing when they can."""
    try:
        return source.parse(raw).problems
    except InvalidConfig as error:
        return error.problems


@settings(max_examples=200)
@given(st.lists(YAML_BITS, max_size=30))
def test_any_text(bits: list[str]) -> None:
    """Any text is read, or refused with a place to look at."""
    assert all(problem.line for problem in refusals("".join(bits).encode()))


@settings(max_examples=100)
@given(st.binary(max_size=60))
def test_any_bytes(raw: bytes) -> None:
    """Any bytes are read, or refused with a place to look at."""
    assert all(problem.line for problem in refusals(raw))


@settings(max_examples=200)
@given(st.sampled_from(paths(MINIMAL)), VALUES)
def test_any_value_anywhere(path: tuple[str, ...], value: object) -> None:
    """Any value at any place is taken, or each problem has path, reason and fix."""
    for problem in problems(with_value(MINIMAL, path, value)):
        assert problem.path
        assert problem.reason
        assert problem.fix
