"""Who we are to PoD (docs/vendor-notes.md, PoD 1)."""

from __future__ import annotations

from collector.core.auth import NEVER
from collector.core.model import Request
from collector.setup.pod import PodSetup
from tests.fakes.pulls import START


def test_configured_token() -> None:
    """Nothing is asked; the configured token never expires and goes out as a bearer."""
    setup = PodSetup("secret")
    setup.ask()
    token = setup.grant(None, START)
    request = Request(method="GET", url="wss://stream.example.com", headers={"A": "b"})
    assert token.expires == NEVER
    assert setup.sign(request, token).headers == {"A": "b", "Authorization": "Bearer secret"}


def test_secret_is_not_printed() -> None:
    """The text form hides the token."""
    assert repr(PodSetup("secret")) == "PodSetup(***)"
