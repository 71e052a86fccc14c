"""The files of certificates that a configuration names: whether they are good, and for how long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
from cryptography.x509 import Certificate

from collector.config.globals import Globals
from collector.config.models import Settings
from collector.config.problems import Problem
from collector.config.tls import goes_alone
from collector.config.tls_files import Role, TlsUser, tls_users
from collector.core import times
from collector.core.log import Log
from collector.core.model import Clock, Micros
from collector.core.times import DAY
from collector.net.material import Unusable, authorities, identity, private_key, rooted_authorities

WATCH_SECONDS = 86_400.0
"""Between two looks of a running collector."""

Certificates: TypeAlias = tuple[Certificate, ...]


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
    return look_through_plain(settings.model_dump(), settings.globals, now)


def look_through_plain(
    document: dict[str, Any],
    limits: Globals,
    now: Micros,
    told: AbstractSet[str] = frozenset(),
) -> Findings:
    """Open the files that a document of any shape names, its references replaced.

    ``told``: settings that are known to be wrong; a file that hangs on one of them is
    left alone.
    """
    soon = now + limits.certificate_warning_in_days * DAY
    problems: list[Problem] = []
    warnings: list[Problem] = []
    for user in tls_users(document):
        warnings += _unverified(user)
        certificates, unusable = _opened(user, told)
        problems += unusable
        for role, end in certificates:
            problems += _invalid(user, role, end, now)
            warnings += _ending(user, role, end, now, soon)
    return Findings(tuple(problems), tuple(warnings))


def _opened(
    user: TlsUser, told: AbstractSet[str]
) -> tuple[list[tuple[Role, Certificate]], list[Problem]]:
    """By role the certificate whose end is the end of the file's use, and what is no use."""
    authority, unusable = _authorities(user, told)
    own, wrong = _own(user, told)
    # A bundle is of use while one of its authorities is.
    ends: list[tuple[Role, Certificate]] = [("ca", max(authority, key=_end))] if authority else []
    ends += [("cert", min(own, key=_end))] if own else []
    problems = [_unusable(user, ("ca",), error) for error in unusable]
    return ends, [*problems, *(_unusable(user, ("cert", "key"), error) for error in wrong)]


def _authorities(user: TlsUser, told: AbstractSet[str]) -> tuple[Certificates, list[Unusable]]:
    """The authorities that are believed, and what is wrong with their file."""
    path = _file(user, "ca", told)
    try:
        if path is None:
            return (), []
        return rooted_authorities(path) if user.wants_root else authorities(path), []
    except Unusable as error:
        return (), [error]


def _own(user: TlsUser, told: AbstractSet[str]) -> tuple[Certificates, list[Unusable]]:
    """Our certificates, and what is wrong with them and their key: together, else each alone."""
    cert, key = _file(user, "cert", told), _file(user, "key", told)
    whole = cert is not None and goes_alone(cert)
    separate = None if whole else cert
    if user.spelled("key_password") in told:
        return _alone(separate, None, None)
    if cert is None or (key is None and not whole):
        return _alone(separate, key, user.password())
    try:
        return identity(cert, key, user.password()).certificates, []
    except Unusable as error:
        rest = {separate, key} - {error.path}
        found, others = _alone(
            separate if separate in rest else None, key if key in rest else None, user.password()
        )
        return found, [error, *others]


def _alone(
    certificates: Path | None, key: Path | None, password: str | None
) -> tuple[Certificates, list[Unusable]]:
    """The certificates of a file, and what is wrong with it and with a key's file."""
    found: Certificates = ()
    wrong: list[Unusable] = []
    try:
        found = () if certificates is None else authorities(certificates)
    except Unusable as error:
        wrong.append(error)
    try:
        if key is not None:
            private_key(key, password)
    except Unusable as error:
        wrong.append(error)
    return found, wrong


def _file(user: TlsUser, role: Role, told: AbstractSet[str]) -> Path | None:
    return None if user.spelled(role) in told else user.file(role)


def _unverified(user: TlsUser) -> Iterator[Problem]:
    """What is switched off, by the name of its setting."""
    if user.switched_off("verify_certificate"):
        yield Problem(
            path=f"{user.place}.tls.verify_certificate",
            value="False",
            reason="the other side is not verified: anybody on the way can read and change all",
            fix="set tls.ca to the authority that signed its certificate, and this to true",
        )
    elif user.switched_off("verify_hostname"):
        yield Problem(
            path=f"{user.place}.tls.verify_hostname",
            value="False",
            reason="the owner of any trusted certificate can pass for the other side",
            fix=f"{_name_it(user)}, and set this to true",
        )


def _name_it(user: TlsUser) -> str:
    if user.is_kafka:
        return (
            "use the brokers' names in their certificates in bootstrap_servers, or set "
            "tls.server_name to a name that all of them have"
        )
    return "set tls.server_name to a name in its certificate"


def _unusable(user: TlsUser, roles: Sequence[Role], error: Unusable) -> Problem:
    role = next(role for role in roles if user.file(role) == error.path)
    return Problem(path=user.spelled(role), reason=error.cause, fix=error.remedy)


def _invalid(user: TlsUser, role: Role, certificate: Certificate, now: Micros) -> Iterator[Problem]:
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
    user: TlsUser, role: Role, certificate: Certificate, now: Micros, soon: Micros
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
