"""Every secret in the settings, so that the log can strike them out."""

from __future__ import annotations

from collector.config.models import Settings
from collector.config.secured import secret_values


def secrets_of(settings: Settings) -> list[str]:
    """The values of all secrets; for the redactor alone."""
    return [each.get_secret_value() for each in secret_values(settings)]
