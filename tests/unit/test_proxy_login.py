"""The header by which a proxy learns who asks."""

from __future__ import annotations

from base64 import b64encode

import pytest

from collector.net.proxies import login


@pytest.mark.parametrize(
    ("userinfo", "shown"),
    [
        ("ann:invented", "ann:invented"),
        ("ann%40example.com:p%2Fw%3A%25", "ann@example.com:p/w:%"),
        ("ann:p:w", "ann:p:w"),
        ("ann:p%C3%A4ss", "ann:päss"),
        ("ann", "ann:"),
    ],
)
def test_a_proxys_user_and_password(userinfo: str, shown: str) -> None:
    """They are decoded, and a colon stands between them (RFC 7617, 2), also before nothing."""
    basic = b64encode(shown.encode()).decode()
    assert login(userinfo) == {"Proxy-Authorization": f"Basic {basic}"}


@pytest.mark.parametrize("userinfo", [None, ""])
def test_a_proxy_that_asks_for_nobody(userinfo: str | None) -> None:
    """Without a user there is no header."""
    assert login(userinfo) == {}
