"""An output whose secret is replaced while it delivers, against a real HTTP receiver."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from collector.app.credentials import Credentials
from collector.app.outputs import sender
from collector.app.renewing import RenewingSender, rereading_secrets_only
from collector.config.models import Settings
from collector.config.outputs import Output
from collector.core.model import Clock
from collector.errors import ConfigError, Undelivered
from collector.logs import component_logger
from collector.senders.base import Sender
from tests.fakes.batches import FIRST, batch_of, numbered
from tests.fakes.clock import ManualClock
from tests.fakes.config import changed, settings
from tests.fakes.receivers import Answer, HttpReceiver, Posted

LOG = component_logger("OutputProcess", "tests")


class Desk:
    """A destination that takes one token, and a configuration in which it can be replaced."""

    def __init__(self, receiver: HttpReceiver) -> None:
        self.receiver = receiver
        self.right = "old"
        self.header = "old"
        self.body = "ndjson"
        self.readable = True
        self.used: list[str] = []
        receiver.answer = self._answer
        started = self.settings().outputs["lake"]
        credentials = Credentials(started, rereading_secrets_only(self.settings, "lake", started))
        clock = ManualClock(FIRST)
        self.sender = RenewingSender(credentials, lambda output: self._made(output, clock), LOG)
        self.sender.rewind(None)

    def settings(self) -> Settings:
        """The configuration as it is now."""
        if not self.readable:
            raise ConfigError(3, "half written", "write the rest")
        config = {"url": self.receiver.url, "headers": {"X-Key": self.header}, "body": self.body}
        return settings(changed("outputs.lake", {"type": "http", "config": config}))

    def deliver(self) -> bool:
        """One try of the delivery loop; whether the destination took it."""
        try:
            self.sender.send(batch_of(numbered(1, 1)))
            self.sender.flush()
        except Undelivered:
            self.sender.rewind(None)
            return False
        return True

    def _made(self, output: Output, clock: Clock) -> Sender:
        return sender(output, clock, LOG)

    def _answer(self, posted: Posted) -> Answer:
        self.used.append(posted.headers["x-key"])
        return Answer(200 if self.used[-1] == self.right else 401)


@pytest.fixture
def desk() -> Iterator[Desk]:
    """A destination that takes the token that is configured."""
    with HttpReceiver() as receiver:
        made = Desk(receiver)
        yield made
        made.sender.close()


def test_a_new_secret_is_used_once_the_old_one_is_refused(desk: Desk) -> None:
    """Without a restart; while the old one is taken, nothing changes."""
    assert desk.deliver()
    desk.header = "new"
    assert desk.deliver()
    desk.right = "new"
    assert not desk.deliver()
    assert desk.deliver()
    assert desk.used == ["old", "old", "old", "new"]


def test_a_wrong_new_secret_gives_way_to_the_old_one(desk: Desk) -> None:
    """It may be right still: what failed may have been something else."""
    desk.right, desk.header = "other", "wrong"
    assert not desk.deliver()
    assert not desk.deliver()
    desk.right = "old"
    assert desk.deliver()
    assert desk.used == ["old", "wrong", "old"]


def test_what_cannot_be_read_changes_nothing(desk: Desk) -> None:
    """The old one is sent again until the configuration is whole."""
    desk.right = desk.header = "new"
    desk.readable = False
    assert not desk.deliver()
    assert not desk.deliver()
    desk.readable = True
    assert not desk.deliver()
    assert desk.deliver()
    assert desk.used == ["old", "old", "old", "new"]


def test_more_than_a_secret_takes_a_restart(desk: Desk) -> None:
    """A configuration that is being rewritten is not taken in part."""
    desk.right = desk.header = "new"
    desk.body = "json_array"
    assert not desk.deliver()
    assert not desk.deliver()
    assert desk.used == ["old", "old"]
