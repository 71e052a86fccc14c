"""The schema, step by step.  A step and the note that it ran are one transaction.

Tables
    meta         store id, and the epoch that grows with each start
    checkpoint   one row per source: the state under Devo's names
    spool        one row per batch: the lines as one blob, compressed if large
    pending      which output still has to confirm which batch
    spent        batches that every output has confirmed, whose rows are still there
    position     what a sender wants to know at its next start
    known        packed digests, one row per commit and hour slot
    ledger       one row per source and UTC hour: state and counts of events
    delivered    how many records of an hour each output has confirmed
    dead_letter  bytes kept aside, with the reason
    dead_event   by what the event in a dead letter is known, when a pipeline keeps it aside
    kept_aside   how many dead letters there are and were, by source and output
    usage        calls made against an input's quota
    history      resets, with the state before and after
    health       one row per source and output: state and health events; decides nothing

``seal`` is a row's checksum (``persistence.seals``).
"""

from __future__ import annotations

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

schema = Migrations("collector")


@schema()
def first_release(db: Database) -> None:
    """The tables of release 0.1."""
    for statement in _FIRST_RELEASE:
        db.execute(statement)


# Blobs stand last in their rows, so that scans of the columns before them do not read them.
_FIRST_RELEASE = (
    """CREATE TABLE meta (
        key TEXT PRIMARY KEY, value TEXT NOT NULL, seal INTEGER NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE checkpoint (
        source TEXT PRIMARY KEY, state TEXT NOT NULL, changed INTEGER NOT NULL,
        seal INTEGER NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE spool (
        id INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, tag TEXT NOT NULL,
        lane TEXT NOT NULL, mode TEXT NOT NULL, count INTEGER NOT NULL, first INTEGER NOT NULL,
        last INTEGER NOT NULL, bytes INTEGER NOT NULL, hours TEXT NOT NULL,
        seal INTEGER NOT NULL, body BLOB NOT NULL)""",
    """CREATE TABLE pending (
        output TEXT NOT NULL, lane TEXT NOT NULL, batch INTEGER NOT NULL, seal INTEGER NOT NULL,
        PRIMARY KEY (output, lane, batch)) WITHOUT ROWID""",
    "CREATE INDEX pending_batch ON pending (batch)",
    """CREATE TABLE position (
        output TEXT NOT NULL, lane TEXT NOT NULL, value TEXT NOT NULL, seal INTEGER NOT NULL,
        PRIMARY KEY (output, lane)) WITHOUT ROWID""",
    """CREATE TABLE known (
        id INTEGER PRIMARY KEY, source TEXT NOT NULL, slot INTEGER NOT NULL,
        committed INTEGER NOT NULL, seal INTEGER NOT NULL, digests BLOB NOT NULL)""",
    "CREATE INDEX known_slot ON known (source, slot)",
    """CREATE TABLE ledger (
        source TEXT NOT NULL, start INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT,
        received INTEGER NOT NULL, spooled INTEGER NOT NULL, duplicate INTEGER NOT NULL,
        filtered INTEGER NOT NULL, dead_lettered INTEGER NOT NULL, live INTEGER NOT NULL,
        repaired INTEGER NOT NULL, attempts INTEGER NOT NULL, digest BLOB NOT NULL,
        first INTEGER NOT NULL, last INTEGER NOT NULL, changed INTEGER NOT NULL,
        announced INTEGER NOT NULL DEFAULT 0, seal INTEGER NOT NULL,
        PRIMARY KEY (source, start)) WITHOUT ROWID""",
    "CREATE INDEX ledger_announced ON ledger (announced) WHERE announced = 0",
    """CREATE TABLE delivered (
        source TEXT NOT NULL, start INTEGER NOT NULL, output TEXT NOT NULL,
        records INTEGER NOT NULL, seal INTEGER NOT NULL,
        PRIMARY KEY (source, start, output)) WITHOUT ROWID""",
    """CREATE TABLE dead_letter (
        id INTEGER PRIMARY KEY AUTOINCREMENT, observed INTEGER NOT NULL, source TEXT NOT NULL,
        tag TEXT NOT NULL, lane TEXT NOT NULL, output TEXT, hour INTEGER NOT NULL,
        time INTEGER NOT NULL, reason TEXT NOT NULL, seal INTEGER NOT NULL, raw BLOB NOT NULL)""",
    """CREATE TABLE kept_aside (
        source TEXT NOT NULL, output TEXT NOT NULL, records INTEGER NOT NULL,
        bytes INTEGER NOT NULL, dropped INTEGER NOT NULL, dropped_bytes INTEGER NOT NULL,
        seal INTEGER NOT NULL, PRIMARY KEY (source, output)) WITHOUT ROWID""",
    """CREATE TABLE usage (
        input TEXT PRIMARY KEY, day INTEGER NOT NULL, calls INTEGER NOT NULL,
        not_before INTEGER NOT NULL, seal INTEGER NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE history (
        id INTEGER PRIMARY KEY AUTOINCREMENT, changed INTEGER NOT NULL, source TEXT NOT NULL,
        reason TEXT NOT NULL, previous TEXT, current TEXT)""",
)


@schema()
def health(db: Database) -> None:
    """How sources and outputs fare, for ``collector status``."""
    db.execute(
        """CREATE TABLE health (
            subject TEXT PRIMARY KEY, checked INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID"""
    )


@schema()
def known_dead_events(db: Database) -> None:
    """Which dead letters are events whose ids are known."""
    db.execute(
        """CREATE TABLE dead_event (
            letter INTEGER PRIMARY KEY, digest BLOB NOT NULL, seal INTEGER NOT NULL)"""
    )


@schema()
def spent_batches(db: Database) -> None:
    """Which batches only wait for the next ones to take over their pages."""
    db.execute(
        """CREATE TABLE spent (
            batch INTEGER PRIMARY KEY, bytes INTEGER NOT NULL, seal INTEGER NOT NULL)"""
    )


@schema()
def compressed_batches(db: Database) -> None:
    """In which form a batch's body is stored (``persistence.packing``)."""
    db.execute("ALTER TABLE spool ADD COLUMN codec TEXT NOT NULL DEFAULT 'none'")
