"""How much one record may hold before it is kept aside instead of passed on.

A record is passed on as bytes, so neither depth nor width costs anything here; but
whoever takes it apart, we ourselves in a pipeline or the destination, pays for them.
"""

from __future__ import annotations

import re

import msgspec

from collector.core.wirejson import STRING

EXAMINED = 64 * 1024
"""Records up to so many bytes are not looked through.

They hold no long string and few keys, and their depth is bounded by the decoder,
which takes about a thousand levels; to count brackets in each would cost more than
all else that is done with it.
"""

_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_ALL_BUT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
_string = re.compile(STRING, re.DOTALL)


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """Levels of nesting, keys in all, and bytes of one string."""

    depth: int = 64
    keys: int = 10_000
    string: int = 8 * 1024 * 1024


def beyond(record: bytes, bounds: Bounds) -> str | None:
    """What of a JSON object is over its bound, as a reason; None when nothing is."""
    if len(record) <= EXAMINED:
        return None
    longest = max((each.end() - each.start() - 2 for each in _string.finditer(record)), default=0)
    if longest > bounds.string:
        return f"a string of {longest} bytes, over max_string_bytes ({bounds.string})"
    bare = _string.sub(b"", record)
    if (keys := bare.count(b":")) > bounds.keys:
        return f"{keys} keys, over max_keys ({bounds.keys})"
    if _is_deeper(bare, bounds.depth):
        return f"nested deeper than max_depth ({bounds.depth})"
    return None


def _is_deeper(bare: bytes, depth: int) -> bool:
    """Whether there are more levels; each turn takes the innermost one away."""
    brackets = bare.translate(_ONE_KIND, _ALL_BUT_BRACKETS)
    for _ in range(depth):
        if not brackets:
            break
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)
