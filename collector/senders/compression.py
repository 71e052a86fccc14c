"""Compression by name, for bodies and for files."""

from __future__ import annotations

import gzip
from typing import IO, Literal, TypeAlias, cast

import zstandard

Compression: TypeAlias = Literal["none", "gzip", "zstd"]

SUFFIXES: dict[Compression, str] = {"none": "", "gzip": ".gz", "zstd": ".zst"}


def compressed(body: bytes, compression: Compression) -> bytes:
    """The body in one gzip member or zstd frame; the same bytes at every try."""
    if compression == "gzip":
        return gzip.compress(body, mtime=0)
    if compression == "zstd":
        return zstandard.ZstdCompressor().compress(body)
    return body


def compressing(target: IO[bytes], compression: Compression) -> IO[bytes]:
    """A file that compresses into ``target``; closing it completes the stream only."""
    if compression == "gzip":
        return cast("IO[bytes]", gzip.GzipFile(fileobj=target, mode="wb", mtime=0))
    return zstandard.ZstdCompressor().stream_writer(target, closefd=False)
