"""What a section has whose secrets may be encrypted, and all secrets of a section."""

from collections.abc import Iterator
from typing import Self

from pydantic import Field, SecretStr, model_validator

from collector.config.fields import Section, refuse


class Secured(Section):
    """A section with secrets; ``secure`` says in which form they stand in the file.

    They are decrypted before the models see them (``collector/config/sealed.py``).
    """

    secure: bool = Field(
        default=False,
        description="Every secret of this section is a ciphertext made by `collector secret "
        "encrypt`, and is decrypted with the shared key of `globals.secrets.key_file`.",
    )

    @model_validator(mode="after")
    def _has_a_secret(self) -> Self:
        if self.secure and not any(secret_values(self)):
            raise refuse("secure is true, but no secret stands here", "remove secure")
        return self


def secrets_of(settings: Section) -> list[str]:
    """The values of all secrets, so that the log can strike them out; for the redactor alone."""
    return [each.get_secret_value() for each in secret_values(settings)]


def secret_values(value: object) -> Iterator[SecretStr]:
    """Every secret in a section, at any depth."""
    if isinstance(value, SecretStr):
        yield value
    elif isinstance(value, Section):
        for name in type(value).model_fields:
            yield from secret_values(getattr(value, name))
    elif isinstance(value, dict):
        for each in value.values():
            yield from secret_values(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from secret_values(each)
