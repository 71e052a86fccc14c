"""The command line.  One module a command group; each command is thin."""

from __future__ import annotations

import sys

import typer

from collector.app.outcome import MEANING
from collector.cli import (
    backfill,
    check,
    demo,
    importing,
    ledger,
    letters,
    pipeline,
    probe,
    run,
    secret,
    simulate,
    state,
    status,
    worker,
)
from collector.cli.screen import fail
from collector.errors import CollectorError

_EXIT_CODES = "\n\n".join(f"{code}  {meaning}" for code, meaning in sorted(MEANING.items()))

app = typer.Typer(
    name="collector",
    help="Collects the logs of Proofpoint CASB and Proofpoint on Demand, and delivers each "
    "record once it is safe.\n\nTry it without a Proofpoint licence: [bold]collector demo[/]. "
    "Begin for real: copy config.yaml.example to config.yaml, then [bold]collector check[/] and "
    "[bold]collector run[/].",
    epilog=f"[bold]Exit codes[/]\n\n{_EXIT_CODES}",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,  # its hook prints local variables, and so secrets
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run")(run.run)
app.command("worker", hidden=True)(worker.worker)
app.command("status")(status.status)
app.command("check")(check.check)
app.command("test")(probe.probe)
app.add_typer(state.app, name="state")
app.add_typer(ledger.app, name="ledger")
app.add_typer(letters.app, name="dead-letters")
app.add_typer(secret.app, name="secret")
app.add_typer(pipeline.app, name="pipeline")
app.command("import")(importing.import_)
app.command("backfill")(backfill.backfill)
app.command("simulate")(simulate.simulate)
app.command("demo")(demo.demo)
app.command("schema")(check.schema)
app.command("health")(run.health)
app.command("version")(check.version)


def main() -> None:
    """Run the command line; every error of ours becomes one line and its exit code."""
    try:
        app()
    except CollectorError as error:
        fail(error)
        sys.exit(error.exit_code)
