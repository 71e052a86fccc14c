"""The URLs that settings hold.

Plain ``http://`` and ``ws://`` carry credentials in the clear: they are taken for
this machine itself, elsewhere only with ``globals.allow_plaintext``.  No message
repeats a URL, because a path or query may hold a token.
"""

from typing import Annotated, TypeAlias
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, SecretStr, ValidationInfo

from collector.config.fields import Facts, Secret, address, conceal


def _base_url(text: str, info: ValidationInfo) -> str:
    url = _url(text, ("https", "http"), info)
    if url.path.strip("/") or url.query:
        reason = "has a path or query; only the host is set here"
        raise conceal(reason, "keep scheme and host; the path has its own setting")
    return text.rstrip("/")


def _stream_url(text: str, info: ValidationInfo) -> str:
    if _url(text, ("wss", "ws"), info).query:
        reason = "has a query; cid, type and times are added by the collector"
        raise conceal(reason, "remove everything from the ? on")
    return text


def _socket_uri(text: str, info: ValidationInfo) -> str:
    _url(text, ("wss", "ws"), info)
    return text


def _post_url(url: SecretStr, info: ValidationInfo) -> SecretStr:
    _url(url.get_secret_value(), ("https", "http"), info)
    return url


def _url(text: str, schemes: tuple[str, str], info: ValidationInfo) -> SplitResult:
    """An absolute URL without user and fragment; plaintext only where it is allowed."""
    safe, plain = schemes
    url = split(text)
    if url is None or url.scheme not in schemes or not text.isascii():
        raise conceal(f"is no {safe}:// URL", f"write {safe}://host or {safe}://host:port")
    if "@" in url.netloc or url.fragment:
        reason = "holds a user, a password or a fragment"
        raise conceal(reason, "remove it; secrets have their own settings")
    if url.scheme == plain and _exposed(url.hostname or "", info):
        reason = f"sends secrets in the clear: {plain}:// to another machine"
        raise conceal(reason, f"write {safe}://, or set globals.allow_plaintext: true")
    return url


def split(text: str) -> SplitResult | None:
    """The parts of a URL with a host and, where given, a valid port; else None."""
    try:
        url = urlsplit(text)
        port_in_range = url.port is None or url.port > 0
    except ValueError:
        return None
    return url if port_in_range and url.hostname and text.isprintable() else None


def _exposed(host: str, info: ValidationInfo) -> bool:
    allowed = isinstance(info.context, Facts) and info.context.allow_plaintext
    return not allowed and not loopback(host)


def loopback(host: str) -> bool:
    """Whether a host name or address is this machine's own."""
    known = address(host)
    return host == "localhost" if known is None else known.is_loopback


BaseUrl: TypeAlias = Annotated[str, AfterValidator(_base_url)]
StreamUrl: TypeAlias = Annotated[str, AfterValidator(_stream_url)]
SocketUri: TypeAlias = Annotated[str, AfterValidator(_socket_uri)]
PostUrl: TypeAlias = Annotated[Secret, AfterValidator(_post_url)]
