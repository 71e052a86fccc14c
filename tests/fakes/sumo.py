"""An HTTP source of Sumo Logic."""

from __future__ import annotations

from tests.fakes.receivers import Answer, Posted

PATH = "/receiver/v1/http/ZaVnC4dhaV2invented"
MAX_BYTES = 1_048_576


class SumoServer:
    """``messages`` are the lines that were taken."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []

    def __call__(self, posted: Posted) -> Answer:
        """Answer one request."""
        if posted.path != PATH:
            return Answer(401, (), b'{"errors":[{"code":"unauthorized"}]}')
        if len(posted.body) > MAX_BYTES:
            return Answer(413)
        self.messages += posted.body.splitlines()
        return Answer()
