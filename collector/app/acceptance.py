"""When the vendor is known to have taken the credentials of a service.

A setup that asks the vendor knows it at once.  A configured token is only shown in a
handshake, so there the first session that is opened tells it.
"""

from __future__ import annotations

from collections.abc import Callable


def nothing_to_ask() -> None:
    """The setup of a service whose credentials are configured: its first session shows them."""


class Acceptance:
    """Tells the job of a service of each session that the vendor opens.

    Used by the one thread that the job runs in.
    """

    def __init__(self) -> None:
        self._tell: Callable[[], None] | None = None

    def awaited(self, tell: Callable[[], None]) -> None:
        """The service was set up: ``tell`` is called whenever the vendor takes its credentials."""
        self._tell = tell

    def given(self) -> None:
        """The vendor opened a session."""
        if self._tell is not None:
            self._tell()
