"""Settings of where named secrets come from, and of the key of encrypted ones."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from collector.config.fields import FilePath, Seconds, SecondsOrOff, Section, Text, refuse

NAME_HERE = "{name}"
"""What stands for the secret's name in a command."""


class Vault(Section):
    """Where `$secret{name}` and the key of encrypted settings come from."""

    origin: Literal["files", "keyring", "command"] = Field(
        default="files",
        alias="from",
        description="Where `$secret{name}` is looked up. `files`: one file a secret in `folder`. "
        "`keyring`: the operating system's keyring. `command`: a program that prints it.",
    )
    folder: FilePath = Field(
        default=Path("secrets"),
        description="`files`: the folder; a secret's name is its file's. A relative path starts "
        "at the configuration's folder.",
    )
    service: Text = Field(
        default="collector",
        description="`keyring`: the service under which the secrets are kept; a secret's name is "
        "the user name there.",
    )
    command: Annotated[tuple[Text, ...], Field(strict=False, max_length=64)] = Field(
        default=(),
        description="`command`: program and arguments as a list, run without a shell; `{name}` in "
        "an argument becomes the secret's name. It prints the secret, at most 64 KiB, and exits "
        "with 0. References are not taken here: it inherits the environment.",
    )
    timeout_in_seconds: Seconds = Field(
        default=10.0, description="`command`: seconds after which the program is ended."
    )
    key_file: FilePath | None = Field(
        default=None,
        description="File of the shared keys for sections with `secure: true`, mode 0600. A "
        "relative path starts at the configuration's folder. Default: `$COLLECTOR_KEY_FILE`.",
    )
    reread_in_seconds: SecondsOrOff = Field(
        default=60.0,
        description="Seconds between two looks for secrets that were replaced; 0 is only while "
        "one is refused.",
    )

    @model_validator(mode="after")
    def _command(self) -> Self:
        if self.origin == "command" and not any(NAME_HERE in word for word in self.command[1:]):
            reason = "from: command needs a command with {name} among its arguments"
            raise refuse(reason, 'write command: [program, argument, "{name}"]')
        return self
