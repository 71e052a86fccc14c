"""Who we are to CASB (docs/vendor-notes.md, CASB A2)."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest

from collector.core.auth import Token
from collector.core.model import Request, Response
from collector.core.times import DAY, HOUR, SECOND
from collector.errors import AuthenticationError, VendorUnavailable
from collector.setup.casb import CasbSetup
from tests.fakes.pulls import START, as_json

URL = "https://auth.example.com/v1/auth"


def setup(**changed: Any) -> CasbSetup:
    """The setup of a tenant."""
    secrets = {"api_key": "key", "client_id": "us", "client_secret": "s&cret"}
    return CasbSetup(**{"url": URL, **secrets, **changed})


def answer(body: bytes, status: int = 200) -> Response:
    """An answer to the authentication call."""
    return Response(request=setup().ask(), status=status, body=body)


def granted(**fields: Any) -> Token:
    """The token in an answer of these fields."""
    return setup().grant(answer(as_json({"auth_token": "t", **fields})), START)


def jwt(**claims: Any) -> str:
    """A token that says things about itself."""
    return f"h.{urlsafe_b64encode(as_json(claims)).decode().rstrip('=')}.s"


def test_ask() -> None:
    """One call with a JSON body and the key; no grant type, no scope."""
    assert setup().ask() == Request(
        method="POST",
        url=URL,
        headers={"x-api-key": "key"},
        json={"client_id": "us", "client_secret": "s&cret"},
    )


def test_ask_as_a_form() -> None:
    """The standard form of OAuth is a setting, with fields of its own."""
    ask = setup(
        body_format="form", extra_fields={"grant_type": "client"}, api_key_header="X-Key"
    ).ask()
    assert ask.headers == {
        "X-Key": "key",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    assert ask.body == b"client_id=us&client_secret=s%26cret&grant_type=client"
    assert ask.json is None


def test_sign() -> None:
    """The token goes out raw, without the word Bearer, beside the key."""
    request = Request(method="GET", url=URL, headers={"A": "b"})
    signed = setup().sign(request, Token("t"))
    assert signed.headers == {"A": "b", "Authorization": "t", "x-api-key": "key"}
    assert request.headers == {"A": "b"}
    with_word = setup(header_prefix="Bearer ").sign(request, Token("t"))
    assert with_word.headers["Authorization"] == "Bearer t"


@pytest.mark.parametrize(
    ("fields", "life"),
    [
        ({}, HOUR),
        ({"expires_in": 600}, 600 * SECOND),
        ({"expires_in": "600.5"}, 600 * SECOND + SECOND // 2),
        ({"expires_in": True}, HOUR),
        ({"expires_in": 0}, HOUR),
        ({"expires_in": -1}, HOUR),
        ({"expires_in": 10**9}, HOUR),
        ({"token_type": "bEaReR", "expires_in": 60}, 60 * SECOND),
        ({"token_type": 7}, HOUR),
        ({"expires_in": "soon"}, HOUR),
        ({"expires_in": 10**200}, HOUR),
        ({"expires_in": 10**400}, HOUR),
        ({"expires_in": None, "expires_at": "2026-01-02T00:00:00Z"}, DAY),
        ({"expires_at": START // SECOND + 60}, 60 * SECOND),
        ({"expires_at": float(START // SECOND + 60)}, 60 * SECOND),
        ({"expires_at": (START // SECOND + 60) * 1000}, 60 * SECOND),
        ({"expires_at": "2020-01-01T00:00:00Z"}, HOUR),
        ({"expires_at": "tomorrow"}, HOUR),
        ({"expires_at": 7}, HOUR),
        ({"expires_at": 10**300}, HOUR),
        ({"expires_at": [1]}, HOUR),
        ({"auth_token": jwt(exp=START // SECOND + 90)}, 90 * SECOND),
        ({"auth_token": jwt(exp="never")}, HOUR),
        ({"auth_token": jwt(iat=1)}, HOUR),
        ({"auth_token": "a.b.c"}, HOUR),
        ({"auth_token": "a.WzFd.c"}, HOUR),
        ({"auth_token": "a.!.c"}, HOUR),
    ],
)
def test_expiry(fields: dict[str, Any], life: int) -> None:
    """An expiry is honoured wherever one is found in a usable form, else assumed."""
    assert granted(**fields).expires - START == life


@pytest.mark.parametrize("status", [400, 401, 403])
def test_refused(status: int) -> None:
    """Wrong credentials are for the operator, and no secret is in what he reads."""
    with pytest.raises(AuthenticationError) as refused:
        setup().grant(answer(b'{"message":"no"}', status), START)
    assert "s&cret" not in str(refused.value)


@pytest.mark.parametrize("fields", [{}, {"auth_token": ""}, {"auth_token": 5}, {"token": "t"}])
def test_no_token(fields: dict[str, Any]) -> None:
    """A good answer without a token means that we ask the wrong place."""
    with pytest.raises(AuthenticationError, match="no auth_token"):
        setup().grant(answer(json.dumps(fields).encode()), START)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"\xff", b'{"auth_token":"t"', b"[" * 9999]
)
def test_outage(body: bytes) -> None:
    """A page of HTML with status 200 is an outage, not a wrong password."""
    with pytest.raises(VendorUnavailable):
        setup().grant(answer(body), START)


def test_other_token_field() -> None:
    """The name of the token's field is a setting."""
    token = setup(token_field="access_token").grant(answer(b'{"access_token":"t"}'), START)
    assert token.value == "t"


def test_secrets_are_not_printed() -> None:
    """The text form names the place and nothing else."""
    assert repr(setup()) == f"CasbSetup(url='{URL}', ***)"


@pytest.mark.parametrize("status", [302, 404, 429, 500, 503])
def test_unavailable(status: int) -> None:
    """Any other status says nothing about the credentials."""
    with pytest.raises(VendorUnavailable) as caught:
        setup().grant(answer(b'{"auth_token":"t"}', status), START)
    assert caught.value.number == status
