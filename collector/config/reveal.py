"""Every secret in the settings, so that the log can strike them out."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel, SecretStr

from collector.config.models import Settings


def secrets_of(settings: Settings) -> list[str]:
    """The values of all secrets; for the redactor alone."""
    return list(_walk(settings))


def _walk(value: object) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _walk(getattr(value, name))
    elif isinstance(value, dict):
        for each in value.values():
            yield from _walk(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _walk(each)
