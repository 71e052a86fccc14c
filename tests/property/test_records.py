"""What records on their way out say of themselves, whatever stands beside them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collector.core.batching import METADATA_KEY
from collector.senders.records import event_times

WRITTEN = [b"2026-01-01T00:00:00.%06dZ" % fraction for fraction in range(3)]
VENDORS = st.sampled_from(
    [
        b"",
        b'"a":1,',
        METADATA_KEY + b':{"event_id":"x","event_time":"2001-01-01T00:00:00.000000Z"},',
        b'"event_time":"2001-01-01T00:00:00.000000Z",',
        METADATA_KEY + b":{},",
    ]
)
ALONE = [b'{"z":1}', b'{"a":{"b":1,"event_time":"2001-01-01T00:00:00.000000Z"}}']
"""Records without metadata; one looks at its end as if it had some."""
OURS = st.tuples(st.sampled_from(["x", "xy", "x" * 60]), st.none() | st.sampled_from(WRITTEN))


def record(vendor: bytes, ours: tuple[str, bytes | None]) -> bytes:
    """A record as it lies in the spool."""
    event_id, time = ours
    dated = b"" if time is None else b',"event_time":"%b"' % time
    return b'{%b%b:{"event_id":"%b"%b}}' % (vendor, METADATA_KEY, event_id.encode(), dated)


LINES = st.builds(lambda vendor, ours: (record(vendor, ours), ours[1]), VENDORS, OURS)


@given(st.lists(LINES | st.tuples(st.sampled_from(ALONE), st.none()), max_size=12))
def test_event_times(told: list[tuple[bytes, bytes | None]]) -> None:
    """Only what the collector wrote is believed, wherever it stood in the record before."""
    text, spans = b"", []
    for line, _time in told:
        spans.append((len(text), len(text) + len(line)))
        text += line + b"\n"
    assert event_times(text, spans) == [time for _line, time in told]
