"""The small pure parts of the senders: names, members, indentation, failures."""

from __future__ import annotations

import errno
import socket
import ssl

import pytest

from collector.senders.console import indented
from collector.senders.devo import members
from collector.senders.failures import file_failure, network_failure
from collector.senders.file import slug


def test_slug_keeps_tags() -> None:
    """The tags of the product are their own file names."""
    assert slug("mail.proofpoint.pod.message") == "mail.proofpoint.pod.message"


@pytest.mark.parametrize(
    "tag", ["../../etc/passwd", ".hidden", "-rf", "a/b", "a\x00b", "", "é" * 300, "a" * 300]
)
def test_slug_is_safe(tag: str) -> None:
    """No tag leads out of the folder, hides a file or is too long for a name."""
    made = slug(tag)
    assert "/" not in made
    assert "\x00" not in made
    assert made[:1] not in {".", "-", ""} or tag == ""
    assert len(made) <= 140


def test_slugs_differ() -> None:
    """Two tags never share a file, even when the same characters are replaced."""
    assert len({slug("a/b"), slug("a:b"), slug("a_b")}) == 3


def test_slug_is_no_rotated_name() -> None:
    """A tag cannot pass for a rotated file of another tag."""
    assert slug("a-20260101T000000Z").startswith("a_20260101T000000Z-")


def test_members() -> None:
    """Lines are grouped just past the buffer size, none is lost or split."""
    lines = [b"x" * 8_000 + b"\n"] * 7
    groups = list(members(lines))
    assert [len(group) for group in groups] == [24_003, 24_003, 8_001]
    assert b"".join(groups) == b"".join(lines)
    assert list(members([])) == []


def test_indented() -> None:
    """JSON is spread over lines; what is not JSON stays as it is."""
    assert indented(b'{"a":[1]}') == b'{\n  "a": [\n    1\n  ]\n}\n'
    assert indented(b"no json") == b"no json\n"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(), "refused the connection"),
        (socket.gaierror(socket.EAI_NONAME, "x"), "cannot be resolved"),
        (TimeoutError(), "in time"),
        (ConnectionResetError(), "client certificate"),
        (BrokenPipeError(), "closed the connection"),
        (OSError(errno.ENOTCONN, "x"), "closed the connection"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "No route to host"),
        (ssl.SSLError(1, "x"), "no TLS session"),
    ],
)
def test_network_failures_are_named(error: OSError, words: str) -> None:
    """Each way a network fails has its own words and a remedy."""
    failure = network_failure(error, "siem.example.com:6514")
    assert words in str(failure)
    assert "siem.example.com:6514" in failure.cause
    assert failure.remedy


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "free space"), (errno.ELOOP, "not a link"), (errno.EIO, "check the disk")],
)
def test_file_failures_are_named(number: int, words: str) -> None:
    """A full disk, a planted link and a broken disk need different hands."""
    assert words in str(file_failure(OSError(number, "x"), "out/a.ndjson"))
