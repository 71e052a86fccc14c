"""Log lines: their form, one a record, no secret in them."""

from __future__ import annotations

import io
import json
import logging
import re
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest

from collector import logs
from collector.redaction import REDACTED, Redactor

CANARY = "kanarie-4711-abcdef"
COMPONENT = "ProofpointCasbAlertsPuller(proofpoint_casb,proofpoint_casb_1,alerts,predefined)"

Configure = Callable[..., Redactor]


@pytest.fixture
def stream() -> io.StringIO:
    """Where the log goes."""
    return io.StringIO()


@pytest.fixture
def configure(stream: io.StringIO) -> Iterator[Configure]:
    """Configures the process's logging onto the stream alone; put back after the test."""
    root, product = logging.getLogger(), logging.getLogger("collector")
    handlers, levels = list(root.handlers), (root.level, product.level)
    hooks = (sys.excepthook, threading.excepthook)

    def onto_stream(
        *,
        debug: bool = False,
        log_format: Literal["text", "json"] = "text",
        secrets: tuple[str, ...] = (),
        worker: int = 0,
    ) -> Redactor:
        root.handlers[:] = [handler for handler in root.handlers if is_ours(handler)]
        return logs.configure(
            debug=debug, log_format=log_format, stream=stream, secrets=secrets, worker=worker
        )

    yield onto_stream
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    product.setLevel(levels[1])
    sys.excepthook, threading.excepthook = hooks


def is_ours(handler: logging.Handler) -> bool:
    """Whether it writes our lines; the test runner's handlers would get in the way."""
    return isinstance(handler.formatter, logs.LineFormatter)


def puller() -> logs.ComponentLogger:
    """A logger as a puller has it."""
    return logs.component_logger("InputProcess", COMPONENT)


def json_lines(stream: io.StringIO) -> list[dict[str, Any]]:
    """The objects on the stream, one a line."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def call() -> None:
    """Fail as an HTTP client does, with a secret in the URL."""
    raise ConnectionError(f"403 for url: https://example.com/v1?key={CANARY}")


def refused() -> None:
    """Fail because of another failure, with a secret in each message."""
    try:
        call()
    except ConnectionError as error:
        raise RuntimeError(f"x-api-key: {CANARY}\nsecond line") from error


def test_text_line_has_devos_form(configure: Configure, stream: io.StringIO) -> None:
    """Local time with milliseconds, level, process and component, arrow, text."""
    configure()
    puller().info("Reading persisted data")
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3} INFO InputProcess::"
        + re.escape(COMPONENT)
        + " -> Reading persisted data\n",
        stream.getvalue(),
    )


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_lines_of_a_worker_name_it(
    log_format: str, configure: Configure, stream: io.StringIO
) -> None:
    """Where several processes share a log, each line says whose it is."""
    configure(log_format=log_format, worker=2)
    puller().info("Pull Started")
    assert f"InputProcess-2::{COMPONENT}" in stream.getvalue()


def test_text_time_is_local() -> None:
    """The clock of the lines is the machine's, as in Devo's collectors."""
    record = logging.LogRecord("collector", logging.INFO, "", 0, "text", None, None)
    record.created = 1673878580.026261
    local = logging.Formatter().formatTime(record, "%Y-%m-%dT%H:%M:%S")
    assert logs.TextFormatter(Redactor()).format(record).startswith(f"{local}.026 INFO ")


def test_json_line(configure: Configure, stream: io.StringIO) -> None:
    """The same facts under names, the time in UTC; nothing that is not there."""
    configure(log_format="json")
    puller().warning("the quota of %d calls is used up", 1000)
    [line] = json_lines(stream)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
    assert line == {
        "level": "WARNING",
        "component": f"InputProcess::{COMPONENT}",
        "message": "the quota of 1000 calls is used up",
    }


def test_json_line_during_a_pull(configure: Configure, stream: io.StringIO) -> None:
    """Every line of a pull carries its id."""
    configure(log_format="json")
    logger = puller().during(1673878580026)
    logger.info("Pull Started")
    [line] = json_lines(stream)
    assert line["pulling_id"] == 1673878580026
    assert line["component"] == f"InputProcess::{COMPONENT}"


def test_extra_of_a_call_is_kept(configure: Configure, stream: io.StringIO) -> None:
    """A caller's own record attributes do not push the component out."""
    configure(log_format="json")
    puller().info("text", extra={"pulling_id": 7})
    [line] = json_lines(stream)
    assert (line["pulling_id"], line["component"]) == (7, f"InputProcess::{COMPONENT}")


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_one_line_a_record(log_format: str, configure: Configure, stream: io.StringIO) -> None:
    """Line ends, terminal controls and bidirectional overrides cannot forge or hide a line."""
    configure(log_format=log_format)
    hostile = "a\r\nb\x00\x1b[2J\x7f\x85\u2028\u2029\u202e\u2066\u061c\udcff\tz"
    logs.component_logger("InputProcess", f"Puller({hostile})").info(hostile)
    text = stream.getvalue()
    assert text.endswith("\n")
    assert re.search(r"[^\x20-\x7e]", text[:-1]) is None


def test_escapes_can_be_read() -> None:
    """Each unsafe character shows as Python writes it; others stay."""
    assert logs.escape("a\nb\tc\x1bd\u202eé") == r"a\nb\tc\x1bd\u202eé"


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_exception_is_on_the_line(
    log_format: str, configure: Configure, stream: io.StringIO
) -> None:
    """The whole chain is shown, on the one line, without secrets."""
    configure(log_format=log_format)
    try:
        refused()
    except RuntimeError:
        puller().exception("the pull failed")
    [line] = stream.getvalue().splitlines()
    assert "the pull failed" in line
    assert "ConnectionError: 403" in line
    assert "RuntimeError" in line
    assert CANARY not in line


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_secrets_never_show(log_format: str, configure: Configure, stream: io.StringIO) -> None:
    """In the text, in its arguments and in the component; also when learned later."""
    redactor = configure(log_format=log_format, secrets=(CANARY,))
    redactor.learn("granted-token-1")
    puller().info(f"text {CANARY}")
    puller().info("argument %s", CANARY)
    puller().info("arguments %(a)r", {"a": {"granted-token-1": CANARY}})
    assert CANARY not in stream.getvalue()
    assert "granted-token-1" not in stream.getvalue()
    assert stream.getvalue().count(REDACTED) == 4


@pytest.mark.parametrize(
    "library", ["urllib3.connectionpool", "requests", "aiohttp.client", "asyncio"]
)
def test_libraries_are_capped(library: str, configure: Configure, stream: io.StringIO) -> None:
    """Even with debug they are heard from WARNING on, under their name, and redacted."""
    configure(debug=True)
    logger = logging.getLogger(library)
    logger.debug("GET /v1?key=%s", CANARY)
    logger.info("GET /v1?key=%s", CANARY)
    assert stream.getvalue() == ""
    logger.warning("retry of /v1?key=%s", CANARY)
    assert stream.getvalue().endswith(
        f" WARNING MainProcess::{library} -> retry of /v1?key={REDACTED}\n"
    )


def test_the_scheduler_is_heard_of_errors_alone(configure: Configure, stream: io.StringIO) -> None:
    """It warns whenever a run is still under way when the next is due, which is no trouble."""
    configure(debug=True)
    logging.getLogger("apscheduler.scheduler").warning("skipped")
    assert stream.getvalue() == ""
    logging.getLogger("apscheduler.scheduler").error("a defect")
    assert stream.getvalue().endswith(" ERROR MainProcess::apscheduler.scheduler -> a defect\n")


@pytest.mark.parametrize(("debug", "lines"), [(True, 2), (False, 1)])
def test_debug_is_a_choice(
    debug: bool,  # noqa: FBT001 - a parameter of the test
    lines: int,
    configure: Configure,
    stream: io.StringIO,
) -> None:
    """Our own debug lines come only on request."""
    configure(debug=debug)
    puller().debug("detail")
    puller().info("text")
    assert len(stream.getvalue().splitlines()) == lines


def test_configuring_again_replaces(configure: Configure, stream: io.StringIO) -> None:
    """No record is written twice."""
    configure()
    configure()
    puller().info("text")
    assert len(stream.getvalue().splitlines()) == 1


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_length_is_bounded(log_format: str, configure: Configure, stream: io.StringIO) -> None:
    """A huge record is cut, and says by how much."""
    configure(log_format=log_format)
    puller().info("x" * (logs.MAX_TEXT + 1000))
    assert "x... (1000 more characters)" in stream.getvalue()
    assert len(stream.getvalue()) < logs.MAX_TEXT + 400


def test_the_cut_leaves_no_half_secret(configure: Configure, stream: io.StringIO) -> None:
    """A known secret across the limit is replaced before the text is cut."""
    configure(secrets=(CANARY,))
    puller().info("x" * (logs.MAX_TEXT - 8) + CANARY)
    assert CANARY[:6] not in stream.getvalue()


def test_a_record_that_cannot_be_formatted(
    configure: Configure, stream: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is reported by its place, never by its content, and the program goes on."""
    configure()
    puller().info("%d", CANARY)
    puller().info("next")
    assert stream.getvalue().endswith("-> next\n")
    report = capsys.readouterr().err
    assert "test_logs.py" in report
    assert CANARY not in report


def test_uncaught_error_of_a_thread(configure: Configure, stream: io.StringIO) -> None:
    """It is logged under the thread's name, redacted."""
    configure()
    logs.log_uncaught_exceptions()
    thread = threading.Thread(target=refused, name="sender")
    thread.start()
    thread.join()
    [line] = stream.getvalue().splitlines()
    assert "CRITICAL MainProcess::sender -> Nothing caught this RuntimeError" in line
    assert CANARY not in line


def test_uncaught_error_of_the_program(configure: Configure, stream: io.StringIO) -> None:
    """The interpreter's last word goes the same way; an interrupt needs no line."""
    configure()
    logs.log_uncaught_exceptions()
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    sys.excepthook(ValueError, ValueError(f"Bearer {CANARY}"), None)
    [line] = stream.getvalue().splitlines()
    assert line.endswith(f"ValueError: Bearer {REDACTED}")


def test_token_granted_later_is_struck_out(configure: Configure, stream: io.StringIO) -> None:
    """A secret learned while the program runs is struck out from then on."""
    configure()
    logs.learn(CANARY)
    puller().info("granted %s", CANARY)
    assert CANARY not in stream.getvalue()
    assert REDACTED in stream.getvalue()
