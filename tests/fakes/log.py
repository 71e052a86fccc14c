"""A log that remembers."""

from __future__ import annotations


class MemoryLog:
    """Satisfies ``pullers.journal.Log``; ``lines`` holds (level, pulling id, text)."""

    def __init__(
        self, lines: list[tuple[str, int | None, str]] | None = None, pulling_id: int | None = None
    ) -> None:
        self.lines: list[tuple[str, int | None, str]] = [] if lines is None else lines
        self._pulling_id = pulling_id

    def during(self, pulling_id: int) -> MemoryLog:
        """The same lines, with the id of a pull."""
        return MemoryLog(self.lines, pulling_id)

    def info(self, msg: object, /, *args: object) -> None:
        """Log at INFO."""
        self._write("INFO", msg, args)

    def warning(self, msg: object, /, *args: object) -> None:
        """Log at WARNING."""
        self._write("WARNING", msg, args)

    def error(self, msg: object, /, *args: object) -> None:
        """Log at ERROR."""
        self._write("ERROR", msg, args)

    def texts(self, level: str) -> list[str]:
        """What was said at a level."""
        return [text for at, _, text in self.lines if at == level]

    def _write(self, level: str, msg: object, args: tuple[object, ...]) -> None:
        self.lines.append((level, self._pulling_id, str(msg) % args if args else str(msg)))
