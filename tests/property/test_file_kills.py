"""Files under kills at any moment: nothing lost, nothing twice, no torn line."""

from __future__ import annotations

import logging
import os
import random
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.core.model import SpooledBatch
from collector.senders.file import FileSender
from tests.fakes.batches import FIRST, batch_of, numbered
from tests.fakes.clock import ManualClock

LOG = logging.getLogger("tests.senders")
TAGS = ("casb.proofpoint.alert", "casb.proofpoint.event")


class Disk:
    """A folder, and what the spool would remember across kills."""

    def __init__(self, folder: Path, seed: int, first: int = 1) -> None:
        """``first``: the number of the first batch."""
        self._random = random.Random(seed)
        self._folder = folder
        self._clock = ManualClock(FIRST)
        self._position: str | None = None
        self._owed = [
            batch_of(numbered(n, self._random.randint(1, 5)), n, TAGS[n % 2])
            for n in range(first, first + 24)
        ]
        self.all = list(self._owed)

    def live(self, *, dies: bool) -> None:
        """One process: it sends what is owed, and may die on the way."""
        sender = FileSender(path=self._folder, clock=self._clock, log=LOG, max_bytes=400)
        sender.rewind(self._position)
        while self._owed:
            self._clock.advance(1.0)
            taken = self._owed[: self._random.randint(1, 4)]
            for batch in taken:
                before = self._sizes()
                sender.send(batch)
                if dies and self._random.random() < 0.2:
                    return self._tear(sender, batch, before)
            position = sender.flush()
            if dies and self._random.random() < 0.2:
                return sender.close()
            self._position = position
            del self._owed[: len(taken)]
        return sender.close()

    def backup(self) -> tuple[str | None, list[SpooledBatch]]:
        """What the spool remembers now."""
        return self._position, list(self._owed)

    def restore(self, backup: tuple[str | None, list[SpooledBatch]]) -> None:
        """Remember only what an earlier backup holds."""
        self._position, owed = backup
        self._owed = list(owed)

    def _sizes(self) -> dict[str, int]:
        """How long each file is."""
        return {path.name: path.stat().st_size for path in self._folder.iterdir()}

    def _tear(self, sender: FileSender, batch: SpooledBatch, before: dict[str, int]) -> None:
        """Only a part of what was written of the last batch reached the file."""
        sender.close()
        path = self._folder / f"{batch.tag}.ndjson"
        end = path.stat().st_size
        start = before.get(path.name, 0)
        os.truncate(path, self._random.randint(start if start <= end else 0, end))

    def lines(self, tag: str) -> list[bytes]:
        """All lines of a tag, the rotated files first."""
        rotated = sorted(self._folder.glob(f"{tag}-*.ndjson"))
        files = [*rotated, self._folder / f"{tag}.ndjson"]
        return b"".join(path.read_bytes() for path in files).splitlines()


@settings(max_examples=60)
@given(st.integers(min_value=0, max_value=2**32), st.integers(min_value=0, max_value=12))
def test_kills_leave_every_record_once(seed: int, kills: int) -> None:
    """After any number of deaths and one calm run, each file holds each record once, in order."""
    with TemporaryDirectory() as folder:
        disk = Disk(Path(folder), seed)
        for _ in range(kills):
            disk.live(dies=True)
        disk.live(dies=False)
        for tag in TAGS:
            expected = [line for batch in disk.all if batch.tag == tag for line in batch.lines()]
            assert disk.lines(tag) == expected


@settings(max_examples=30)
@given(st.integers(min_value=0, max_value=2**32), st.lists(st.booleans(), max_size=12))
def test_others_in_the_same_files(seed: int, lives: list[bool]) -> None:
    """Two writers in turn, killed and with states restored: no record lost, no line torn."""
    with TemporaryDirectory() as folder:
        disks = [Disk(Path(folder), seed, 1), Disk(Path(folder), seed + 1, 101)]
        backups = [disk.backup() for disk in disks]
        for life, restored in enumerate(lives):
            disk = disks[life % 2]
            disk.live(dies=True)
            if restored:
                disk.restore(backups[life % 2])
            else:
                backups[life % 2] = disk.backup()
        for disk in disks:
            disk.live(dies=False)
        for tag in TAGS:
            batches = [batch for disk in disks for batch in disk.all if batch.tag == tag]
            assert set(disks[0].lines(tag)) == {line for each in batches for line in each.lines()}
