"""The command line.  One module a command group; each command is thin."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Annotated, Any

import typer

from collector.app.outcome import MEANING, PARTIAL
from collector.cli.help import Command, Group
from collector.cli.leaving import leave, leave_unread
from collector.cli.screen import err, fail
from collector.cli.stdout import Unwritable, watched
from collector.errors import CollectorError

_EXIT_CODES = "\n\n".join(f"{code}  {meaning}" for code, meaning in sorted(MEANING.items()))

# In the order in which help lists them: the module of each, and its function or group there.
_COMMANDS = {
    "run": ("run", "run"),
    "worker": ("worker", "worker"),
    "status": ("status", "status"),
    "check": ("check", "check"),
    "test": ("probe", "probe"),
    "state": ("state", "app"),
    "ledger": ("ledger", "app"),
    "dead-letters": ("letters", "app"),
    "secret": ("secret", "app"),
    "pipeline": ("pipeline", "app"),
    "import": ("importing", "import_"),
    "backfill": ("backfill", "backfill"),
    "simulate": ("simulate", "simulate"),
    "demo": ("demo", "demo"),
    "schema": ("check", "schema"),
    "health": ("health", "health"),
    "version": ("version", "version"),
}
_HIDDEN = {"worker"}


class _Commands(Group):
    """The commands; what a person breaks off ends in a code of ours."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that is asked for."""
        try:
            return super().invoke(ctx)
        except typer.Abort:  # a no, the end of input, or an interruption, before anything is done
            err.print("Nothing was done.")
            raise typer.Exit(PARTIAL) from None
        except KeyboardInterrupt:
            err.print("Interrupted.")
            leave(PARTIAL)


def application(names: Iterable[str] = tuple(_COMMANDS)) -> typer.Typer:
    """The command line with these of its commands."""
    app = typer.Typer(
        name="collector",
        cls=_Commands,
        help="Collects the logs of Proofpoint CASB and Proofpoint on Demand, and delivers each "
        "record once it is safe.\n\nTry it without a Proofpoint licence: [bold]collector demo[/]. "
        "Begin for real: copy config.yaml.example to config.yaml, then [bold]collector check[/] "
        "and [bold]collector run[/].",
        epilog=f"[bold]Exit codes[/]\n\n{_EXIT_CODES}",
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,  # its hook prints local variables, and so secrets
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_itself)
    for name in names:
        module, attribute = _COMMANDS[name]
        command = getattr(import_module(f"collector.cli.{module}"), attribute)
        if isinstance(command, typer.Typer):
            for member in command.registered_commands:
                member.cls = Command
            app.add_typer(command, name=name, cls=Group)
        else:
            app.command(name, cls=Command, hidden=name in _HIDDEN)(command)
    return app


def main() -> None:
    """Run the command line; every error of ours becomes one line and its exit code.

    Standard output that takes no more (a full disk, ``| head -1``) is one of them.
    """
    sys.stdout = watched(sys.stdout)
    try:
        application(_wanted(sys.argv[1:]))()
    except Unwritable as lost:
        leave_unread(lost)
    except CollectorError as error:
        fail(error)
        leave(error.exit_code)
    except KeyboardInterrupt:  # while modules load; once a command runs, it is caught above
        err.print("Interrupted.")
        leave(PARTIAL)
    except SystemExit as ended:
        leave(ended.code if isinstance(ended.code, int) else int(ended.code is not None))


def _wanted(words: Sequence[str]) -> Iterable[str]:
    """The command that is asked for; to load the others takes longer than most commands do."""
    if words and words[0] == "--version":
        return ("version",)
    return words[:1] if words and words[0] in _COMMANDS else _COMMANDS


def _print_version(asked: bool) -> None:  # noqa: FBT001 - typer calls it so
    if asked:
        import_module("collector.cli.version").version()
        raise typer.Exit


def _itself(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_version,
            is_eager=True,
            help="Print the version, as the command of that name does.",
        ),
    ] = False,
) -> None:
    # With it, one command alone is still called by its name.
    pass
