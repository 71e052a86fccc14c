"""Public collections of hostile input, through reader and batching.

They are not part of the project (``tests/fakes/corpora.py``).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from collector.core.batching import Limits, Origin, batches
from collector.core.events import reader
from collector.core.flatten import Mode, flattener
from collector.core.model import Event
from collector.pullers import pod_message
from tests.fakes.corpora import CASES, STRINGS, needs_cases, needs_strings
from tests.fakes.lines import is_one_line_of_json, refuse
from tests.fakes.pulls import START, as_json

ORIGIN = Origin(
    input="tenant",
    service="message",
    source="tenant#message",
    tag="mail.proofpoint.pod.message",
    mode="live",
    pulling_id="1",
    observed=START,
    outputs=("archive",),
)
read = reader(pod_message.SHAPE)


def delivered(events: list[Event], mode: Mode = "none") -> list[bytes]:
    """The lines that leave for the spool, each checked."""
    flatten = flattener(mode, "text")
    pairs = [(event, flatten(event.raw)) for event in events]
    made = batches(ORIGIN, pairs, Limits(max_records=7))
    lines = [line for batch in made for line in batch.body[:-1].split(b"\n")]
    assert sum(batch.count for batch in made) == len(lines)
    for line in lines:
        assert is_one_line_of_json(line)
        assert json.loads(line)["@collector"]["input"] == "tenant"
    return lines


def wrapped(document: bytes) -> bytes:
    """A record that holds the document as the value of a field."""
    return b'{"guid":"a","ts":"2026-01-01T00:00:00Z","text":' + document + b"}"


def strict(raw: bytes) -> Any:
    """The document under the letter of the standard; raises ``ValueError``."""
    return json.loads(raw.decode(), parse_constant=refuse)


def is_standard(raw: bytes) -> bool:
    """Whether Python's decoder, held to the standard, takes the bytes."""
    try:
        strict(raw)
    except (ValueError, RecursionError):
        return False
    return True


def cases(kind: str) -> list[Any]:
    """The files that must be accepted (y), rejected (n), or either (i)."""
    return [pytest.param(path, id=path.stem) for path in sorted(CASES.glob(f"{kind}_*.json"))]


@needs_cases
def test_all_cases_are_there() -> None:
    """The collection is whole."""
    assert len(list(CASES.iterdir())) == 318


@needs_cases
@pytest.mark.parametrize("path", cases("y"))
def test_valid_documents(path: Path) -> None:
    """A valid object is delivered with its meaning; another document as a value is, too."""
    raw = path.read_bytes()
    events, rejected = read([raw])
    if isinstance(strict(raw), dict):
        found = json.loads(delivered(events)[0])
        del found["@collector"]
        assert found == strict(raw)
    else:
        assert events == []
        assert rejected[0].raw == raw.strip()
    inner = json.loads(delivered(read([wrapped(raw)])[0])[0])
    assert inner["text"] == strict(raw)


@needs_cases
@pytest.mark.parametrize("path", cases("n"))
def test_invalid_documents(path: Path) -> None:
    """An invalid document is rejected, or was repaired and says how; never passed on."""
    for raw in (path.read_bytes(), wrapped(path.read_bytes())):
        events, rejected = read([raw])
        assert len(events) + len(rejected) == (1 if raw.strip() else 0)
        delivered(events)
        # A fragment inside a record may make a whole one: ``1,"a":2``.
        assert all(event.flags or is_standard(raw) for event in events)
        assert all(each.raw == raw.strip() for each in rejected)


@needs_cases
@pytest.mark.parametrize("path", cases("i"))
def test_free_documents(path: Path) -> None:
    """What the standard leaves open is delivered as valid JSON or kept aside."""
    for raw in (path.read_bytes(), wrapped(path.read_bytes())):
        events, rejected = read([raw])
        assert len(events) + len(rejected) == 1
        delivered(events)


@needs_cases
def test_neighbours_survive_all_cases() -> None:
    """Between any two cases a good record arrives."""
    raws = [path.read_bytes() for path in sorted(CASES.iterdir())]
    good = as_json({"guid": "good", "ts": "2026-01-01T00:00:00Z"})
    events, _ = read([each for raw in raws for each in (raw, good)])
    assert sum(event.id == "good" for event in events) == len(raws)
    delivered(events)


@needs_strings
@pytest.mark.parametrize("mode", get_args(Mode))
def test_naughty_strings(mode: Mode) -> None:
    """Every naughty string travels as value and as key, in every spelling."""
    naughty: list[str] = json.loads(STRINGS.read_text(encoding="utf-8"))
    assert len(naughty) == 515
    for ascii_only in (False, True):
        records = [
            {"guid": f"{n}", "ts": text, text or "key": text, "text": [text, {"a": text}]}
            for n, text in enumerate(naughty)
        ]
        raws = [json.dumps(record, ensure_ascii=ascii_only).encode() for record in records]
        events, rejected = read(raws)
        assert rejected == []
        lines = delivered(events, mode)
        assert len(lines) == len(records) * (2 if mode == "split" else 1)
        if mode == "none":
            assert [json.loads(line)["text"] for line in lines] == [r["text"] for r in records]


@needs_strings
def test_naughty_strings_as_records() -> None:
    """A naughty string instead of a record is kept aside or delivered as JSON."""
    naughty: list[str] = json.loads(STRINGS.read_text(encoding="utf-8"))
    for text in naughty:
        for raw in (text.encode(), wrapped(text.encode()), wrapped(b'"' + text.encode() + b'"')):
            events, rejected = read([raw])
            assert len(events) + len(rejected) == (1 if raw.strip() else 0)
            delivered(events)
            assert all(each.reason for each in rejected)
