"""Files in which others wrote, too: another output, another collector, or a state that is gone.

A position that is not the last one says nothing about the bytes behind it: they may be
confirmed, so none of them is ever cut off.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from collector.errors import Undelivered
from collector.senders.error_numbers import FILE_SHARED
from collector.senders.file import FileSender
from tests.fakes.batches import FIRST, batch_of, numbered
from tests.fakes.clock import ManualClock

TAG = "casb.proofpoint.alert"
LOG = logging.getLogger("tests.senders")


class Folder:
    """A folder of files; who writes to it comes and goes."""

    def __init__(self, path: Path) -> None:
        self.path = path / "out"
        self.file = self.path / f"{TAG}.ndjson"
        self.clock = ManualClock(FIRST)

    def opened(self, position: str | None = None, max_bytes: int = 1_000_000) -> FileSender:
        """A sender as after a start with that position."""
        sender = FileSender(path=self.path, clock=self.clock, log=LOG, max_bytes=max_bytes)
        sender.rewind(position)
        return sender

    def run(self, position: str | None, *numbers: int) -> str:
        """A whole life of a sender, in which it sends and confirms these batches."""
        sender = self.opened(position)
        send(sender, *numbers)
        found = sender.flush()
        sender.close()
        return found

    def killed(self, position: str | None, *numbers: int) -> None:
        """A life that ends before the batches were confirmed."""
        sender = self.opened(position)
        send(sender, *numbers)
        sender.close()

    def lines(self) -> bytes:
        """What the file holds."""
        return self.file.read_bytes()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """An empty one."""
    return Folder(tmp_path)


def send(sender: FileSender, *numbers: int) -> None:
    """Send these batches."""
    for number in numbers:
        sender.send(batch_of(numbered(number, 10), number, TAG))


def body(*numbers: int) -> bytes:
    """The bytes of those batches."""
    return b"".join(batch_of(numbered(number, 10), number, TAG).body for number in numbers)


def test_an_earlier_position_cuts_nothing(folder: Folder) -> None:
    """A state restored from a backup: what was confirmed since is kept, and new records follow."""
    earlier = folder.run(None, 1)
    folder.run(earlier, 2)
    assert folder.run(earlier) == earlier
    assert folder.lines() == body(1, 2)
    folder.run(earlier, 3)
    assert folder.lines() == body(1, 2, 3)


def test_a_state_before_the_first_confirmation_cuts_nothing(folder: Folder) -> None:
    """The batch that began the file comes again, long after others followed it."""
    folder.run(None, 1, 2, 3)
    folder.run(None, 1)
    assert folder.lines() == body(1, 2, 3)
    folder.run(None, 1, 4)
    assert folder.lines() == body(1, 2, 3, 4)


def test_another_output_wrote_between(folder: Folder) -> None:
    """An output renamed forth and back: each goes on behind the other's records."""
    archive = folder.run(None, 1)
    files = folder.run(None, 2)
    archive = folder.run(archive, 3)
    files = folder.run(files, 4)
    folder.run(archive, 5)
    assert folder.lines() == body(1, 2, 3, 4, 5)


def test_what_is_kept_is_told(folder: Folder, caplog: pytest.LogCaptureFixture) -> None:
    """One line says that bytes were found which are kept, and what an operator may do."""
    earlier = folder.run(None, 1)
    folder.run(earlier, 2)
    sender = folder.opened(earlier)
    send(sender, 3, 4)
    (told,) = caplog.records
    assert f"{len(body(2))} bytes" in told.getMessage()
    assert " -> " in told.getMessage()


def test_a_kill_behind_records_of_others(folder: Folder) -> None:
    """Also there nothing comes twice: a note says where our own unconfirmed bytes begin."""
    earlier = folder.run(None, 1)
    folder.run(None, 2)
    folder.killed(earlier, 3, 4)
    folder.run(earlier, 3, 4, 5)
    assert folder.lines() == body(1, 2, 3, 4, 5)


def test_a_kill_on_both_sides_of_records_of_others(folder: Folder) -> None:
    """Some unconfirmed batches stand before what another output wrote, some behind it."""
    earlier = folder.run(None, 1)
    folder.killed(earlier, 2)
    folder.run(None, 7)
    folder.killed(earlier, 2, 3)
    folder.run(earlier, 2, 3)
    assert folder.lines() == body(1, 2, 7, 3)


@pytest.mark.parametrize("torn", [1, 37, 200])
def test_a_line_that_another_tore(folder: Folder, torn: int) -> None:
    """What no line end follows is cut off; the complete lines before it stay."""
    earlier = folder.run(None, 1)
    folder.killed(earlier, 2)
    os.truncate(folder.file, len(body(1, 2)) - torn)
    kept = folder.lines()[: folder.lines().rindex(b"\n") + 1]
    folder.run(earlier, 3)
    assert folder.lines() == kept + body(3)


def test_confirmed_in_smaller_parts(folder: Folder) -> None:
    """What was sent at once before a kill may be confirmed batch by batch after it."""
    position = folder.run(None, 1)
    folder.killed(position, 2, 3, 4)
    position = folder.run(position, 2)
    position = folder.run(position, 3)
    folder.run(position, 4, 5)
    assert folder.lines() == body(1, 2, 3, 4, 5)


def test_no_rotation_before_all_came_again(folder: Folder) -> None:
    """A file that holds unconfirmed batches is not rotated away from them."""
    position = folder.run(None, 1)
    folder.killed(position, 2, 3)
    sender = folder.opened(position, max_bytes=10)
    for number in (2, 3):
        send(sender, number)
        sender.flush()
    assert folder.lines() == body(1, 2, 3)
    send(sender, 4)
    assert folder.lines() == body(4)


def test_two_writers_at_a_time(folder: Folder) -> None:
    """The second is refused until the first has left, and then nothing is lost or twice."""
    first, second = folder.opened(), folder.opened()
    send(first, 1)
    with pytest.raises(Undelivered, match="own folder") as refused:
        send(second, 2)
    assert refused.value.number == FILE_SHARED
    send(first, 3)
    first.flush()
    first.close()
    second.rewind(None)
    send(second, 2)
    second.flush()
    assert folder.lines() == body(1, 3, 2)


def test_a_start_beside_a_writer_cuts_nothing(folder: Folder) -> None:
    """A line that somebody else is writing is not torn."""
    position = folder.run(None, 1)
    writer = folder.opened(position)
    send(writer, 2)
    os.truncate(folder.file, len(body(1, 2)) - 5)
    folder.opened(position)
    assert len(folder.lines()) == len(body(1, 2)) - 5
