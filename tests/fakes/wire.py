"""The vendor's side of the wire, as a script."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Self

from collector.core.model import Request, Response
from tests.fakes.clock import ManualClock

Answer = bytes | Sequence[bytes] | Exception


class ScriptedFetch:
    """Answers each request with the next of ``answers``, and writes the requests down.

    Bytes are the body of a 200; a sequence of bytes, the messages of a stream; an
    exception is raised.
    """

    def __init__(self, *answers: Answer) -> None:
        self.requests: list[Request] = []
        self._answers = list(answers)

    def __call__(self, request: Request) -> Iterator[Response]:
        """The answer to one request."""
        self.requests.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, bytes):
            yield Response(request=request, status=200, body=answer)
        else:
            yield Response(request=request, status=101, messages=answer)

    @property
    def left(self) -> int:
        """How many answers nobody asked for."""
        return len(self._answers)


class AnsweringFetch:
    """Answers each request with the body that a function makes of it."""

    def __init__(self, answer: Callable[[Request], bytes]) -> None:
        self.requests: list[Request] = []
        self._answer = answer

    def __call__(self, request: Request) -> Iterator[Response]:
        """The answer to one request."""
        self.requests.append(request)
        yield Response(request=request, status=200, body=self._answer(request))


class ScriptedSession:
    """A live session (``pullers.stream.Session``) that lasts as long as its script.

    Each step of ``script`` is the messages of one ``read``, or the seconds that pass
    in silence.  ``ends`` is how it then ends: ``clean``, ``abrupt`` or ``silent``.
    ``in_flight`` arrives while it is being closed in order; ``closable`` False: the
    vendor never confirms that close.
    """

    def __init__(
        self,
        clock: ManualClock,
        script: Sequence[Sequence[bytes] | float],
        *,
        ends: str = "clean",
        in_flight: Sequence[bytes] = (),
        closable: bool = True,
        at_end: Callable[[], None] = lambda: None,
    ) -> None:
        self.ended = "still lasts"
        self.lasts = True
        self.clean = False
        self.finished = False
        self.let_go = False
        self._clock = clock
        self._script = list(script)
        self._ends = ends
        self._in_flight = in_flight
        self._closable = closable
        self._at_end = at_end
        self._heard = clock.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go = True

    @property
    def silent_for(self) -> float:
        """Seconds of the clock since the last messages."""
        return self._clock.monotonic() - self._heard

    def read(self) -> Sequence[bytes]:
        """Play the next step."""
        if not self._script:
            self._end(self._ends)
            return ()
        step = self._script.pop(0)
        if isinstance(step, float):
            self._clock.advance(step)
            return ()
        self._heard = self._clock.monotonic()
        return step

    def finish(self) -> Sequence[bytes]:
        """Close in order, unless it has ended by itself."""
        if not self.lasts:
            return ()
        self.finished = True
        self._heard = self._clock.monotonic()
        self._end("clean" if self._closable else "abrupt")
        return self._in_flight

    def _end(self, how: str) -> None:
        self.lasts = False
        self.clean = how == "clean"
        self.ended = how
        self._at_end()


class ScriptedConnect:
    """Opens the next of ``sessions`` at each call; an exception among them is raised."""

    def __init__(self, *sessions: ScriptedSession | Exception) -> None:
        self.requests: list[Request] = []
        self._sessions = sessions

    def __call__(self, request: Request) -> ScriptedSession:
        """The next session."""
        session = self._sessions[len(self.requests)]
        self.requests.append(request)
        if isinstance(session, Exception):
            raise session
        return session
