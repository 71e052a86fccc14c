"""Canaries: invented secrets in every place where a library may show one."""

from __future__ import annotations

import base64
import json
import re
from urllib.parse import quote, quote_plus, urlencode

import pytest
import requests
from aiohttp import ClientResponseError, RequestInfo
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from collector.redaction import MAX_LEARNED, REDACTED, Redactor, redact_patterns

CANARY = 'kan"är\\ie/7+x&y=%z\t!'
PLAIN = "kanarie-4711-abcdef"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJrYW5hcmllIn0.c2lnbmF0dXJl-_x"


def basic(user: str, password: str) -> str:
    """What HTTP basic authentication makes of a password."""
    return base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    "spelling",
    [
        CANARY,
        repr(CANARY)[1:-1],
        json.dumps(CANARY)[1:-1],
        json.dumps(CANARY, ensure_ascii=False)[1:-1],
        quote(CANARY),
        quote(CANARY, safe=""),
        quote(CANARY, safe="").lower(),
        quote_plus(CANARY),
        base64.b64encode(CANARY.encode()).decode(),
        base64.urlsafe_b64encode(CANARY.encode()).decode(),
    ],
)
def test_known_secret_is_found_in_every_spelling(spelling: str) -> None:
    """The spelling is gone, but for the padding of base64; what stands around it is left."""
    redacted = Redactor([CANARY]).redact_known(f"before {spelling} after")
    assert re.fullmatch(rf"before {re.escape(REDACTED)}.{{0,4}} after", redacted)


@pytest.mark.parametrize("user", ["", "a", "ab", "abc", "4711"])
def test_known_secret_is_found_within_longer_base64(user: str) -> None:
    """Only the characters that the secret shares with its neighbours may be left."""
    redacted = Redactor([PLAIN]).redact_known(f"x {basic(user, PLAIN)} y")
    assert REDACTED in redacted
    assert len(redacted) <= len(f"x {basic(user, '')}{REDACTED} y") + 6


def test_longest_secret_first() -> None:
    """A secret that begins with another one is replaced as a whole."""
    assert Redactor(["secret", "secret-and-more"]).redact("secret-and-more") == REDACTED


def test_short_texts_are_no_secrets() -> None:
    """Replacing a word such as a customer's id everywhere would maim the log."""
    assert Redactor(["us", "", "12345"]).redact("us 12345 us") == "us 12345 us"


def test_learned_secret_is_found() -> None:
    """A token granted at run time counts from then on."""
    redactor = Redactor(["configured-secret"])
    assert redactor.redact(PLAIN) == PLAIN
    redactor.learn(PLAIN)
    assert redactor.redact(f"{PLAIN} configured-secret") == f"{REDACTED} {REDACTED}"


def test_learned_secrets_are_bounded() -> None:
    """Tokens that were replaced long ago are forgotten; the configured secrets never."""
    redactor = Redactor(["configured-secret"])
    for number in range(MAX_LEARNED + 1):
        redactor.learn(f"granted-{number:04}")
    assert redactor.redact("granted-0000") == "granted-0000"
    assert redactor.redact("granted-0001") == REDACTED
    assert redactor.redact("configured-secret") == REDACTED


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"Authorization: Basic {basic('u', PLAIN)}", f"Authorization: {REDACTED}"),
        (f"x-api-key={PLAIN}", f"x-api-key={REDACTED}"),
        (f"X-API-Key : {PLAIN}\nHost: h", f"X-API-Key : {REDACTED}\nHost: h"),
        (f"Cookie: a={PLAIN}; b={PLAIN}", f"Cookie: {REDACTED}"),
        (f"Set-Cookie: a={PLAIN}; Path=/", f"Set-Cookie: {REDACTED}"),
        (f"{{'x-api-key': '{PLAIN}', 'a': '1'}}", f"{{'x-api-key': {REDACTED}, 'a': '1'}}"),
        (f'{{"Proxy-Authorization":"{PLAIN}"}}', f'{{"Proxy-Authorization":{REDACTED}}}'),
        (f"[('cookie', 'k={PLAIN}'), ('a', '1')]", f"[('cookie', {REDACTED}), ('a', '1')]"),
        (f"b'cookie': b'{PLAIN}', 1", f"b'cookie': {REDACTED}, 1"),
        (f'"x-api-key": "{PLAIN}\\"{PLAIN}", 1', f'"x-api-key": {REDACTED}, 1'),
        (f'"x-api-key": "{PLAIN}', f'"x-api-key": {REDACTED}'),
        (f'"x-api-key": "{PLAIN}\\', f'"x-api-key": {REDACTED}'),
        (f'"access_token": "{PLAIN}", "n": 1', f'"access_token": {REDACTED}, "n": 1'),
        (f"{{'client_secret': '{PLAIN}", f"{{'client_secret': {REDACTED}"),
        (f"> Bearer {PLAIN} <", f"> Bearer {REDACTED} <"),
        (f"token {TOKEN}, next", f"token {REDACTED}, next"),
        (f"a%3D{TOKEN}", f"a%3D{REDACTED}"),
        (f"https://u:{PLAIN}@example.com/p", f"https://{REDACTED}@example.com/p"),
        (f"wss://{PLAIN}@example.com:443/v1", f"wss://{REDACTED}@example.com:443/v1"),
        (f"GET /v1?token={PLAIN}&page=2 HTTP/1.1", f"GET /v1?token={REDACTED}&page=2 HTTP/1.1"),
        (f"https://example.com/#k={PLAIN}", f"https://example.com/#k={REDACTED}"),
        (f"/v1?cid=acme;k={PLAIN}", f"/v1?cid=acme;k={REDACTED}"),
    ],
)
def test_what_looks_like_a_secret_is_replaced(text: str, expected: str) -> None:
    """Secrets that nobody told us are found by where they stand."""
    assert redact_patterns(text) == expected


def test_harmless_query_values_stay() -> None:
    """The parameters that explain a request are worth reading."""
    query = urlencode(
        {
            "cid": "acme_hosted",
            "type": "message",
            "sinceTime": "2026-01-01T00:00:00Z",
            "toTime": "2026-01-01T01:00:00Z",
            "startTime": "2026-01-01T00:00",
            "page": "3",
        }
    )
    assert redact_patterns(f"wss://example.com/v1/stream?{query}") == (
        f"wss://example.com/v1/stream?{query}"
    )


@pytest.mark.parametrize(
    "line",
    [
        "Statistics for this pull cycle (@devo_pulling_id=1673878580026):Number of requests",
        "Data retrieved from the persistence: {'last_ids': [], '@persistence_version': 1}",
        "ProofpointCasbPullerSetup(acme,proofpoint_casb#casb,alerts#predefined)",
        "is the token of input pod in use elsewhere? stop the other client",
        "the authorization was refused (403)",
    ],
)
def test_ordinary_lines_stay_word_for_word(line: str) -> None:
    """Operators parse these."""
    assert redact_patterns(line) == line


def test_text_of_a_requests_error() -> None:
    """``raise_for_status`` puts the whole URL into its message."""
    answer = requests.Response()
    answer.status_code = 403
    answer.url = f"https://example.com/v1?key={PLAIN}&type=message"
    with pytest.raises(requests.HTTPError) as refused:
        answer.raise_for_status()
    assert PLAIN in str(refused.value)
    redacted = redact_patterns(str(refused.value))
    assert PLAIN not in redacted
    assert "type=message" in redacted


def test_repr_of_an_aiohttp_error() -> None:
    """It shows the request's headers."""
    headers = CIMultiDictProxy(CIMultiDict({"x-api-key": PLAIN, "Authorization": PLAIN}))
    url = URL(f"wss://example.com/v1?token={PLAIN}")
    error = ClientResponseError(RequestInfo(url, "GET", headers, url), (), status=401)
    assert PLAIN in repr(error)
    assert PLAIN not in redact_patterns(repr(error))


@pytest.mark.parametrize("unit", ["eyJ", "://", "?a", '"x-api-key":"', "cookie ", "bearer ", "\\"])
def test_hostile_text_takes_linear_time(unit: str) -> None:
    """A megabyte of half a pattern ends; the time limit of the suite would not be met else."""
    assert redact_patterns(unit * (1_000_000 // len(unit)))


@pytest.mark.parametrize("end", ["", "/"])
def test_a_bare_address_is_no_secret(end: str) -> None:
    """A secret URL of a host alone: the log says whom the collector talks to."""
    url = f"https://example.com:8443{end}"
    assert Redactor([url]).redact(f"{url}: cannot be reached") == f"{url}: cannot be reached"


def test_of_a_secret_url_the_host_stays() -> None:
    """Path and query are hidden, whether or not the query is shown with them."""
    redactor = Redactor([f"https://example.com/in/{PLAIN}?code=4711"])
    hidden = f"https://example.com{REDACTED}"
    assert redactor.redact(f"https://example.com/in/{PLAIN}?code=4711: 403") == f"{hidden}: 403"
    assert redactor.redact(f"https://example.com/in/{PLAIN}: 403") == f"{hidden}: 403"


def test_a_secret_url_with_a_password_shows_nothing() -> None:
    """What stands before the host could be taken for it."""
    url = f"https://acme:{PLAIN}@example.com"
    assert PLAIN not in Redactor([url]).redact(f"{url} is no good")
    assert PLAIN not in Redactor([url]).redact_known(f"{url} is no good")
