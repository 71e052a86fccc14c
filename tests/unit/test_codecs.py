"""What each codec makes of a frame."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import pytest

from collector.codecs.moments import MOMENTS
from collector.codecs.registry import CODECS
from collector.core.decoded import Record
from collector.core.model import Rejected

LIMIT = 4096


def decoded(codec: str, frame: bytes) -> list[Record | Rejected]:
    """All that is in the frame."""
    return list(CODECS[codec](LIMIT)(frame))


def only(codec: str, frame: bytes) -> Record:
    """The one record of the frame; its bytes are its fields."""
    (found,) = decoded(codec, frame)
    assert isinstance(found, Record), found
    assert json.loads(found.raw) == found.fields
    assert b"\n" not in found.raw
    return found


def reason(codec: str, frame: bytes) -> str:
    """Why the frame is rejected; its bytes are kept."""
    (found,) = decoded(codec, frame)
    assert isinstance(found, Rejected), found
    assert found.raw == frame
    return found.reason


def test_raw() -> None:
    """Any bytes: text as it is, and what is none in base64, with a flag."""
    assert only("raw", b' a "quoted"\nline ').fields == {"message": ' a "quoted"\nline '}
    odd = only("raw", b"\xff\x00")
    assert (odd.fields, odd.flags) == ({"message_base64": "/wA="}, ("base64",))


def test_json_keeps_the_bytes() -> None:
    """An object is a record as it came, white space and all."""
    assert only("json", b' {"b": 1,  "a": [1.0]} ').raw == b'{"b": 1,  "a": [1.0]}'


def test_json_arrays() -> None:
    """One record for each element; one that cannot be read does not cost the others."""
    found = decoded("json", b'[{"a":1}, 2, {"b":tru}, [3]]')
    assert [getattr(each, "fields", None) for each in found] == [
        {"a": 1},
        {"message": 2},
        None,
        {"message": [3]},
    ]
    assert isinstance(found[2], Rejected)
    assert found[2].raw == b'{"b":tru}'
    assert decoded("json", b"[]") == decoded("json", b" \n") == []


def test_json_values() -> None:
    """What is no object becomes one."""
    assert only("json", b'"pong"').raw == b'{"message":"pong"}'
    assert only("json", b"null").fields == {"message": None}


def test_json_is_repaired() -> None:
    """As in every other source: flagged, and with its original where something was lost."""
    control = only("json", b'{"a":"\t"}')
    assert (control.fields, control.flags) == ({"a": "\t"}, ("control_characters",))
    lossy = only("json", b'{"a":"\xff"}')
    assert (lossy.fields, lossy.flags) == ({"a": "\ufffd"}, ("not_utf8",))
    assert lossy.original == b'{"a":"\xff"}'
    assert only("json", b'{"a":\r\n1}').fields == {"a": 1}


@pytest.mark.parametrize("frame", [b"{", b"{'a':1}", b"[1", b"[1]]", b"\xff", b"[" * 100_000])
def test_what_is_no_json(frame: bytes) -> None:
    """It is rejected as a whole."""
    assert reason("json", frame).startswith("not JSON")


def test_native_json() -> None:
    """The content of a log; metrics and traces say what they are; arrays hold many."""
    assert only("native_json", b'{"log": {"a": 1,"b":2}}').raw == b'{"a": 1,"b":2}'
    metric = {"metric": {"name": "n", "kind": "incremental", "counter": {"value": 1.5}}}
    assert only("native_json", json.dumps(metric).encode()).fields == metric
    both = decoded("native_json", b'[{"log":{"a":1}},{"trace":{"b":2}}]')
    assert [getattr(each, "fields", None) for each in both] == [{"a": 1}, {"trace": {"b": 2}}]
    assert only("native_json", b'{"log":{"a":"\t"}}').flags == ("control_characters",)


@pytest.mark.parametrize("frame", [b'{"a":1}', b'{"log":1}', b'{"log":{},"x":1}', b"{}", b"7"])
def test_what_is_no_event_of_vector(frame: bytes) -> None:
    """Anything but one kind with its content."""
    (found,) = decoded("native_json", frame)
    assert isinstance(found, Rejected)
    assert "no event of Vector's" in found.reason


GELF = {"version": "1.1", "host": "a.example.com", "short_message": "text", "_user": "ann"}


def gelf(**changed: Any) -> bytes:
    """A message of GELF with other fields, or without those that are None."""
    fields = {name: value for name, value in {**GELF, **changed}.items() if value is not None}
    return json.dumps(fields).encode()


def test_gelf() -> None:
    """A message that has what it must, plain or compressed, passes as it is."""
    plain = gelf(timestamp=1385053862.3072, level=1, line=7, full_message="x", _n=1.5)
    assert only("gelf", plain).raw == plain
    assert only("gelf", zlib.compress(plain)).raw == plain
    assert only("gelf", gzip.compress(plain)).raw == plain


WRONG: dict[str, dict[str, Any]] = {
    "version": {"version": "2.0"},
    "host": {"host": None},
    "short_message": {"short_message": ""},
    "full_message": {"full_message": 1},
    "timestamp": {"timestamp": "now"},
    "level": {"level": 8},
    "no leading _": {"user": "ann"},
    "neither text nor number": {"_a": {"b": 1}},
    "called _id": {"_id": "1"},
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_no_gelf(what: str) -> None:
    """It is rejected, and the reason names the field."""
    told = reason("gelf", gelf(**WRONG[what]))
    assert told.startswith("not GELF")
    assert what in told


def test_gelf_payloads() -> None:
    """Bombs, cut payloads, chunks and what is no object are rejected."""
    bomb = zlib.compress(gelf(full_message="x" * LIMIT))
    assert "inflates to more" in reason("gelf", bomb)
    assert "cut off" in reason("gelf", gzip.compress(gelf())[:-1])
    assert "more follows" in reason("gelf", zlib.compress(gelf()) + b"x")
    assert "not GELF" in reason("gelf", b"\x78\x00")
    assert "chunks are for UDP" in reason("gelf", b"\x1e\x0f" + bytes(20))
    assert reason("gelf", b"{").startswith("not JSON")
    assert reason("gelf", b"[]").startswith("not GELF")
    assert decoded("gelf", b" ") == []


def test_rfc_5424() -> None:
    """All parts of a message (the third example of the RFC, with a text)."""
    sd = rb'[exampleSDID@32473 iut="3" eventSource="A\"p\\\]\p" ip="192.0.2.1" ip="192.0.2.2"][x@1]'
    frame = b"<165>1 2003-10-11T22:14:15.003Z host.example.com evntslog 12 ID47 " + sd
    frame += b" \xef\xbb\xbfAn \xc3\xa4 entry\r\n"
    assert only("syslog", frame).fields == {
        "facility": "local4",
        "severity": "notice",
        "version": 1,
        "timestamp": "2003-10-11T22:14:15.003Z",
        "hostname": "host.example.com",
        "appname": "evntslog",
        "procid": "12",
        "msgid": "ID47",
        "structured_data": {
            "exampleSDID@32473": {
                "iut": "3",
                "eventSource": 'A"p\\]\\p',
                "ip": ["192.0.2.1", "192.0.2.2"],
            },
            "x@1": {},
        },
        "message": "An ä entry",
    }


def test_rfc_5424_with_nothing() -> None:
    """What is nil is left out; the text may be missing, or be no UTF-8."""
    nothing = {"facility": "kern", "severity": "emerg", "version": 1, "message": ""}
    assert only("syslog", b"<0>1 - - - - - -").fields == nothing
    odd = only("syslog", b"<0>1 - - - - - - \xff")
    assert odd.fields["message_base64"] == "/w=="
    assert odd.flags == ("base64",)


@pytest.mark.parametrize(
    "frame",
    [
        b"<192>1 - - - - - -",
        b"<01>1 - - - - - -",
        b"<1>1 2003-10-11 22:14:15 - - - - -",
        b"<1>1 2003-10-11T22:14:15.1234567Z - - - - -",
        b"<1>1 - " + b"h" * 256 + b" - - - -",
        b"<1>1 - - - - -",
        b"<1>1 - - - - - x",
        b"<1>1 - - - - - [",
        b"<1>1 - - - - - [a b]",
        b'<1>1 - - - - - [a b="c]',
        b'<1>1 - - - - - [a b="]"]',
        b'<1>1 - - - - - [a b="\xff"]',
        b"<1>1 - - - - - [a][a]",
        b"<1>1 - - - - - [a]text",
        b"<1>1 - - - - - -text",
    ],
)
def test_rfc_5424_is_strict(frame: bytes) -> None:
    """A message that claims to be one and is not is rejected."""
    assert reason("syslog", frame).startswith("not RFC 5424")


SU = {"facility": "auth", "severity": "crit"}
BSD: list[tuple[bytes, dict[str, Any]]] = [
    (
        b"<34>Oct 11 22:14:15 mymachine su[230]: 'su root' failed",
        {
            **SU,
            "timestamp": "Oct 11 22:14:15",
            "hostname": "mymachine",
            "appname": "su",
            "procid": "230",
            "message": "'su root' failed",
        },
    ),
    (
        b"<34>Oct  1 22:14:15 su: text",
        {**SU, "timestamp": "Oct  1 22:14:15", "appname": "su", "message": "text"},
    ),
    (
        b"<34>2003-10-11T22:14:15.003+02:00 2001:db8::1 no tag here",
        {
            **SU,
            "timestamp": "2003-10-11T22:14:15.003+02:00",
            "hostname": "2001:db8::1",
            "message": "no tag here",
        },
    ),
    (
        b"<34>Oct 11 2003 22:14:15.123: h %ASA-6-302: built\n",
        {
            **SU,
            "timestamp": "Oct 11 2003 22:14:15.123",
            "hostname": "h",
            "appname": "%ASA-6-302",
            "message": "built",
        },
    ),
    (b"<34>Use the BFG!", {**SU, "message": "Use the BFG!"}),
    (b"<34>2 - - - - - -", {**SU, "message": "2 - - - - - -"}),
    (b"<34>", {**SU, "message": ""}),
]


@pytest.mark.parametrize(("frame", "fields"), BSD)
def test_rfc_3164(frame: bytes, fields: dict[str, Any]) -> None:
    """What is there is found; what is not is left out."""
    found = only("syslog", frame)
    assert (found.fields, found.flags) == (fields, ())


@pytest.mark.parametrize("frame", [b"plain text", b"<999>x", b"<x>y", b"<34 Oct"])
def test_no_priority(frame: bytes) -> None:
    """The text is kept whole, and flagged."""
    found = only("syslog", frame)
    assert (found.fields, found.flags) == ({"message": frame.decode()}, ("no_priority",))


def test_no_syslog() -> None:
    """Line ends alone are nothing."""
    assert decoded("syslog", b"\r\n\0") == []


@pytest.mark.parametrize(
    ("form", "value", "micros"),
    [
        ("iso8601", "1970-01-01T00:00:01.5Z", 1_500_000),
        ("iso8601", "1970-01-01T01:00:01+01:00", 1_000_000),
        ("unix", 1, 1_000_000),
        ("unix", 1.5, 1_500_000),
        ("unix", "1.5", 1_500_000),
        ("unix_ms", 1385053862307, 1385053862307000),
        ("unix_us", "12", 12),
        ("unix_ns", 1385053862307200999, 1385053862307200),
    ],
)
def test_moments(form: str, value: Any, micros: int) -> None:
    """Times in every form, to the microsecond."""
    assert MOMENTS[form](value) == micros


@pytest.mark.parametrize("form", MOMENTS)
@pytest.mark.parametrize(
    "value", [None, True, {}, "", "soon", "9" * 40, -1, 1e300, "nan", "inf", 10**30, "9999-12-31"]
)
def test_what_is_no_moment(form: str, value: Any) -> None:
    """It raises one of the errors that stand for that."""
    with pytest.raises((ValueError, TypeError, OverflowError)):
        MOMENTS[form](value)
