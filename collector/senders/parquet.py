"""Parquet: each record as text, beside the columns that queries filter by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from collector.senders.compression import Compression
from collector.senders.s3_objects import Form, Row

_SCHEMA: Any = pa.schema(
    [
        pa.field("record", pa.string(), nullable=False),
        pa.field("record_id", pa.string(), nullable=False),
        pa.field("event_id", pa.string()),
        pa.field("event_time", pa.timestamp("us", tz="UTC")),
        pa.field("tag", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("mode", pa.string(), nullable=False),
        pa.field("batch", pa.string(), nullable=False),
        pa.field("position", pa.int32(), nullable=False),
    ]
)


def parquet(compression: Compression) -> Form:
    """One file an object; ``compression`` is that of its columns."""

    def encode(rows: Sequence[Row]) -> bytes:
        target = pa.BufferOutputStream()
        pq.write_table(_table(rows), target, compression=compression)
        body: bytes = target.getvalue().to_pybytes()
        return body

    return Form(
        suffix=".parquet",
        content_type="application/vnd.apache.parquet",
        encode=encode,
        refuses=_refuses,
    )


def _table(rows: Sequence[Row]) -> Any:
    """The rows as columns, in the order of the schema."""
    columns = zip(
        *(
            (
                row.line.decode(),
                row.id,
                row.event_id,
                row.time,
                row.tag,
                row.source,
                row.mode,
                row.batch,
                row.position,
            )
            for row in rows
        ),
        strict=True,
    )
    arrays = [
        pa.array(column, type=field.type) for column, field in zip(columns, _SCHEMA, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=_SCHEMA)


def _refuses(line: bytes) -> str | None:
    """Parquet's text is UTF-8 and nothing else."""
    try:
        line.decode()
    except UnicodeDecodeError as error:
        return f"Parquet: not UTF-8 at byte {error.start}"
    return None
