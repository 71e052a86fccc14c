"""permessage-deflate: what is agreed to, what is inflated, and where it ends (RFC 7692)."""

from __future__ import annotations

import random
import zlib

import pytest

from collector.wire.inflate import Inflater, TooLarge, agreed

LIMIT = 4_000_000
TAIL = b"\x00\x00\xff\xff"


def packer() -> zlib._Compress:
    """A sender's side, which keeps its window."""
    return zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)


def packed(data: bytes, sender: zlib._Compress | None = None) -> bytes:
    """A message as it travels."""
    sender = sender or packer()
    return (sender.compress(data) + sender.flush(zlib.Z_SYNC_FLUSH)).removesuffix(TAIL)


@pytest.mark.parametrize(
    "answer",
    [
        "permessage-deflate",
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
        'permessage-deflate;server_max_window_bits="10" ; client_max_window_bits=12',
    ],
)
def test_agreed(answer: str) -> None:
    """What answers our offer."""
    assert agreed([answer], offered=True) is True
    assert agreed([answer], offered=False) is None


@pytest.mark.parametrize(
    "answers",
    [
        ["x-webkit-deflate-frame"],
        ["permessage-deflate; x=1"],
        ["permessage-deflate; server_no_context_takeover; server_no_context_takeover"],
        ["permessage-deflate, permessage-deflate"],
        ["permessage-deflate", "permessage-bzip2"],
        [""],
    ],
)
def test_never_offered(answers: list[str]) -> None:
    """A session cannot go on with an extension that is not known here."""
    assert agreed(answers, offered=True) is None


def test_no_extension() -> None:
    """A vendor need not compress."""
    assert agreed([], offered=True) is False


@pytest.mark.parametrize("seed", range(20))
def test_any_messages_in_any_pieces(seed: int) -> None:
    """With the sender's window kept or not, whole or cut anywhere."""
    draw = random.Random(seed)
    keeping = packer() if seed % 2 else None
    inflater = Inflater(LIMIT)
    for _ in range(20):
        message = draw.randbytes(draw.randrange(50)) * draw.randrange(2000)
        data = packed(message, keeping)
        cuts = sorted(draw.randrange(len(data) + 1) for _ in range(draw.randrange(4)))
        ends = [*cuts, len(data)]
        found = b"".join(
            inflater.piece(data[start:end], last=number == len(cuts))
            for number, (start, end) in enumerate(zip([0, *cuts], ends, strict=True))
        )
        assert found == message
        inflater.renew()


def test_final_blocks() -> None:
    """A sender may end its stream with a message and begin another (RFC 7692, 7.2.3.4)."""
    inflater = Inflater(LIMIT)
    for text in (b"Hello", b"", b"World"):
        sender = packer()
        data = sender.compress(text) + sender.flush(zlib.Z_FINISH) + b"\x00"
        assert inflater.piece(data, last=True) == text


def test_a_message_may_be_as_large_as_the_limit() -> None:
    """And not a byte larger; the limit is one message's, not all messages'."""
    inflater = Inflater(1000)
    data = random.Random(1).randbytes(1000)
    for _ in range(3):
        assert inflater.piece(packed(data), last=True) == data
    with pytest.raises(TooLarge):
        inflater.piece(packed(data + b"x"), last=True)


def test_a_bomb_is_not_inflated() -> None:
    """One message, or many small ones before anything of them is taken away."""
    with pytest.raises(TooLarge):
        Inflater(100_000_000).piece(packed(bytes(50_000_000)), last=True)
    small, inflater = packed(bytes(500_000)), Inflater(LIMIT)
    assert len(inflater.piece(small, last=True)) == 500_000
    inflater.renew()
    assert len(inflater.piece(small, last=True)) == 500_000
    assert len(inflater.piece(small, last=True)) == 500_000
    with pytest.raises(TooLarge):
        inflater.piece(small, last=True)


def test_what_is_not_deflated() -> None:
    """Said by zlib."""
    with pytest.raises(zlib.error):
        Inflater(LIMIT).piece(b"\xff" * 20, last=True)
