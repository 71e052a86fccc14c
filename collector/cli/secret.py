"""``collector secret``: the shared keys, and secrets encrypted with them.

No command takes a secret as an argument: everybody on a machine can read arguments.
"""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from collector.app.outcome import PARTIAL
from collector.cli.options import ConfigOption
from collector.cli.screen import err, out, plain
from collector.config import keyfile, rekey
from collector.config.access import Access
from collector.config.ciphertext import MAX_SECRET_BYTES, Key, encrypt, new_key
from collector.config.fields import can_be_secret
from collector.config.hosted import merged
from collector.config.load import find, layers_of
from collector.config.problems import InvalidConfig
from collector.config.secret_paths import is_one_line, remedy_for
from collector.config.secrets import Unresolved, text_of
from collector.errors import ConfigError

PATH = re.compile(r"(inputs|outputs|pipelines)\.[A-Za-z0-9_-]{1,64}(\.[!-~]{1,128}){1,8}")

app = typer.Typer(
    help="Encrypt the secrets of a configuration with a shared key.\n\n"
    "Once: [bold]collector secret keygen --out key[/], and name that file in "
    "globals.secrets.key_file or $COLLECTOR_KEY_FILE. Then, for each secret: "
    "[bold]collector secret encrypt --path inputs.pod.credentials.token[/], put what it prints "
    "in the secret's place, and secure: true beside it. docs/secrets.md tells the rest.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

KeyFileOption = Annotated[
    Path | None,
    typer.Option(
        "--key-file",
        metavar="FILE",
        help="The key file. Default: globals.secrets.key_file, else $COLLECTOR_KEY_FILE.",
        show_default=False,
    ),
]


@app.command()
def keygen(
    to: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write it here, mode 0600, not to the screen."),
    ] = None,
    add: Annotated[
        bool, typer.Option("--add", help="Add it to the file of --out as its newest key.")
    ] = False,
) -> None:
    """Make a shared key.

    Whoever has it can read every secret that is encrypted with it: keep it apart
    from the configuration, and keep a copy. To rotate: keygen --out FILE --add,
    then rekey each configuration, then remove the old line from the file.
    """
    key = new_key()
    if to is None:
        if add:
            raise ConfigError(44, "--add needs a file to add to", "name it with --out FILE")
        print(keyfile.line(key))  # noqa: T201 - exactly this line, for a pipe
        return
    if add:
        keyfile.add(to, key)
    else:
        keyfile.create(to, key)
    err.print(plain(f"The key {key.id} is in {to}."), soft_wrap=True)


@app.command("encrypt")
def encrypt_(
    path: Annotated[
        str,
        typer.Option(
            "--path", metavar="PATH", help="The setting, as inputs.pod.credentials.token."
        ),
    ],
    key_file: KeyFileOption = None,
    config: ConfigOption = None,
) -> None:
    """Encrypt one secret for one setting, and print the ciphertext.

    The secret is asked for without showing it, or read from standard input:
    collector secret encrypt --path inputs.pod.credentials.token < token.
    It works in that setting alone: moved to another one, it is refused.
    """
    written = _written(find(config, os.environ))
    _refuse_unknown(path, written)
    keys = _keys(key_file, config)
    try:
        secret = _secret(one_line=is_one_line(path, written))
        print(encrypt(keys[-1], path, secret))  # noqa: T201 - exactly this line, for a pipe
    except Unresolved as failure:
        raise ConfigError(46, failure.reason, failure.fix) from None
    err.print(plain(f"Put it at {path}, with secure: true beside it."), soft_wrap=True)


@app.command("rekey")
def rekey_(
    config: ConfigOption = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only show what would change; exits 8 if anything.")
    ] = False,
) -> None:
    """Encrypt every ciphertext of a configuration anew, under the newest key.

    The file is replaced in one step; all else in it stays byte for byte.
    Afterwards no ciphertext in it needs an older key.
    """
    path = find(config, os.environ)
    found = rekey.plan(path, os.environ)
    if found.texts and not check:
        rekey.carry_out(path, found)
    for each in found.changed:
        _say(f"{'would be' if check else 'is'} encrypted anew: {each}")
    for each in found.elsewhere:
        _say(f"comes from a reference, encrypt it anew by hand: {each}")
    _say(f"under the newest key already: {len(found.current)}")
    if found.elsewhere or (check and found.changed):
        raise typer.Exit(PARTIAL)


def _refuse_unknown(path: str, written: dict[str, Any]) -> None:
    """Raise ``ConfigError`` for a path at which the ciphertext would be of no use."""
    cause = "--path is no setting that can be encrypted"
    if not PATH.fullmatch(path):
        form = "write it as collector check does, for example inputs.pod.credentials.token"
        raise ConfigError(45, cause, form)
    fix = remedy_for(path, written)
    if fix is not None:
        raise ConfigError(45, cause, fix)


def _written(path: Path) -> dict[str, Any]:
    """The configuration as it stands; nothing while there is none that can be read."""
    written: dict[str, Any] = {}
    with suppress(InvalidConfig):
        for layer in layers_of(path, os.environ):
            written = merged(layer.document.data, written)
    return written


def _say(text: str) -> None:
    out.print(plain(text), soft_wrap=True)


def _keys(key_file: Path | None, config: Path | None) -> tuple[Key, ...]:
    """The keys of the named file, else of the configuration's, else of ``$COLLECTOR_KEY_FILE``.

    The configuration may not be there yet, unless it was asked for.
    """
    try:
        if key_file is not None:
            return keyfile.read(key_file)
        path = find(config, os.environ)
        if config is None and not path.exists() and os.environ.get(keyfile.VARIABLE):
            return keyfile.read(Path(os.environ[keyfile.VARIABLE]))
        return Access(layers_of(path, os.environ), os.environ).keys()
    except Unresolved as failure:
        raise ConfigError(keyfile.UNUSABLE_KEYS, failure.reason, failure.fix) from None


def _secret(*, one_line: bool) -> str:
    """From a hidden prompt, asked twice, or from standard input; raises ``Unresolved``.

    ``one_line``: the setting takes nothing else, so that a slip is told here and now.
    """
    if sys.stdin.isatty():
        secret: str = typer.prompt("Secret", hide_input=True, confirmation_prompt=True)
    else:
        secret = text_of(sys.stdin.buffer.read(MAX_SECRET_BYTES + 2))
    if not secret:
        raise Unresolved("standard input holds no secret", "write it there: ... < FILE")
    if one_line and not can_be_secret(secret):
        raise Unresolved(
            "the setting takes no such secret: several lines, blanks at its ends, or control "
            "characters",
            "give the secret alone, on one line; a private key stays in the file of tls.key",
        )
    return secret
