"""What an HTTP answer means for the records."""

from __future__ import annotations

import pytest

from collector.senders.http_answers import excerpt, meaning, unaccepted
from collector.senders.http_parts import joined

MEANINGS = [
    *((status, "accept") for status in (200, 201, 202, 204, 206, 299)),
    *((status, "split") for status in (400, 413, 422)),
    *((status, "retry") for status in (302, 304, 401, 403, 404, 408, 409, 410, 425, 429)),
    *((status, "retry") for status in (500, 502, 503, 504, 520)),
]


@pytest.mark.parametrize(("status", "expected"), MEANINGS)
def test_meaning(status: int, expected: str) -> None:
    """Only an explicit success is delivery; only a refusal of the content is final."""
    assert meaning(status, {}) == expected


def test_overrides_come_first() -> None:
    """An operator can say what a status of this destination means."""
    assert meaning(409, {409: "accept"}) == "accept"


def test_failure_names_remedy() -> None:
    """The failure carries the place, the status, the wait and something to do."""
    failure = unaccepted(429, "https://siem.example.com/in", 12.0)
    assert "https://siem.example.com/in answered 429" in str(failure)
    assert failure.retry_after == 12.0
    assert failure.remedy


@pytest.mark.parametrize("status", [302, 401, 403, 404, 408, 409, 500])
def test_every_failure_has_a_remedy(status: int) -> None:
    """No status leaves the operator without a next step."""
    assert len(unaccepted(status, "here", None).remedy) > 10


def test_excerpt_is_harmless() -> None:
    """An answer shows short, printable and without our secrets."""
    body = b"\x1b[31mno\r\nBearer s3cret-token \xff" + b"x" * 1_000
    text = excerpt(body, ["Bearer", "s3cret-token"])
    assert text.startswith("[31mno *** *** ")
    assert len(text) == 200
    assert text.isprintable()


def test_joined() -> None:
    """The two body forms."""
    assert joined([b"1", b"2"], "ndjson") == b"1\n2\n"
    assert joined([b"1", b"2"], "json_array") == b"[1,2]"
