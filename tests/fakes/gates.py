"""A gate that opens as a script says."""

from __future__ import annotations


class ScriptedGate:
    """Answers each ``wait`` with the next of ``answers``, then lets everybody pass."""

    def __init__(self, *answers: bool) -> None:
        self._answers = list(answers)

    def wait(self, longest: float | None = None) -> bool:
        """The next answer, at once."""
        del longest
        return self._answers.pop(0) if self._answers else True
