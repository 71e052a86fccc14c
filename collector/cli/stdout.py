"""Standard output, whose loss is told apart from every other error of the system."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any, TextIO


class Unwritable(OSError):
    """Standard output takes no more; ``closed``: because whoever read it has gone.

    It bears no errno, so that no library on the way takes a closed pipe for the end of
    the program, with a code of its own.
    """

    def __init__(self, error: OSError) -> None:
        super().__init__(error.strerror)
        self.closed = isinstance(error, BrokenPipeError)


class _Standard(io.FileIO):
    """The descriptor itself; raises ``Unwritable``."""

    def write(self, data: Any) -> int:
        """Write some of the bytes; how many."""
        try:
            return super().write(data)
        except OSError as error:
            raise Unwritable(error) from error


def watched(plain: TextIO | None) -> TextIO:
    """Standard output, every loss of which is an ``Unwritable``; one that was closed is nothing."""
    if plain is None:  # as Python has it after ``>&-``
        return Path(os.devnull).open("w", encoding="utf-8")
    return io.TextIOWrapper(
        io.BufferedWriter(_Standard(plain.fileno(), "w", closefd=False)),
        encoding=plain.encoding,
        errors=plain.errors,
        line_buffering=plain.isatty(),
    )
