"""What must never be printed, found in text and replaced.

Two nets.  The first knows the secrets themselves, in every spelling in which the
libraries here may show them.  The second knows what secrets look like: header
values, bearer tokens, JSON web tokens, user information and queries of URLs.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections import deque
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

REDACTED = "[redacted]"

MIN_SECRET_LENGTH = 6
"""Characters; a shorter text is no secret, and replacing it would maim every line."""

MAX_LEARNED = 64
"""Secrets learned at run time (granted tokens) that are remembered; older ones have expired."""

SHOWN_QUERY_NAMES = frozenset({"cid", "type", "sinceTime", "toTime", "startTime", "page"})

_PRIVATE_HEADERS = "proxy-authorization|authorization|x-api-key|set-cookie|cookie"
_PRIVATE_FIELDS = "access_token|refresh_token|id_token|token|client_secret|api_key|password"

# A quoted value ends at its quote, or with the text where that was cut; one without
# quotes ends at the end of the line, for a cookie holds blanks and semicolons.
_QUOTED = r"""b?(?:"(?:[^"\\]|\\.)*+\\?"?|'(?:[^'\\]|\\.)*+\\?'?)"""
_HEADER = re.compile(
    rf"""(?is)\b({_PRIVATE_HEADERS})(\\*["']\s*[:=,]\s*|\s*[:=]\s*)({_QUOTED}|[^\r\n]+)"""
)
_FIELD = re.compile(rf"""(?is)(["'](?:{_PRIVATE_FIELDS})["']\s*[:,]\s*){_QUOTED}""")
_BEARER = re.compile(r"(?i)\b(bearer\s+)[\w.~+/=-]{8,}")
_JSON_WEB_TOKEN = re.compile(
    r"(?:(?<![\w-])|(?<=%[0-9a-fA-F]{2}))eyJ[\w-]{5,}(?:\.[\w-]*){1,4}", re.ASCII
)
_USER_INFORMATION = re.compile(r"(?<=://)[^\s/?#]*@")
# What a URL that is a secret may show: it says whom the collector talks to.
_ORIGIN = re.compile(r"https?://[^\s/?#@]+(?=[/?#]|$)")
_QUERY_PAIR = re.compile(r"(?<=[?&;#])([^=&;\s?#]+)=[^&;\s]*")


class Redactor:
    """Replaces secrets in text; safe to use from several threads."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """Know these secrets for good; those shorter than ``MIN_SECRET_LENGTH`` are passed over."""
        self._lasting = frozenset(secrets)
        self._learned: deque[str] = deque(maxlen=MAX_LEARNED)
        self._lock = threading.Lock()
        self._known = _any_of(self._lasting)

    def learn(self, secret: str) -> None:
        """Know one more secret, such as a token that was granted just now."""
        with self._lock:
            if secret not in self._lasting and secret not in self._learned:
                self._learned.append(secret)
                self._known = _any_of({*self._lasting, *self._learned})

    def redact(self, text: str) -> str:
        """The text with everything replaced that is, or looks like, a secret."""
        return redact_patterns(self.redact_known(text))

    def redact_known(self, text: str) -> str:
        """The text with the known secrets replaced, in whatever spelling they appear.

        Of a URL its scheme and host stay.
        """
        return self._known.sub(_hide, text)


def redact_patterns(text: str) -> str:
    """The text with everything replaced that looks like a secret."""
    text = _USER_INFORMATION.sub(f"{REDACTED}@", text)
    text = _QUERY_PAIR.sub(_hide_query_value, text)
    text = _HEADER.sub(rf"\1\2{REDACTED}", text)
    text = _FIELD.sub(rf"\1{REDACTED}", text)
    text = _BEARER.sub(rf"\1{REDACTED}", text)
    return _JSON_WEB_TOKEN.sub(REDACTED, text)


def _hide(secret: re.Match[str]) -> str:
    origin = _ORIGIN.match(secret[0])
    if origin is None:
        return REDACTED
    return secret[0] if secret[0][origin.end() :] in ("", "/") else f"{origin[0]}{REDACTED}"


def _hide_query_value(pair: re.Match[str]) -> str:
    name = pair[1]
    return pair[0] if name in SHOWN_QUERY_NAMES else f"{name}={REDACTED}"


def _any_of(secrets: Iterable[str]) -> re.Pattern[str]:
    """A pattern for all spellings of all secrets, longest first so that none is cut short."""
    spellings = {text for secret in secrets for text in _spellings(secret)}
    longest_first = sorted(spellings, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")


def _spellings(secret: str) -> set[str]:
    if len(secret) < MIN_SECRET_LENGTH:
        return set()
    found = {secret, repr(secret)[1:-1], *_json_spellings(secret), *_without_query(secret)}
    found |= _url_spellings(secret) | _base64_spellings(secret.encode())
    return {text for text in found if len(text) >= MIN_SECRET_LENGTH}


def _without_query(secret: str) -> set[str]:
    """A URL as it shows in messages about it: a token may be in its path, too."""
    return {secret.partition("?")[0]} if _ORIGIN.match(secret) else set()


def _json_spellings(secret: str) -> set[str]:
    return {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}


def _url_spellings(secret: str) -> set[str]:
    upper = {quote(secret), quote(secret, safe=""), quote_plus(secret)}
    lower = {re.sub("%..", lambda octet: octet[0].lower(), text) for text in upper}
    return upper | lower


def _base64_spellings(secret: bytes) -> set[str]:
    """The secret alone, and as it shows inside longer text such as ``user:secret``.

    Where the secret starts within a group of three bytes gives three spellings;
    the characters that depend on its neighbours are left out.
    """
    found = set()
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + secret).decode()
        shared_at_end = (0, 3, 2)[(shift + len(secret)) % 3]
        found.add(encoded[(0, 2, 3)[shift] : len(encoded) - shared_at_end])
    return found | {text.translate(_URL_SAFE) for text in found}


_URL_SAFE = str.maketrans("+/", "-_")
