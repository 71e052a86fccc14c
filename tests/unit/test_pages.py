"""Cutting a page of CASB into its records."""

from __future__ import annotations

import pytest

from collector.errors import UnreadableAnswer
from collector.pullers.pages import kept, listed, text_field


@pytest.mark.parametrize(
    ("body", "records"),
    [
        (b'{"alerts":[]}', []),
        (b'{"size":2,"alerts":[ {"a": 1}, {"b":[2]} ],"x":0}', [b'{"a": 1}', b'{"b":[2]}']),
        (b'{"alerts":[1,null,"x"]}', [b"1", b"null", b'"x"']),
        (b'{"alerts":[{"a":"\t"},{"b":"\n"}]}', [b'{"a":"\t"}', b'{"b":"\n"}']),
        (b'{"alerts":[{"a":"\xff"},{"b":"\xc3\xa9"}]}', [b'{"a":"\xff"}', b'{"b":"\xc3\xa9"}']),
        (b'{"x":"\t","alerts":[{"a":"\xff"}]}', [b'{"a":"\xff"}']),
        (b'{"alerts":[{"a":"\\ud800"}]}', [b'{"a":"\\ud800"}']),
        (b'{"alerts":[{"a":"\\q"},{"b":"}],"}]}', [b'{"a":"\\q"}', b'{"b":"}],"}']),
        (b'{"alerts":[{"a":NaN},{"b":01},{c}]}', [b'{"a":NaN}', b'{"b":01}', b"{c}"]),
        (b'{"a":{"alerts":[1]},"alerts":[{"a":"\t"}]}', [b'{"a":"\t"}']),
        (b'{"alerts":[ ],"x":"\t"}', []),
    ],
)
def test_listed(body: bytes, records: list[bytes]) -> None:
    """Each record is cut out with the bytes that came, however odd its neighbours."""
    assert listed(body, "alerts") == records


def test_too_deep_for_a_decoder() -> None:
    """A record that is nested without end does not cost its neighbours."""
    deep = b'{"a":%b%b}' % (b"[" * 100_000, b"]" * 100_000)
    assert listed(b'{"alerts":[{},%b,{}]}' % deep, "alerts") == [b"{}", deep, b"{}"]


def test_records_are_found_in_their_list() -> None:
    """A value beside the list that looks like its first record is not taken for it."""
    body = b'{"first":{"a":"?"},"alerts":[{"a":"\xff"},{"a":"\t"}]}'
    assert listed(body, "alerts") == [b'{"a":"\xff"}', b'{"a":"\t"}']


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>\t</html>",
        b"[]",
        b"null",
        b'{"alerts":{}}',
        b'{"alerts":null}',
        b'{"message":"no"}',
        b'{"alerts":[{"a":1}',
        b'{"x":"\t","alert":[]}',
        b'{"alerts":[{"a":"\t"}]',
        b'{"alerts":[{"a":"\t"},{"b":{}]}',
        b'{"alerts":[{"a":"\t"]}]}',
        b'{"alerts":[{"a":"\t}]}',
        b'{"alerts":[{"a":"\t"}]}{}',
        b'{"alerts":[{"a":"\t"}]}}',
        b'{"x":"\t",5,"alerts":[]}',
        b'{"x":"\t","y","alerts":[]}',
        b'"\t',
        b"{",
        b"[" * 100_000,
    ],
)
def test_no_list(body: bytes) -> None:
    """A page without its list is no empty page."""
    with pytest.raises(UnreadableAnswer):
        listed(body, "alerts")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"token":"abc+/="}', "abc+/="),
        (b'{"token":"abc","x":"\t\xff"}', "abc"),
        (b'{"token":"\\u0061"}', "a"),
        (b'{"token":""}', None),
        (b'{"token":null}', None),
        (b"{}", None),
        (b'{"token":"a\\/b","x":"\\ud800"}', "a/b"),
        (b'{"token":"a\tb"}', "a\tb"),
        (b'{"x":NaN}', None),
    ],
)
def test_text_field(body: bytes, text: str | None) -> None:
    """A text beside the list, or nothing."""
    assert text_field(body, "token") == text


@pytest.mark.parametrize(
    "body", [b'{"token":5}', b'{"token":["a"]}', b'{"token":"\\q"}', b"<html>"]
)
def test_unreadable_text_field(body: bytes) -> None:
    """A cursor that cannot be read must not look like the end of the data."""
    with pytest.raises(UnreadableAnswer):
        text_field(body, "token")


@pytest.mark.parametrize(
    ("raw", "records"),
    [
        (b'{"alerts":[{"a":1},{"b":"\t"}]}', [b'{"a":1}', b'{"b":"\t"}']),
        (b'{"id":"a"}', [b'{"id":"a"}']),
        (b"<html>", [b"<html>"]),
    ],
)
def test_kept(raw: bytes, records: list[bytes]) -> None:
    """What was kept aside is a whole answer or one record."""
    assert kept(raw, "alerts") == records
