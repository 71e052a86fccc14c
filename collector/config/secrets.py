"""References in text values: ``${ENV}``, ``${ENV:-default}``, ``$secret{name}``, ``file:/path``.

``${...}`` and ``$secret{...}`` may stand anywhere in a text; ``$${`` writes a literal
``${`` and ``$$secret{`` a literal ``$secret{``.  A value that starts with ``file:`` is
replaced by that file's text, less one line end; a relative path starts at the folder
of the configuration file.  What a reference brings is taken as it is: never read for
references again, always text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from collector.config.problems import Place, Problem, spell
from collector.errors import own_user

MAX_FILE_BYTES = 64 * 1024
FILE = "file:"

REFERENCE = re.compile(
    r"\$\$(?P<literal>(?:secret)?\{)"
    r"|\$secret\{(?:(?P<secret>[^{}]*)\})?"
    r"|\$\{(?:(?P<body>[^{}]*)\})?"
)
BODY = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<fallback>:-.*)?", re.DOTALL)


class Unresolved(Exception):
    """A reference leads nowhere; carries the reason and the fix."""

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.fix = fix


def no_vault(_name: str) -> str:
    """The vault where there is none."""
    raise Unresolved("names a secret where none can be looked up", "write a path or ${NAME}")


class Resolver:
    """Replaces the references of one document, noting where they stood and what failed.

    ``vault`` answers the name of a secret with its text, or raises ``Unresolved``.
    """

    def __init__(
        self, base: Path, environ: Mapping[str, str], vault: Callable[[str], str] = no_vault
    ) -> None:
        self.base = base
        self.environ = environ
        self.vault = vault
        self.places: set[Place] = set()
        self.problems: list[Problem] = []

    def resolve(self, value: Any, place: Place = ()) -> Any:
        """The same value with its references replaced; a missing value is a problem."""
        if isinstance(value, dict):
            return {key: self.resolve(child, (*place, key)) for key, child in value.items()}
        if isinstance(value, list):
            return [self.resolve(child, (*place, i)) for i, child in enumerate(value)]
        if value is None and place:
            self._note(place, "has no value", "write one, {} for all defaults, or remove the line")
        return self._text(value, place) if isinstance(value, str) else value

    def file_of(self, text: str) -> Path | None:
        """The file that stands for a text, if one does; raises ``Unresolved``."""
        if not text.startswith(FILE):
            return None
        return self.base / REFERENCE.sub(self._reference, text).removeprefix(FILE)

    def _text(self, text: str, place: Place) -> str:
        try:
            found = self._lookup(text)
        except Unresolved as failure:
            self._note(place, failure.reason, failure.fix)
            return text
        if found != text:
            self.places.add(place)
        return found

    def _lookup(self, text: str) -> str:
        path = self.file_of(text)
        if path is None:
            return REFERENCE.sub(self._reference, text)
        return file_text(path, text.removeprefix(FILE))

    def _reference(self, match: re.Match[str]) -> str:
        if match["literal"]:
            return f"${match['literal']}"
        if match.group().startswith("$secret"):
            return self.vault(match["secret"] or "")
        return self._variable(match["body"] or "")

    def _variable(self, text: str) -> str:
        body = BODY.fullmatch(text)
        if body is None:
            reason = "holds ${ without a variable's name and a closing }"
            raise Unresolved(reason, "write ${NAME}, or $${ for a literal ${")
        fallback = body["fallback"]
        if fallback is not None:
            return self.environ.get(body["name"]) or fallback.removeprefix(":-")
        if body["name"] not in self.environ:
            reason = f"the environment variable {body['name']} is not set"
            raise Unresolved(reason, f"set it, or give a default: ${{{body['name']}:-...}}")
        return self.environ[body["name"]]

    def _note(self, place: Place, reason: str, fix: str) -> None:
        self.problems.append(Problem(path=spell(place), reason=reason, fix=fix))


def file_text(path: Path, written: str) -> str:
    """The text of a file, named in errors as it was written; raises ``Unresolved``."""
    fix = "check the path after file: (a relative one starts at the configuration's folder)"
    try:
        if not path.is_file():
            raise Unresolved(f"there is no file {written!r}", fix)
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        reason = f"the file {written!r} cannot be read: {error.strerror}"
        if isinstance(error, PermissionError):
            fix = f"let {own_user()}, read it (chown or chmod)"
        raise Unresolved(reason, fix) from None
    except ValueError:
        raise Unresolved("no file can have the name that is written here", fix) from None
    if len(raw) > MAX_FILE_BYTES:
        raise Unresolved("the file is larger than 64 KiB", "keep only the secret in it")
    return text_of(raw)


def text_of(raw: bytes) -> str:
    """A secret's bytes as text, less one line end; raises ``Unresolved``."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Unresolved("it is not UTF-8 text", "keep only the secret in it") from None
    return text.removesuffix("\n").removesuffix("\r")
