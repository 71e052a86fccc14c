"""A gate that is shut for a while."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext


class ShutAfter:
    """Lets so many pass, keeps out the next ones as often as ``times``, then lets all pass."""

    def __init__(self, passes: int, times: int = 1) -> None:
        self._answers = [True] * passes + [False] * times

    def wait(self, longest: float | None = None) -> bool:
        """The next answer, at once."""
        del longest
        return self._answers.pop(0) if self._answers else True

    def admitted(self, size: int) -> AbstractContextManager[bool]:
        """Every page fits."""
        del size
        return nullcontext(enter_result=True)
