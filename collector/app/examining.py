"""A configuration looked through as a whole: its settings, and the files that they name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from collector.app.certificates import Findings, look_through_plain
from collector.config.cautions import cautions, cautions_about
from collector.config.exposure import exposed_files
from collector.config.globals import Globals
from collector.config.load import Reading, read
from collector.config.models import Settings
from collector.config.problems import WRONG_FILES, WRONG_SETTINGS, InvalidConfig, Problem
from collector.core.model import Micros


class Examined(NamedTuple):
    """Settings, or why they are refused; ``warnings`` are of what is allowed and yet unwise."""

    outcome: Settings | InvalidConfig
    warnings: tuple[Problem, ...]


def examine(path: Path, environ: Mapping[str, str], now: Micros) -> Examined:
    """Everything that is wrong with a configuration file, and everything to be warned of.

    A refusal has a number of its own when it is only for the files that the settings name.
    """
    try:
        found = read(path, environ, now)
    except InvalidConfig as error:
        return Examined(error, ())
    files = _files(found, now)
    problems = found.located([*found.problems, *files.problems])
    exposed = exposed_files(found.layers, environ)
    told = cautions_about(found.inputs) if found.settings is None else cautions(found.settings)
    warnings = found.located([*told, *exposed, *files.warnings])
    if problems:
        number = WRONG_SETTINGS if found.problems else WRONG_FILES
        return Examined(InvalidConfig(number, problems), warnings)
    return Examined(found.accepted(), warnings)


def accepted(path: Path, environ: Mapping[str, str], now: Micros) -> Settings:
    """The settings of a file; raises ``InvalidConfig`` with what ``examine`` finds, too.

    Settings that are right are taken whatever their files are: those can be mended
    while a collector runs, which watches them.
    """
    found = read(path, environ, now)
    if found.problems:
        files = _files(found, now)
        raise InvalidConfig(WRONG_SETTINGS, found.located([*found.problems, *files.problems]))
    return found.accepted()


def _files(found: Reading, now: Micros) -> Findings:
    """The files that a configuration names, but for those at settings that are wrong."""
    told = {each.path for each in found.problems}
    limits = Globals.model_construct() if found.settings is None else found.settings.globals
    return look_through_plain(found.document, limits, now, told)
