"""``collector test``: whether inputs and outputs can be reached, step by step."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
import typer
from rich.live import Live
from rich.table import Table
from rich.text import Text

from collector.app.probing import Choice, Prober, exit_code
from collector.cli.chosen import settings
from collector.cli.options import ConfigOption, JsonOption
from collector.cli.process import open_log
from collector.cli.screen import out, print_json
from collector.clock import SystemClock
from collector.probe.findings import Finding, Report, Result, Subject
from collector.probe.steps import Patience

_COLOURS = {
    Result.PASSED: "green",
    Result.FAILED: "red",
    Result.SKIPPED: "yellow",
    Result.NOT_RUN: "dim",
    Result.NOT_TRIED: "yellow",
}

NamesArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="INPUT | OUTPUT", help="What to test; default: all that is enabled."),
]
TimeoutOption = Annotated[
    float, typer.Option("--timeout", min=0.1, max=3600, help="Seconds that one step may take.")
]
TotalOption = Annotated[
    float, typer.Option("--total", min=0.1, max=86_400, help="Seconds that all of it may take.")
]
NoCallsOption = Annotated[
    bool,
    typer.Option("--no-calls", help="Make no call that counts against CASB's daily quota."),
]
SessionOption = Annotated[
    bool,
    typer.Option(
        "--session",
        help="Open sessions: PoD's even while a collector is running, or where mode is live, and "
        "those of a generic stream. It may take a live session's place, or records: stop the "
        "collector first.",
    ),
]
ProbeOption = Annotated[
    bool | None,
    typer.Option(
        "--probe/--no-probe",
        help="Send one marked record through each output, or through none. Default: through "
        "those with internal: true.",
        show_default=False,
    ),
]


def probe(
    names: NamesArgument = None,
    config: ConfigOption = None,
    timeout: TimeoutOption = 30.0,
    total: TotalOption = 300.0,
    no_calls: NoCallsOption = False,
    session: SessionOption = False,
    send: ProbeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Test the connections to inputs and outputs, step by step.

    Name resolution, address, proxy, TLS, authentication, first answer; for
    outputs up to a record that is confirmed. A live session is never taken from a
    running collector. One test runs at a time. Exits 0 when all passed; else as a
    run with that trouble would: 3 to 6, or 8; 7 when another test runs. 6 when an
    output failed, whatever inputs did; 8 when inputs failed and others passed,
    or failed otherwise, or when the time was up before all was tried.
    """
    found = settings(config)
    os.umask(0o077)
    open_log(found, sys.stderr)
    choice = Choice(
        patience=Patience(step=timeout, total=total),
        calls=not no_calls,
        session=session,
        probe=send,
    )
    view = _Silent() if as_json else (_Screen() if out.is_terminal else _Lines())
    with view:
        tested = Prober(found, SystemClock(), choice, view.tell).run(names or ())
    code = exit_code(tested)
    if as_json:
        print_json(_as_dict(tested, code))
    else:
        _conclude(tested)
    raise typer.Exit(code)


class _Silent:
    """Shows nothing."""

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, *_: object) -> None:
        """End."""

    def tell(self, subject: Subject, finding: Finding) -> None:
        """A step began or ended."""


class _Lines(_Silent):
    """A line for each step that has ended; two more for a failure."""

    def tell(self, subject: Subject, finding: Finding) -> None:
        """Print what has ended."""
        if finding.result is Result.RUNNING:
            return
        head = f"{subject.kind} {subject.name}: {finding.step}: {finding.place}"
        _say(f"{head}: {finding.result}{_duration(finding)}: {finding.seen}")
        if finding.result is Result.FAILED:
            _say(f"  explanation ({finding.trouble}): {finding.explanation}")
            _say(f"  recommendation: {finding.recommendation}")


class _Screen(_Silent):
    """A heading for each subject, and a row for each step; the last line is what is running."""

    def __init__(self) -> None:
        self._subject: Subject | None = None
        self._live = Live(console=out, auto_refresh=False, transient=True)

    def __enter__(self) -> None:
        """Take the last line."""
        self._live.start()

    def __exit__(self, *_: object) -> None:
        """Give it back."""
        self._live.stop()

    def tell(self, subject: Subject, finding: Finding) -> None:
        """Show what is running; print what has ended, which then stays."""
        if subject != self._subject:
            self._subject = subject
            out.print(Text(f"\n{subject.kind} {subject.name} ({subject.type})", style="bold"))
        if finding.result is Result.RUNNING:
            self._live.update(_row(finding), refresh=True)
            return
        self._live.update("", refresh=True)
        out.print(_row(finding))


def _row(finding: Finding) -> Table:
    """One step, in columns that are the same for all."""
    row = Table.grid(padding=(0, 2, 0, 0))
    for width in (9, 14):
        row.add_column(width=width)
    row.add_column(width=9, justify="right")
    row.add_column(overflow="fold")
    taken = finding.milliseconds
    row.add_row(
        Text(finding.result, style=_COLOURS.get(finding.result, "")),
        finding.step,
        "" if taken is None else f"{taken:,.0f} ms",
        _explained(finding),
    )
    return row


def _explained(finding: Finding) -> Text:
    text = Text(f"{finding.place}: {finding.seen}" if finding.seen else finding.place)
    if finding.result is Result.FAILED:
        if finding.explanation != finding.seen:
            text.append(f"\n{finding.explanation}", style="red")
        text.append("\nwhat to do: ")
        text.append(finding.recommendation, style="bold")
    return text


def _conclude(tested: Sequence[Report]) -> None:
    if out.is_terminal:
        _say("")
    _say(f"{sum(each.passed for each in tested)} of {len(tested)} passed")
    _list("failed", [each for each in tested if each.trouble is not None])
    _list("not tried to the end", [each for each in tested if each.cut_short])
    unproven = [each for each in tested if each.unproven and each.subject.type != "console"]
    _list("credentials not tried", unproven)


def _list(title: str, tested: Sequence[Report]) -> None:
    if tested:
        names = (f"{each.subject.kind} {each.subject.name}" for each in tested)
        _say(f"{title}: {', '.join(names)}")


def _say(text: str) -> None:
    out.print(text, markup=False, highlight=False, soft_wrap=True)


def _duration(finding: Finding) -> str:
    return "" if finding.milliseconds is None else f" in {finding.milliseconds:g} ms"


def _as_dict(tested: Sequence[Report], code: int) -> dict[str, Any]:
    return {
        "passed": all(each.passed for each in tested),
        "exit_code": code,
        "tests": [
            {
                **msgspec.structs.asdict(each.subject),
                "passed": each.passed,
                "steps": [msgspec.structs.asdict(finding) for finding in each.findings],
            }
            for each in tested
        ],
    }
