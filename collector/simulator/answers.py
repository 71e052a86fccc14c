"""HTTP answers, good ones and those that a fault script asks for."""

from __future__ import annotations

from datetime import UTC
from email.utils import format_datetime
from typing import Any, Final

import msgspec
from aiohttp import web

from collector.core.model import Micros
from collector.core.times import SECOND, to_datetime
from collector.simulator.faults import Fault

TOO_MANY_SESSIONS: Final = "Exceeded maximum number of sessions per token\r\n"
HTML: Final = "<!DOCTYPE html><html><body><h1>Service temporarily unavailable</h1></body></html>"

_REASONS: Final = {
    400: "Bad request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    410: "Gone",
    429: "Too Many Requests",
}


def json_answer(body: bytes) -> web.Response:
    """A good answer."""
    return web.Response(body=body, content_type="application/json")


def error(status: int, message: str | None = None) -> web.Response:
    """A CASB error: JSON with ``message`` (docs/vendor-notes.md, CASB A2)."""
    text: dict[str, Any] = {"message": message or _reason(status)}
    return web.Response(
        status=status, body=msgspec.json.encode(text), content_type="application/json"
    )


def plain_error(status: int) -> web.Response:
    """A PoD error: short text (docs/vendor-notes.md, PoD 3; 409 verbatim)."""
    text = TOO_MANY_SESSIONS if status == web.HTTPConflict.status_code else _reason(status) + "\r\n"
    return web.Response(
        status=status,
        body=text.encode("latin-1"),
        headers={"Content-Type": "text/plain;charset=iso-8859-1"},
    )


def with_retry_after(answer: web.Response, fault: Fault, now: Micros) -> web.Response:
    """The answer with the ``Retry-After`` that the fault asks for, if it does."""
    if fault.retry_after is not None:
        answer.headers["Retry-After"] = _retry_after(fault.retry_after, fault, now)
    return answer


async def cut_short(request: web.Request, answer: web.Response) -> web.StreamResponse:
    """Send half of the body, then end the connection."""
    body = bytes(answer.body) if isinstance(answer.body, bytes) else b""
    cut = web.StreamResponse(status=answer.status, headers={"Content-Type": answer.content_type})
    cut.content_length = len(body)
    await cut.prepare(request)
    await cut.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return cut


def _reason(status: int) -> str:
    return _REASONS.get(status, "Service unavailable")


def _retry_after(seconds: float, fault: Fault, now: Micros) -> str:
    if fault.retry_after_form == "seconds":
        return str(round(seconds))
    moment = to_datetime(now + round(seconds * SECOND))
    return format_datetime(moment.astimezone(UTC), usegmt=True)
