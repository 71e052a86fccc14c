"""Log records as lines: Devo's form, or JSON; one line a record, without secrets.

Text lines have the form that operators of Devo's collectors know
(docs/vendor-notes.md, Devo 3); the time is local, with milliseconds::

    2023-01-16T15:16:20.026 INFO InputProcess::<component> -> Reading persisted data

Whatever logs, also a library, is redacted where the line is made.  Libraries are
heard from WARNING on only: at lower levels they print URLs and headers.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
from collections.abc import Iterable, MutableMapping
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

from collector.redaction import Redactor, redact_patterns

MAX_TEXT = 16 * 1024
"""Characters of one record's text, exception included; the rest is counted, not shown."""

# Control characters, line separators, bidirectional overrides and lone surrogates: what
# could start a line, steer a terminal, show text in another order or fail to be written.
_UNSAFE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_PRODUCT = "collector"


class ComponentLogger(logging.LoggerAdapter[logging.Logger]):
    """A logger that speaks for one component, such as one puller."""

    def during(self, pulling_id: int) -> ComponentLogger:
        """The same component during one pull; the id shows as ``pulling_id`` in JSON lines."""
        return ComponentLogger(self.logger, {**(self.extra or {}), "pulling_id": pulling_id})

    def process(
        self, msg: Any, kwargs: MutableMapping[str, Any]
    ) -> tuple[Any, MutableMapping[str, Any]]:
        """Add the component to the record."""
        return msg, {**kwargs, "extra": {**(self.extra or {}), **(kwargs.get("extra") or {})}}


def component_logger(process: str, component: str) -> ComponentLogger:
    """A logger whose lines begin with ``<process>::<component>``.

    ``process`` is ``MainProcess``, ``InputProcess`` or ``OutputProcess``: the side
    of the collector, under the name that Devo's operators know.
    """
    extra = {"component": f"{process}::{component}"}
    return ComponentLogger(logging.getLogger(_PRODUCT), extra)


def configure(
    *,
    debug: bool,
    log_format: Literal["text", "json"],
    stream: TextIO,
    secrets: Iterable[str] = (),
    worker: int = 0,
) -> Redactor:
    """Send all log records to ``stream``; an earlier configuration is replaced.

    ``worker``: the number of this process, which every line then names (``InputProcess-2``).
    The redactor comes back so that tokens granted later can be made known to it.
    """
    redactor = Redactor(secrets)
    handler = _LineHandler(stream, redactor)
    handler.setFormatter(_FORMATS[log_format](redactor, worker))
    root = logging.getLogger()
    for old in [known for known in root.handlers if isinstance(known, _LineHandler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger(_PRODUCT).setLevel(logging.DEBUG if debug else logging.INFO)
    # It warns of each run that is still under way when the next is due, as long ones are.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    return redactor


def learn(secret: str) -> None:
    """Strike out this secret too from now on: a token that was granted at run time."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, _LineHandler):
            handler.redactor.learn(secret)


def redacted(text: str) -> str:
    """The text as the log would show it: without the secrets that are known, or look like one."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, _LineHandler):
            text = handler.redactor.redact_known(text)
    return redact_patterns(text)


def log_uncaught_exceptions() -> None:
    """Let exceptions that nobody caught be logged, so that they are redacted too."""
    sys.excepthook = _log_uncaught
    threading.excepthook = lambda thrown: _log_uncaught(
        thrown.exc_type, thrown.exc_value, thrown.exc_traceback
    )


def escape(text: str) -> str:
    r"""The text on one line: unsafe characters as ``\n``, ``\x1b``, ``\u202e`` and the like."""
    return _UNSAFE.sub(lambda unsafe: repr(unsafe[0])[1:-1], text)


class LineFormatter(logging.Formatter):
    """What both forms share: text without secrets, of bounded length."""

    def __init__(self, redactor: Redactor, worker: int = 0) -> None:
        """Redact with this redactor, and name this worker."""
        super().__init__()
        self._redactor = redactor
        self._worker = f"-{worker}" if worker else ""

    def component(self, record: logging.LogRecord) -> str:
        """Ours is set by the component's logger; a library shows under its logger's name."""
        named = getattr(record, "component", None) or f"{record.processName}::{record.name}"
        process, separator, component = named.partition("::")
        return f"{process}{self._worker}{separator}{component}"

    def clean(self, text: str) -> str:
        """The text without secrets, cut to ``MAX_TEXT``.

        Known secrets go before the cut, lest half of one remains that no longer matches.
        """
        text = self._redactor.redact_known(text)
        rest = len(text) - MAX_TEXT
        shown = redact_patterns(text[:MAX_TEXT])
        return f"{shown}... ({rest} more characters)" if rest > 0 else shown

    def traceback(self, record: logging.LogRecord) -> str:
        """The record's exception as Python prints it, or nothing."""
        return self.formatException(record.exc_info) if record.exc_info else ""


class TextFormatter(LineFormatter):
    """Devo's line form."""

    def format(self, record: logging.LogRecord) -> str:
        """One line; an exception follows its text, line ends escaped."""
        local = _moment(record).astimezone().replace(tzinfo=None)
        text = "\n".join(filter(None, (record.getMessage(), self.traceback(record))))
        head = f"{_milliseconds(local)} {record.levelname} {escape(self.component(record))}"
        return f"{head} -> {escape(self.clean(text))}"


class JsonFormatter(LineFormatter):
    """One JSON object a line, ASCII only, times in UTC."""

    def format(self, record: logging.LogRecord) -> str:
        """The keys time, level, component, message; pulling_id and exception if there are any."""
        members = {
            "time": _milliseconds(_moment(record).replace(tzinfo=None)) + "Z",
            "level": record.levelname,
            "component": self.component(record),
            "message": self.clean(record.getMessage()),
            "pulling_id": getattr(record, "pulling_id", None),
            "exception": self.clean(self.traceback(record)) or None,
        }
        present = {name: value for name, value in members.items() if value is not None}
        return json.dumps(present).replace("\x7f", "\\u007f")


_FORMATS = {"text": TextFormatter, "json": JsonFormatter}


class _LineHandler(logging.StreamHandler[TextIO]):
    """Writes lines; a record that cannot be written is reported without its content."""

    def __init__(self, stream: TextIO, redactor: Redactor) -> None:
        super().__init__(stream)
        self.redactor = redactor

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Say where the record came from; the standard report would print it unredacted."""
        kind = type(sys.exc_info()[1]).__name__
        place = f"{record.filename}:{record.lineno}"
        sys.stderr.write(f"A log record of {place} could not be written ({kind}).\n")


def _log_uncaught(kind: type[BaseException], error: BaseException | None, _: object) -> None:
    if not issubclass(kind, (KeyboardInterrupt, SystemExit)):
        logger = component_logger("MainProcess", threading.current_thread().name)
        logger.critical("Nothing caught this %s", kind.__name__, exc_info=error)


def _moment(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, tz=UTC)


def _milliseconds(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
