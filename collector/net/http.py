"""HTTP answers that arrive in time or not at all.

A read time-out counts from byte to byte: a server that sends one byte a minute
holds a caller for days.  Here an answer has one deadline, head and body together.
"""

from __future__ import annotations

import io
import socket
import ssl
import time
from functools import partial
from http.client import HTTPResponse
from typing import Any

from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection


class BoundedAdapter(HTTPAdapter):
    """Connections with this TLS context (None: plain HTTP only) and bounded answers.

    ``seconds`` count from the moment an answer is awaited and are real ones.
    """

    def __init__(self, seconds: float, context: ssl.SSLContext | None) -> None:
        self._context = context
        self._connections = {
            "http": partial(_connection, HTTPConnection, seconds),
            "https": partial(_connection, HTTPSConnection, seconds),
        }
        super().__init__()

    def build_connection_pool_key_attributes(
        self, request: PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Our context in place of the library's own way to TLS; the arguments are ignored."""
        host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {"ssl_context": self._context}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """The context says it all: no authority of the library's is added to it."""
