"""Files of secrets that other users of the machine can read, or write.

A warning and no more: the platform may have put them there, in a way of its own.  Where
it plainly did nothing is said: beneath ``/run``, where containers get their secrets
(``/run/secrets``, mode 0444), and on what is mounted read-only, as Kubernetes mounts its
secret volumes.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from collector.config.access import Access
from collector.config.hosted import Layer
from collector.config.problems import Place, Problem, spell
from collector.config.sealed import leaves
from collector.config.secrets import REFERENCE, Resolver, Unresolved

_PROVIDED = Path("/run")
_WRITABLE = stat.S_IWGRP | stat.S_IWOTH


def exposed_files(layers: Sequence[Layer], environ: Mapping[str, str]) -> list[Problem]:
    """What is to be warned of, once a file, at the first setting that names it.

    Files of encrypted secrets may be read by anybody.
    """
    found: dict[Path, Place] = {}
    for place, path in _named(layers, environ):
        found.setdefault(path, place)
    told = ((path, place, exposure(path)) for path, place in found.items())
    return [_warning(path, place, how) for path, place, how in told if how is not None]


def exposure(path: Path, provided: Path = _PROVIDED) -> str | None:
    """To whom a file is open that should be its owner's alone; None: to nobody."""
    try:
        mode = path.stat().st_mode
        fixed = os.statvfs(path).f_flag & os.ST_RDONLY or path.resolve().is_relative_to(provided)
    except (OSError, ValueError):  # there is no such file, which is told elsewhere
        return None
    if fixed:
        return None
    if mode & _WRITABLE:
        return "can be written by other users of this machine"
    return "can be read by every user of this machine" if mode & stat.S_IROTH else None


def _named(layers: Sequence[Layer], environ: Mapping[str, str]) -> Iterator[tuple[Place, Path]]:
    """The files from which the secrets of all layers come, each with its setting."""
    access = Access(layers, environ)
    for layer in layers:
        resolver = Resolver(layer.folder, environ, access.lookup)
        for leaf in leaves(layer.document.data):
            if leaf.secret and not leaf.secure:
                yield from ((leaf.place, path) for path in _files(leaf.text, resolver, access))


def _files(text: str, resolver: Resolver, access: Access) -> Iterator[Path]:
    with suppress(Unresolved):  # which is told with the settings
        named = resolver.file_of(text)
        kept = [access.file_of(match["secret"] or "") for match in REFERENCE.finditer(text)]
        yield from (each for each in (named, *kept) if each is not None)


def _warning(path: Path, place: Place, how: str) -> Problem:
    return Problem(
        path=spell(place),
        reason=f"its file {path} {how} (mode {stat.S_IMODE(path.stat().st_mode):04o})",
        fix=f"chmod 600 {path}, and let the collector's user own it",
    )
