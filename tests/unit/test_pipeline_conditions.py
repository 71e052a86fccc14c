"""Conditions in CEL: what they say of a record, and what is wrong with them."""

from decimal import Decimal
from typing import Any

import pytest

from collector.pipeline.conditions import Condition
from collector.pipeline.step import Failed

RECORD = {
    "guid": "x",
    "msg": {"sizeBytes": 2000, "header": {"from": ["Ann <ann@x.example>"]}},
    "rcpts": ["a@x.example", "b@y.example"],
    "ts": "2026-01-01T12:59:43.881767+0100",
    "ratio": 0.5,
    "nothing": None,
    "in": 1,
}


@pytest.mark.parametrize(
    "text",
    [
        'record.guid == "x"',
        "record.msg.sizeBytes > 1000 && record.ratio < 1.0",
        'has(record.msg) && !has(record.msg.subject) && !("nope" in record)',
        'record.rcpts.exists(to, to.endsWith("@y.example"))',
        'record.msg.header["from"][0].lowerAscii().contains("ann")',
        'record.?policy.?name.orValue("none") == "none"',
        'record.guid.matches("^[a-z]$")',
        'record["in"] == 1 && record.nothing == null',
        "size(record.rcpts) == 2",
    ],
)
def test_what_holds(text: str) -> None:
    """The language of the manual is understood."""
    assert Condition(text)(RECORD)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "cannot be read at character"),
        ("record.guid ==", "character 15 of line 1"),
        ('recrd.guid == "x"', "undeclared reference to 'recrd.guid'$"),
        ('"a" + 1 == 2', "no matching overload"),
        ("record.guid.nope()", "undeclared reference to 'nope'"),
        ("size(record.guid)", "gives INT, not true or false"),
        ("(" * 100 + "true" + ")" * 100, "cannot be read: Expression recursion limit"),
        ("true" + " " * 5000, "is longer than"),
    ],
)
def test_what_is_wrong(text: str, reason: str) -> None:
    """Each mistake is told in one line, with its place."""
    with pytest.raises(ValueError, match=reason) as caught:
        Condition(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('record.policy == "x"', "Key not found in map"),
        ("record.guid > 1", "No matching overloads"),
        ("record.guid", "it gives STRING, not true or false"),
        ('record.guid.matches("[")', "invalid regular expression"),
        ('timestamp(record.guid) > timestamp("2026-01-01T00:00:00Z")', "."),
    ],
)
def test_what_cannot_be_told(text: str, reason: str) -> None:
    """A condition that fails on a record says why."""
    with pytest.raises(Failed, match=reason):
        Condition(text)(RECORD)


@pytest.mark.parametrize(
    "number",
    [2**70, -(2**70), Decimal("1.10"), Decimal("1E+400"), 10**400, -(10**400)],
    ids=["2^70", "-2^70", "1.10", "1E+400", "10^400", "-10^400"],
)
def test_numbers_beyond_64_bits_harm_nobody(number: Any) -> None:
    """They count as the nearest float; a condition about another field does not see them."""
    assert Condition("record.b == 1")({"a": {"deep": [number]}, "b": 1})
    assert Condition("record.a < 1e300 || record.a > 1e300")({"a": number})


def test_a_long_loop_ends() -> None:
    """A condition that would go through a record for ever fails instead."""
    text = "record.l.all(x, record.l.all(y, record.l.all(z, true)))"
    with pytest.raises(Failed, match="budget"):
        Condition(text)({"l": list(range(100))})
