"""Whatever the record: no pipeline raises, none loses or doubles, the same gives the same."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from collector.pipeline import Outcome, Pipeline, Step, choice, disguise, edits, shape
from collector.pipeline.conditions import Condition
from collector.pipeline.document import read, write
from collector.pipeline.paths import GONE, parse, update
from collector.pipeline.patterns import Pattern
from collector.pipeline.step import Failed, OnError

TOKEN = disguise.tokens("an invented key, 32 characters..")

names = st.sampled_from(["a", "b", "c", "l", "m", "a.b", ""])
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**200), 2**200)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    | st.sampled_from(['{"a":[1,2]}', "[1.10]", "ann@x.example"])
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)
records = st.dictionaries(names, values, max_size=5)
fields = st.sampled_from(["a", "b.c", "l", "l[*]", "l[0].a", "a[*].b", "m"]).map(parse)
plain_fields = st.sampled_from(["a", "b.c", "l", "m"]).map(parse)

CONDITIONS = [
    Condition(text)
    for text in (
        "record.a == 1",
        'has(record.b) && record.b.c != "x"',
        "record.l.all(x, x > 0)",
        'record.m.matches("^.*[a-z]+$")',
        "record.?a.?b.hasValue()",
    )
]

ON_ERROR: tuple[OnError, ...] = ("keep", "drop", "dead_letter")

steps = st.one_of(
    st.builds(lambda f: ("parse_json", shape.parse_json(f)), plain_fields),
    st.builds(lambda f: ("explode", shape.explode(f, "n")), plain_fields),
    st.builds(lambda c: ("filter", choice.keep_where(c)), st.sampled_from(CONDITIONS)),
    st.builds(lambda c: ("bypass", choice.bypass(c)), st.sampled_from(CONDITIONS)),
    st.builds(lambda f: ("add", edits.add({f: "new"})), plain_fields),
    st.builds(lambda f: ("rename", edits.rename({f: "z"})), plain_fields),
    st.builds(lambda f: ("drop", edits.drop([f])), fields),
    st.builds(lambda f: ("mask", disguise.mask([f], "***")), fields),
    st.builds(lambda f: ("mask", disguise.mask([f], "*", Pattern("[a-z]"))), fields),
    st.builds(lambda f: ("pseudonymise", disguise.pseudonymise([f], TOKEN)), fields),
).flatmap(
    lambda made: st.sampled_from(ON_ERROR).map(
        lambda on_error: Step(kind=made[0], work=made[1], on_error=on_error)
    )
)
stages = st.lists(st.lists(steps, max_size=4), max_size=3)


def exact(raw: bytes) -> Any:
    """A JSON text as values, numbers to the last digit."""
    return json.loads(raw, parse_float=Decimal)


@given(stages, records)
def test_any_record_has_an_outcome(chosen: list[list[Step]], record: dict[str, Any]) -> None:
    """Objects come out, one a line, or a reason; and again the same the next time."""
    raw = msgspec.json.encode(record)
    outcome = Pipeline(chosen)(raw)
    assert Pipeline(chosen)(raw) == outcome
    assert outcome.dead is None or outcome.records == []
    assert all(isinstance(exact(line), dict) for line in outcome.records)
    assert not any(b"\n" in line for line in outcome.records)


@given(stages, st.binary(max_size=64))
def test_any_bytes_have_an_outcome(chosen: list[list[Step]], raw: bytes) -> None:
    """What is no record is dead, never an error."""
    assert isinstance(Pipeline(chosen)(raw), Outcome)


@given(records)
def test_no_steps_change_nothing(record: dict[str, Any]) -> None:
    """Without a change the bytes are the very same."""
    raw = json.dumps(record, indent=1).replace("\n", " ").encode()
    assert Pipeline([[]])(raw) == Outcome([raw])


@given(records)
def test_reading_and_writing_keeps_every_value(record: dict[str, Any]) -> None:
    """Decoded and encoded, a record has the same keys in the same order and the same values."""
    raw = json.dumps(record).encode()
    written = exact(write(read(raw)[0]))
    assert written == exact(raw)
    assert json.dumps(list(written)) == json.dumps(list(exact(raw)))


@given(st.decimals(allow_nan=False, allow_infinity=False))
@example(Decimal("1E+400"))
@example(Decimal("0.1000000000000000055511151231257827"))
def test_any_number_keeps_its_value(number: Decimal) -> None:
    """However a number is written, it is the same number afterwards."""
    raw = b'{"a":%b}' % str(number).encode()
    assert exact(write(read(raw)[0]))["a"] == exact(raw)["a"]


@given(st.sampled_from(CONDITIONS), records)
def test_conditions_answer_or_fail(condition: Condition, record: dict[str, Any]) -> None:
    """A condition says yes or no, or that it cannot tell; nothing else comes out of the library."""
    try:
        answer: object = condition(record)
    except Failed as failure:
        answer = str(failure) != ""
    assert isinstance(answer, bool)


@given(records, fields)
def test_a_change_leaves_what_it_was_given(record: dict[str, Any], path: Any) -> None:
    """No step writes into a record that another step may share."""
    before = msgspec.json.encode(record)
    update(record, path, lambda _: GONE)
    update(record, path, lambda _: 1)
    assert msgspec.json.encode(record) == before


@given(st.text(), st.text())
def test_pseudonyms_join_and_do_not_collide(one: str, other: str) -> None:
    """Equal texts have equal tokens, different ones different ones."""
    assert (TOKEN(one) == TOKEN(other)) == (one == other)


@given(st.text(st.sampled_from("ab.[]0*\\"), max_size=12))
def test_paths_are_read_or_refused(text: str) -> None:
    """A text is a path, or is refused with the reason; nothing else."""
    try:
        said = "is read" if parse(text) else ""
    except ValueError as error:
        said = str(error)
    assert said.startswith(("has ", "is "))


@given(st.text(st.sampled_from("ab^$.*+?()[]{}|\\1:=<P-"), max_size=12), st.text())
def test_patterns_work_or_are_refused(text: str, subject: str) -> None:
    """A text is a pattern that can be used on any text, or is refused with the reason."""
    try:
        said = Pattern(text).replace(subject, lambda _: "!")
    except ValueError as error:
        said = str(error)
    assert isinstance(said, str)
