"""The bound: what a bare script can do with the best libraries, durable, TLS in and out.

    python -m bench.bound FOLDER URL PORT blob|segment|zstd

Records come through picows; a batch of 1000 is stripped of known ids, made
durable with its checkpoint (``synchronous=FULL``), and sent by lines.  Three
threads, as the collector has.  There are no retries, no limits, no ledger, no
confirmation, no metadata: nobody could run it, so it is a bound and no peer.
"""

from __future__ import annotations

import os
import queue
import socket
import sqlite3
import struct
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

import msgspec
import picows
import uvloop
import xxhash
import zstandard

from bench.certificate import HOST, Certificate

_Item = TypeVar("_Item")

BATCH = 1000
_QUEUED = 16
_HEADER = b"<14>Jan  1 00:00:00 host mail.proofpoint.pod.message: "
_CHECKPOINT = "INSERT OR REPLACE INTO checkpoint VALUES ('message', ?)"


class Key(msgspec.Struct):
    """All that is decoded of a record, and even that stays bytes."""

    guid: msgspec.Raw
    ts: msgspec.Raw


class Batch(NamedTuple):
    """Lines ready to be sent, under their number in the spool."""

    number: int
    body: bytes


class Spool(Protocol):
    """Where batches are durable before they are sent."""

    def keep(self, body: bytes, checkpoint: bytes, sent: int) -> int:
        """Make a batch and the checkpoint durable, drop those sent so far; its number."""
        ...


class BlobSpool:
    """One SQLite row a batch, in pages of 4 KiB, one transaction with the checkpoint.

    ``packed`` makes of a body what is stored of it.
    """

    def __init__(self, folder: Path, packed: Callable[[bytes], bytes] = bytes) -> None:
        self._packed = packed
        self._db = opened(folder)
        self._db.execute("CREATE TABLE spool (id INTEGER PRIMARY KEY, body BLOB)")

    def keep(self, body: bytes, checkpoint: bytes, sent: int) -> int:
        """See ``Spool``."""
        row = (self._packed(body),)
        self._db.execute("BEGIN IMMEDIATE")
        kept = self._db.execute("INSERT INTO spool (body) VALUES (?)", row).lastrowid
        self._db.execute("DELETE FROM spool WHERE id <= ?", (sent,))
        self._db.execute(_CHECKPOINT, (checkpoint,))
        self._db.execute("COMMIT")
        return kept or 0


class SegmentSpool:
    """One file that grows, synced at each batch; then the checkpoint's row in SQLite."""

    def __init__(self, folder: Path) -> None:
        self._db = opened(folder)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
        self._file = os.open(folder / "segment", flags, 0o600)
        self._kept = 0

    def keep(self, body: bytes, checkpoint: bytes, sent: int) -> int:  # noqa: ARG002
        """See ``Spool``; what was sent would go with the whole file."""
        os.writev(self._file, [struct.pack("<II", len(body), zlib.crc32(body)), body])
        os.fdatasync(self._file)
        self._db.execute(_CHECKPOINT, (checkpoint,))
        self._kept += 1
        return self._kept


def compressed_blobs(folder: Path) -> BlobSpool:
    """Blobs as the product compresses them: zstd, level 1."""
    return BlobSpool(folder, zstandard.ZstdCompressor(level=1).compress)


SPOOLS: dict[str, Callable[[Path], Spool]] = {
    "blob": BlobSpool,
    "segment": SegmentSpool,
    "zstd": compressed_blobs,
}


def opened(folder: Path) -> sqlite3.Connection:
    """A new database in WAL mode that survives power cuts, with a table of checkpoints."""
    db = sqlite3.connect(folder / "bound.db", isolation_level=None, check_same_thread=False)
    for statement in (
        "PRAGMA page_size=4096",
        "PRAGMA journal_mode=WAL",
        "PRAGMA synchronous=FULL",
        "PRAGMA wal_autocheckpoint=4000",
        "CREATE TABLE checkpoint (source TEXT PRIMARY KEY, state BLOB)",
    ):
        db.execute(statement)
    return db


class Bound:
    """Reader, committer and sender, each in a thread, with short queues between."""

    def __init__(self, certificate: Certificate, spool: Spool, port: int) -> None:
        self._certificate = certificate
        self._spool = spool
        self._port = port
        self._read: queue.Queue[list[bytes] | None] = queue.Queue(_QUEUED)
        self._kept: queue.Queue[Batch | None] = queue.Queue(_QUEUED)
        self._sent = 0

    def run(self, url: str) -> None:
        """Take a session to its end."""
        threads = [threading.Thread(target=self._commit), threading.Thread(target=self._send)]
        for thread in threads:
            thread.start()
        uvloop.run(self._receive(url))
        self._read.put(None)
        for thread in threads:
            thread.join()

    async def _receive(self, url: str) -> None:
        listener = Listener(self._read.put)
        transport, _ = await picows.ws_connect(
            lambda: listener, url, ssl_context=self._certificate.client()
        )
        await transport.wait_disconnected()
        listener.flush()

    def _commit(self) -> None:
        seen: set[bytes] = set()
        decode, digest = msgspec.json.Decoder(Key).decode, xxhash.xxh3_128_digest
        for messages in _until_none(self._read):
            fresh = []
            for message in messages:
                key = decode(message)
                name = digest(key.guid)
                if name not in seen:
                    seen.add(name)
                    fresh.append(message)
            body = b"%b%b\n" % (_HEADER, (b"\n" + _HEADER).join(fresh))
            self._kept.put(Batch(self._spool.keep(body, bytes(key.ts), self._sent), body))
        self._kept.put(None)

    def _send(self) -> None:
        with (
            socket.create_connection((HOST, self._port)) as connection,
            self._certificate.client().wrap_socket(connection, server_hostname=HOST) as channel,
        ):
            for batch in _until_none(self._kept):
                channel.sendall(batch.body)
                self._sent = batch.number
            channel.unwrap()


class Listener(picows.WSListener):
    """Gathers messages into batches."""

    def __init__(self, push: Callable[[list[bytes]], None]) -> None:
        super().__init__()
        self._push = push
        self._batch: list[bytes] = []

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        """Take a frame."""
        if frame.msg_type == picows.WSMsgType.TEXT:
            self._batch.append(frame.get_payload_as_bytes())
            if len(self._batch) >= BATCH:
                self.flush()
        elif frame.msg_type == picows.WSMsgType.CLOSE:
            transport.disconnect()

    def flush(self) -> None:
        """Hand the batch on."""
        if self._batch:
            self._push(self._batch)
            self._batch = []


def _until_none(source: queue.Queue[_Item | None]) -> Iterator[_Item]:
    while (item := source.get()) is not None:
        yield item


def main(folder: Path, url: str, port: int, spool: str) -> None:
    """Run the bound in a folder that holds the certificate."""
    threading.excepthook = _die
    Bound(Certificate.kept(folder), SPOOLS[spool](Path.cwd()), port).run(url)


def _die(what: threading.ExceptHookArgs) -> None:
    sys.__excepthook__(what.exc_type, what.exc_value or what.exc_type(), what.exc_traceback)
    os._exit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4])
