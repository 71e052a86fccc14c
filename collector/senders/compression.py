"""Compression by name, for bodies and for files."""

from __future__ import annotations

from typing import IO, Literal, TypeAlias, cast

import zstandard
from zlib_ng import gzip_ng, zlib_ng

Format: TypeAlias = Literal["gzip", "zstd"]
Compression: TypeAlias = Literal["none"] | Format

# What `gzip` does unless told otherwise: of our records, 9 makes nothing smaller and takes twice
# as long.
_GZIP_LEVEL = 6
_GZIP_FORMAT = zlib_ng.MAX_WBITS | 16

SUFFIXES: dict[Compression, str] = {"none": "", "gzip": ".gz", "zstd": ".zst"}


def compressed(body: bytes, compression: Compression) -> bytes:
    """The body in one gzip member or zstd frame; the same bytes at every try."""
    if compression == "gzip":
        return zlib_ng.compress(body, _GZIP_LEVEL, _GZIP_FORMAT)
    if compression == "zstd":
        return zstandard.ZstdCompressor().compress(body)
    return body


def compressing(target: IO[bytes], compression: Format) -> IO[bytes]:
    """A file that compresses into ``target``; closing it completes the stream only."""
    if compression == "gzip":
        stream = gzip_ng.GzipNGFile(fileobj=target, mode="wb", compresslevel=_GZIP_LEVEL, mtime=0)
        return cast("IO[bytes]", stream)
    return zstandard.ZstdCompressor().stream_writer(target, closefd=False)
