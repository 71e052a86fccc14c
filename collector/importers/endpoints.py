"""The URL of a log stream, taken apart: what is the endpoint, and what its query says."""

from __future__ import annotations

from urllib.parse import SplitResult, parse_qsl

from collector.config.problems import Place
from collector.config.urls import split
from collector.importers.draft import Draft
from collector.importers.original import Setting
from collector.importers.values import text

HOST = "logstream.proofpoint.com"
PATH = "/v1/stream"
_MAX_FIELDS = 32


def endpoint(draft: Draft, base: Place, found: Setting) -> dict[str, str]:
    """Put a stream's URL in its place, and answer the names and values of its query.

    No query comes along: the collector adds its own, and a token may stand in it.
    """
    url = split(text(found.value) or "")
    if url is None:
        draft.leave(found.place, "is no URL; the endpoint stays the vendor's")
        return {}
    draft.put((*base, "endpoint"), plain(url), found.place, "less its query" if url.query else "")
    tell_user(draft, url, found)
    said = query(url)
    if unread(url) or set(said) - {"cid", "type"}:
        draft.leave(found.place, "what its query has beside cid and type is left out")
    return said


def query(url: SplitResult) -> dict[str, str]:
    """The names and values of a query, each name once."""
    try:
        return dict(parse_qsl(url.query, max_num_fields=_MAX_FIELDS))
    except ValueError:
        return {}


def plain(url: SplitResult) -> str:
    """The URL without what may be secret: user, password, query and fragment."""
    host = url.netloc.rpartition("@")[2]
    return url._replace(netloc=host, query="", fragment="").geturl()


def tell_user(draft: Draft, url: SplitResult, found: Setting) -> None:
    """Tell that a user or password in a URL did not come along."""
    if "@" in url.netloc:
        draft.leave(found.place, "its user and password are left out: see credentials")


def unread(url: SplitResult) -> bool:
    """Whether there is a query, and it has no names and values that can be read."""
    return bool(url.query) and not query(url)


def is_pod(found: Setting) -> bool:
    """Whether a URL is that of a PoD log stream, by its host, path or query."""
    url = split(text(found.value) or "")
    if url is None:
        return False
    return url.hostname == HOST or url.path == PATH or "cid" in query(url)
