"""The files of certificates that a configuration names: whether they are good, and for how long."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import msgspec
from cryptography.x509 import Certificate

from collector.app.tls import revealed
from collector.config.destinations_kafka import KafkaConfig
from collector.config.destinations_s3 import S3Config
from collector.config.models import Settings
from collector.config.problems import InvalidConfig, Problem
from collector.config.tls import SpeaksTls, Tls
from collector.core import times
from collector.core.model import Clock, Micros
from collector.core.times import DAY
from collector.net.material import Unusable, authorities, identity
from collector.pullers.journal import Log

WATCH_SECONDS = 86_400.0
"""Between two looks of a running collector."""

Role: TypeAlias = Literal["ca", "cert", "key"]
_OPENED: tuple[Role, ...] = ("ca", "cert")
"""A key is opened with its certificate."""


class Findings(msgspec.Struct, frozen=True):
    """``problems`` keep connections from coming about, ``warnings`` do not, or not yet."""

    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


class CertificateWatch:
    """Tells the log what is wrong with the files, or soon will be."""

    def __init__(self, settings: Settings, clock: Clock, log: Log) -> None:
        self._settings = settings
        self._clock = clock
        self._log = log

    def look(self) -> None:
        """Open every file, and say what is found."""
        found = look_through(self._settings, self._clock.now())
        for problem in found.problems:
            self._log.error("%s", problem)
        for warning in found.warnings:
            self._log.warning("%s", warning)


def look_through(settings: Settings, now: Micros) -> Findings:
    """Open every file of certificates and keys that is named, and judge it at ``now`` (UTC)."""
    soon = now + settings.globals.certificate_warning_in_days * DAY
    problems: list[Problem] = []
    warnings: list[Problem] = []
    for user in _users(settings):
        warnings += _unverified(user)
        for role in _OPENED:
            try:
                certificate = _first_to_end(user, role)
            except Unusable as error:
                problems.append(_unusable(user, role, error))
                continue
            if certificate is not None:
                problems += _invalid(user, role, certificate, now)
                warnings += _ending(user, role, certificate, now, soon)
    return Findings(tuple(problems), tuple(warnings))


def file_warnings(settings: Settings, now: Micros) -> tuple[Problem, ...]:
    """The warnings about the files; raises ``InvalidConfig`` (4) when there are problems."""
    found = look_through(settings, now)
    if found.problems:
        raise InvalidConfig(4, found.problems)
    return found.warnings


class _User(NamedTuple):
    """An input or output with its settings of TLS; ``place``: the section that holds them."""

    place: str
    section: object
    tls: Tls

    def spelled(self, role: Role) -> str:
        """The setting that names a file: the short form, unless ``tls`` has it."""
        if isinstance(self.section, SpeaksTls) and getattr(self.section.tls, role) is not None:
            return f"{self.place}.tls.{role}"
        short = "chain" if role == "ca" and hasattr(self.section, "chain") else role
        return f"{self.place}.{short}"

    def file(self, role: Role) -> Path | None:
        """The file that the setting names."""
        found: Path | None = getattr(self.tls, role)
        return found


def _users(settings: Settings) -> Iterator[_User]:
    """Every enabled input, and every output that speaks TLS."""
    for name, chosen in settings.inputs.items():
        if chosen.enabled:
            yield _User(f"inputs.{name}", chosen, chosen.whole_tls())
    for name, output in settings.outputs.items():
        tls = _tls_of(output.config)
        if tls is not None:
            yield _User(f"outputs.{name}.config", output.config, tls)


def _tls_of(config: object) -> Tls | None:
    """The settings of TLS of a destination; Kafka and S3 name files to their own libraries."""
    match config:
        case SpeaksTls():
            return config.whole_tls()
        case KafkaConfig(ca=ca, cert=cert, key=key, key_password=password):
            files = {"ca": ca, "cert": cert, "key": key, "key_password": password}
            return Tls().model_copy(update=files)
        case S3Config(ca=ca):
            return Tls(ca=ca)
    return None


def _unverified(user: _User) -> Iterator[Problem]:
    """What is switched off, by the name of its setting."""
    if not user.tls.verify_certificate:
        yield Problem(
            path=f"{user.place}.tls.verify_certificate",
            value="False",
            reason="the other side is not verified: anybody on the way can read and change all",
            fix="set tls.ca to the authority that signed its certificate, and this to true",
        )
    elif not user.tls.verify_hostname:
        yield Problem(
            path=f"{user.place}.tls.verify_hostname",
            value="False",
            reason="the owner of any trusted certificate can pass for the other side",
            fix="set tls.server_name to a name in its certificate, and this to true",
        )


def _first_to_end(user: _User, role: Role) -> Certificate | None:
    """The certificate whose end is the end of the file's use; raises ``Unusable``."""
    path = user.file(role)
    if path is None:
        return None
    if role == "ca":
        # A bundle is of use while one of its authorities is.
        return max(authorities(path), key=_end)
    own = identity(path, user.file("key"), revealed(user.tls.key_password))
    return min(own.certificates, key=_end)


def _unusable(user: _User, role: Role, error: Unusable) -> Problem:
    if error.path != user.file(role):
        role = "key"
    return Problem(path=user.spelled(role), reason=error.cause, fix=error.remedy)


def _invalid(user: _User, role: Role, certificate: Certificate, now: Micros) -> Iterator[Problem]:
    """A certificate whose time is over, or has not come."""
    start, end = times.from_datetime(certificate.not_valid_before_utc), _end(certificate)
    if not start <= now < end:
        what = f"expired on {_day(end)}" if now >= end else f"is not valid before {_day(start)}"
        yield Problem(
            path=user.spelled(role),
            reason=f"a certificate in {user.file(role)} {what}",
            fix="put a valid one in its place; check this machine's clock",
        )


def _ending(
    user: _User, role: Role, certificate: Certificate, now: Micros, soon: Micros
) -> Iterator[Problem]:
    """A certificate whose time is nearly over."""
    end = _end(certificate)
    if now < end <= soon:
        left = f"in {(end - now) // DAY} days, on {_day(end)}"
        yield Problem(
            path=user.spelled(role),
            reason=f"a certificate in {user.file(role)} expires {left}",
            fix="have it renewed and put in place; an input reads its files at the start",
        )


def _end(certificate: Certificate) -> Micros:
    return times.from_datetime(certificate.not_valid_after_utc)


def _day(moment: Micros) -> str:
    return times.isoformat(moment)[:10]
