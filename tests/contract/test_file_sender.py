"""Files after kills, rotations and interference."""

from __future__ import annotations

import gzip
import logging
import os
import resource
import stat
from pathlib import Path

import pytest
import zstandard

from collector.core.model import SpooledBatch
from collector.errors import Undelivered
from collector.senders.compression import Compression
from collector.senders.file import FileSender
from tests.fakes.batches import FIRST, batch_of, numbered
from tests.fakes.clock import ManualClock

TAG = "casb.proofpoint.alert"
LOG = logging.getLogger("tests.senders")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the sender writes."""
    return tmp_path / "out"


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands at the start of 2026."""
    return ManualClock(FIRST)


def batch(number: int, tag: str = TAG) -> SpooledBatch:
    """Ten records."""
    return batch_of(numbered(number, 10), number, tag)


def body(*numbers: int) -> bytes:
    """The bytes of those batches."""
    return b"".join(batch(number).body for number in numbers)


def opened(
    folder: Path,
    clock: ManualClock,
    position: str | None = None,
    max_bytes: int = 1_000_000,
    compression: Compression = "none",
) -> FileSender:
    """A sender as after a start with that position."""
    sender = FileSender(
        path=folder, clock=clock, log=LOG, max_bytes=max_bytes, compression=compression
    )
    sender.rewind(position)
    return sender


def written(folder: Path, tag: str = TAG) -> bytes:
    """What the tag's file holds."""
    return (folder / f"{tag}.ndjson").read_bytes()


def test_kill_before_the_first_flush(folder: Path, clock: ManualClock) -> None:
    """A file that no position knows yet has no duplicates after the kill and the resend."""
    sender = opened(folder, clock)
    sender.send(batch(1))
    sender.close()
    opened(folder, clock).send(batch(1))
    assert written(folder) == body(1)


@pytest.mark.parametrize("torn", range(0, 400, 37))
def test_kill_with_a_torn_tail(folder: Path, clock: ManualClock, torn: int) -> None:
    """A line torn after the confirmed position is cut off at the start, and written again."""
    sender = opened(folder, clock)
    sender.send(batch(1))
    position = sender.flush()
    sender.send(batch(2))
    os.truncate(folder / f"{TAG}.ndjson", len(body(1)) + torn)
    sender.close()
    sender = opened(folder, clock, position)
    assert body(1, 2).startswith(written(folder))
    assert written(folder).endswith(b"\n")
    sender.send(batch(2))
    assert written(folder) == body(1, 2)


def test_kill_between_flush_and_confirmation(folder: Path, clock: ManualClock) -> None:
    """Flushed but not stored as confirmed: the older position rules."""
    sender = opened(folder, clock)
    sender.send(batch(1))
    position = sender.flush()
    sender.send(batch(2))
    sender.flush()
    sender.close()
    sender = opened(folder, clock, position)
    sender.send(batch(2))
    assert written(folder) == body(1, 2)


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_kill_around_a_rotation(folder: Path, clock: ManualClock, compression: Compression) -> None:
    """A position from before a rotation neither loses nor repeats anything."""
    sender = opened(folder, clock, max_bytes=10, compression=compression)
    sender.send(batch(1))
    position = sender.flush()
    sender.send(batch(2))
    sender.close()
    sender = opened(folder, clock, position, max_bytes=10, compression=compression)
    sender.send(batch(2))
    sender.flush()
    assert written(folder) == body(2)
    assert rotated(folder) == body(1)


def test_foreign_lines_are_kept(folder: Path, clock: ManualClock) -> None:
    """With no position a file is only freed of its torn tail."""
    folder.mkdir()
    (folder / f"{TAG}.ndjson").write_bytes(b'{"a":1}\n{"b":2}\n{"tor' + b"n" * 10_000)
    sender = opened(folder, clock)
    sender.send(batch(1))
    assert written(folder) == b'{"a":1}\n{"b":2}\n' + body(1)


def test_file_of_one_torn_line(folder: Path, clock: ManualClock) -> None:
    """A file without any complete line is emptied."""
    folder.mkdir()
    (folder / f"{TAG}.ndjson").write_bytes(b"x" * 9_000)
    sender = opened(folder, clock)
    sender.send(batch(1))
    assert written(folder) == body(1)


def test_replaced_file_is_not_cut(folder: Path, clock: ManualClock) -> None:
    """A file put in the place of ours, longer than ours was, is appended to."""
    sender = opened(folder, clock)
    sender.send(batch(1))
    position = sender.flush()
    sender.close()
    other = body(7, 8, 9)
    (folder / f"{TAG}.ndjson").write_bytes(other)
    sender = opened(folder, clock, position)
    sender.send(batch(2))
    assert written(folder) == other + body(2)


def test_shrunk_file_is_appended_to(folder: Path, clock: ManualClock) -> None:
    """A file emptied by copytruncate goes on from its new end."""
    sender = opened(folder, clock)
    sender.send(batch(1))
    position = sender.flush()
    os.truncate(folder / f"{TAG}.ndjson", 0)
    sender.send(batch(2))
    sender.flush()
    sender.close()
    sender = opened(folder, clock, position)
    sender.send(batch(3))
    assert written(folder) == body(2, 3)


def test_renamed_by_somebody_else(folder: Path, clock: ManualClock) -> None:
    """After an outside rotation the records go to a new file; the old one keeps its own."""
    sender = opened(folder, clock)
    sender.send(batch(1))
    (folder / f"{TAG}.ndjson").rename(folder / "moved")
    sender.send(batch(2))
    sender.flush()
    assert (folder / "moved").read_bytes() == body(1)
    assert written(folder) == body(2)


def test_removed_under_us(folder: Path, clock: ManualClock) -> None:
    """A file removed with unconfirmed records in it is a failure; a resend makes it anew."""
    sender = opened(folder, clock)
    sender.send(batch(1))
    (folder / f"{TAG}.ndjson").unlink()
    with pytest.raises(Undelivered, match="was removed"):
        sender.flush()
    sender.rewind(None)
    sender.send(batch(1))
    sender.flush()
    assert written(folder) == body(1)


def test_removed_between_flushes(folder: Path, clock: ManualClock) -> None:
    """A file removed after its confirmation is made anew, without a failure."""
    sender = opened(folder, clock)
    sender.send(batch(1))
    sender.flush()
    (folder / f"{TAG}.ndjson").unlink()
    sender.send(batch(2))
    position = sender.flush()
    opened(folder, clock, position)
    assert written(folder) == body(2)


def test_two_lanes_share_a_folder(folder: Path, clock: ManualClock) -> None:
    """A sender never touches the files of another one."""
    standard, internal = opened(folder, clock), opened(folder, clock)
    standard.send(batch(1))
    position = standard.flush()
    internal.send(batch(1, "devo.collectors.out"))
    internal.flush()
    standard.rewind(position)
    internal.send(batch(2, "devo.collectors.out"))
    assert written(folder, "devo.collectors.out") == body(1, 2)


def test_rotation_by_size(folder: Path, clock: ManualClock) -> None:
    """A file never grows past its size, and no rotated file is overwritten."""
    sender = opened(folder, clock, max_bytes=len(body(1)))
    for number in (1, 2, 3):
        sender.send(batch(number))
        sender.flush()
    assert sorted(path.name for path in folder.glob("casb*")) == [
        f"{TAG}-20260101T000000Z-1.ndjson",
        f"{TAG}-20260101T000000Z.ndjson",
        f"{TAG}.ndjson",
    ]
    assert sum(len(path.read_bytes()) for path in folder.glob("casb*")) == len(body(1, 2, 3))


def test_rotation_by_age_across_restarts(folder: Path, clock: ManualClock) -> None:
    """The age counts from the file's first record, also when each run is a new process."""
    position = None
    for number in (1, 2, 3):
        sender = opened(folder, clock, position)
        sender.send(batch(number))
        position = sender.flush()
        sender.close()
        clock.advance(13 * 3_600)
    assert rotated(folder) == body(1, 2)
    assert written(folder) == body(3)


def test_rotation_waits_for_the_flush(folder: Path, clock: ManualClock) -> None:
    """No unconfirmed record is ever in a rotated file."""
    sender = opened(folder, clock, max_bytes=10)
    sender.send(batch(1))
    sender.send(batch(2))
    assert written(folder) == body(1, 2)


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_killed_compression_is_finished(
    folder: Path, clock: ManualClock, compression: Compression
) -> None:
    """A rotated file that still waits for its compression gets it at the next start."""
    folder.mkdir()
    waiting = folder / f"{TAG}-20251231T235959Z.ndjson"
    waiting.write_bytes(body(1))
    suffix = {"gzip": ".gz", "zstd": ".zst"}[compression]
    waiting.with_name(waiting.name + suffix + ".tmp").write_bytes(b"half")
    opened(folder, clock, compression=compression).send(batch(2))
    assert rotated(folder) == body(1)
    assert not waiting.exists()
    assert not list(folder.glob("*.tmp"))


def test_stop_leaves_compression_for_later(folder: Path, clock: ManualClock) -> None:
    """A stop is not held up by a large file."""
    folder.mkdir()
    waiting = folder / f"{TAG}-20251231T235959Z.ndjson"
    waiting.write_bytes(body(1))
    sender = opened(folder, clock, compression="gzip")
    clock.stop()
    sender.send(batch(2))
    assert waiting.read_bytes() == body(1)
    assert not list(folder.glob("*.gz"))


@pytest.mark.parametrize("target", ["elsewhere", "nowhere"])
def test_planted_link(folder: Path, clock: ManualClock, target: str, tmp_path: Path) -> None:
    """A symbolic link in place of the file is refused, not followed."""
    folder.mkdir()
    (tmp_path / "elsewhere").write_bytes(b"precious\n")
    (folder / f"{TAG}.ndjson").symlink_to(tmp_path / target)
    sender = opened(folder, clock)
    with pytest.raises(Undelivered, match="not a link"):
        sender.send(batch(1))
    assert (tmp_path / "elsewhere").read_bytes() == b"precious\n"
    assert not (tmp_path / "nowhere").exists()


def test_full_disk(folder: Path, clock: ManualClock) -> None:
    """When the disk takes only a part, the failure says so and the resend is clean."""
    sender = opened(folder, clock)
    sender.send(batch(1))
    position = sender.flush()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(body(1)) + 100, before[1]))
    try:
        with pytest.raises(Undelivered, match="free space"):
            sender.send(batch(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert len(written(folder)) == len(body(1)) + 100
    sender.rewind(position)
    sender.send(batch(2))
    assert written(folder) == body(1, 2)


def test_folder_that_cannot_be_made(clock: ManualClock, tmp_path: Path) -> None:
    """A file where the folder should be is a failure with a remedy, not a crash."""
    sender = FileSender(path=tmp_path / "in" / "the" / "way", clock=clock, log=LOG)
    (tmp_path / "in").write_bytes(b"")
    with pytest.raises(Undelivered) as failure:
        sender.rewind(None)
    assert failure.value.remedy


def test_pipe_in_place_of_the_file(folder: Path, clock: ManualClock) -> None:
    """A named pipe is refused."""
    folder.mkdir()
    os.mkfifo(folder / f"{TAG}.ndjson")
    with pytest.raises(Undelivered, match="plain file"):
        opened(folder, clock).send(batch(1))


def test_modes(folder: Path, clock: ManualClock) -> None:
    """The group may read; others may not."""
    before = os.umask(0)
    try:
        opened(folder, clock).send(batch(1))
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o750
    assert stat.S_IMODE((folder / f"{TAG}.ndjson").stat().st_mode) == 0o640


def test_unreadable_position_loses_nothing(folder: Path, clock: ManualClock) -> None:
    """A position that cannot be read cuts nothing."""
    sender = opened(folder, clock)
    sender.send(batch(1))
    sender.flush()
    sender.close()
    sender = opened(folder, clock, "no position")
    sender.send(batch(2))
    assert written(folder) == body(1, 2)


def rotated(folder: Path) -> bytes:
    """What the rotated files hold together, decompressed."""
    parts: list[bytes] = []
    for path in sorted(folder.glob(f"{TAG}-*")):
        data = path.read_bytes()
        if path.suffix == ".gz":
            data = gzip.decompress(data)
        elif path.suffix == ".zst":
            data = zstandard.ZstdDecompressor().decompressobj().decompress(data)
        parts.append(data)
    return b"".join(parts)
