"""A record through a pipeline: bytes in, bytes out, and what became of it."""

import sys
import threading
from typing import Any

import pytest

from collector.core.wirejson import LONE_SURROGATE
from collector.pipeline import Outcome, Pipeline, Step, choice, edits, shape
from collector.pipeline.conditions import Condition
from collector.pipeline.document import MAX_DEPTH
from collector.pipeline.paths import parse
from collector.pipeline.step import MAX_RECORDS, OnError, Work

ADD = Step(kind="add", work=edits.add({parse("new"): 1}))


def filtering(text: str, on_error: OnError = "keep") -> Step:
    """A filter that keeps what a condition holds for."""
    return Step(kind="filter", work=choice.keep_where(Condition(text)), on_error=on_error)


def exploding(field: str = "l", on_error: OnError = "keep") -> Step:
    """A step that explodes a list."""
    return Step(kind="explode", work=shape.explode(parse(field)), on_error=on_error)


def bypassing(text: str) -> Step:
    """A bypass."""
    return Step(kind="bypass", work=choice.bypass(Condition(text)))


def test_steps_run_in_order() -> None:
    """Each step works on what the one before it gave."""
    pipeline = Pipeline([[exploding(), filtering("record.l > 1")], [ADD]])
    assert pipeline(b'{"l":[1,2,3]}') == Outcome([b'{"l":2,"new":1}', b'{"l":3,"new":1}'])


def test_an_unchanged_record_is_the_vendors_bytes() -> None:
    """A record that was looked at and not changed keeps every byte."""
    raw = b'{ "a" : 1.50, "b":"\\u00e9\\/", "c":1E5,"a":2 }'
    assert Pipeline([[filtering("record.a == 2"), exploding()]])(raw) == Outcome([raw])


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (b"123456789012345678901234567890", None),
        (b"-9223372036854775809", None),
        (b"1.10", None),
        (b"0.1000000000000000055511151231257827", None),
        (b"0.00001", None),
        (b"-0.0", None),
        (b"1e400", b"1E+400"),
        (b"1e5", b"1E+5"),
        (b"1.5e+300", b"1.5e300"),
    ],
)
def test_no_number_changes_its_value(number: bytes, written: bytes | None) -> None:
    """A changed record keeps its numbers to the last digit; only an exponent's form may differ."""
    (line,) = Pipeline([[ADD]])(b'{"a":%b}' % number).records
    assert line == b'{"a":%b,"new":1}' % (written or number)


def test_filtered() -> None:
    """No record and no reason: it was filtered out."""
    assert Pipeline([[filtering("false")]])(b"{}") == Outcome([])


@pytest.mark.parametrize(
    ("on_error", "outcome"),
    [
        ("keep", Outcome([b'{"a":1,"new":1}'], ("filter_failed",))),
        ("drop", Outcome([], ("filter_failed",))),
        (
            "dead_letter",
            Outcome([], ("filter_failed",), 'filter: Key not found in map : "b"'),
        ),
    ],
)
def test_on_error(on_error: OnError, outcome: Outcome) -> None:
    """What a step fails on is kept and goes on, is dropped, or goes to the dead letters."""
    assert Pipeline([[filtering("record.b == 1", on_error), ADD]])(b'{"a":1}') == outcome


def test_one_dead_part_is_the_whole_record() -> None:
    """A record whose parts cannot all be read is kept aside as a whole, and nothing of it sent."""
    pipeline = Pipeline([[exploding(), filtering("record.l > 1", "dead_letter")]])
    outcome = pipeline(b'{"l":[1,"x",3]}')
    assert outcome.records == []
    assert outcome.dead is not None


def test_bypass_ends_its_own_pipeline() -> None:
    """The rest of the pipeline is passed by; the next one begins, and order is kept."""
    first = [exploding(), bypassing("record.l == 2"), filtering("record.l == 3")]
    outcome = Pipeline([first, [ADD]])(b'{"l":[1,2,3]}')
    assert outcome.records == [b'{"l":2,"new":1}', b'{"l":3,"new":1}']


def test_a_flag_is_told_once() -> None:
    """Many parts that fail alike make one flag."""
    pipeline = Pipeline([[exploding(), filtering('record.x == "y"')]])
    assert pipeline(b'{"l":[1,2,3]}').flags == ("filter_failed",)


def test_a_flood_is_kept_aside() -> None:
    """Lists of lists do not multiply without end, in number or in bytes."""
    row = b"[" + b",".join([b"0"] * 200) + b"]"
    many = b'{"l":[' + b",".join([row] * 200) + b"]}"
    outcome = Pipeline([[exploding(), exploding()]])(many)
    assert outcome.dead == f"it would become more than {MAX_RECORDS} records"
    large = b'{"l":[' + b",".join([b"0"] * 1000) + b'],"x":"' + b"x" * 100_000 + b'"}'
    assert "bytes" in str(Pipeline([[exploding()]])(large).dead)
    wide = b'{"l":[' + b",".join([b"0"] * (MAX_RECORDS + 1)) + b"]}"
    assert Pipeline([[exploding()]])(wide) == Outcome([wide], ("explode_failed",))


@pytest.mark.parametrize(
    "raw", [b"", b"nonsense", b"[]", b"1", b'{"a":', b'{"a":1e99999999999999999999}']
)
def test_what_cannot_be_read_is_kept_aside(raw: bytes) -> None:
    """It is never delivered as it is: a step might have had to hide something in it."""
    outcome = Pipeline([[ADD]])(raw)
    assert outcome.records == []
    assert str(outcome.dead).startswith("not a JSON object: ")


def test_deep_records_are_kept_aside() -> None:
    """Nesting that could exhaust a stack is no record; less deep, it is one."""
    pipeline = Pipeline([[ADD, filtering("has(record.new)")]])
    for depth in (MAX_DEPTH + 1, 2000, 200_000):
        raw = b'{"a":' * depth + b"1" + b"}" * depth
        assert pipeline(raw).dead is not None
    fits = b'{"a":' * MAX_DEPTH + b"1" + b"}" * MAX_DEPTH
    assert pipeline(fits).dead is None
    wide = b'{"a":[' + b",".join([b"{}"] * 1000) + b"]}"
    assert pipeline(wide).dead is None


def test_what_can_be_repaired_is_repaired() -> None:
    """Half a surrogate pair does not cost the record; it is flagged."""
    outcome = Pipeline([[ADD]])(rb'{"a":"\ud800","b":"\ud83d\ude00"}')
    assert outcome == Outcome(['{"a":"�","b":"😀","new":1}'.encode()], (LONE_SURROGATE,))


def test_text_stays_on_one_line() -> None:
    """What becomes a line holds no line end, whatever its texts hold."""
    (line,) = Pipeline([[ADD]])(b'{"a":"\\n\\r\\u2028\\u0000"}').records
    assert b"\n" not in line
    assert b"\r" not in line


def test_many_threads_share_a_pipeline() -> None:
    """The same record has the same outcome, from whichever thread."""
    parsed: Work = shape.parse_json(parse("m"))
    steps = [filtering("record.n >= 0"), Step(kind="parse_json", work=parsed), ADD]
    pipeline = Pipeline([steps])
    wrong: list[Any] = []

    def work(n: int) -> None:
        raw = b'{"n":%d,"m":"[%d]"}' % (n, n)
        expected = Outcome([b'{"n":%d,"m":[%d],"new":1}' % (n, n)])
        wrong.extend(found for _ in range(300) if (found := pipeline(raw)) != expected)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(before)
    assert wrong == []
