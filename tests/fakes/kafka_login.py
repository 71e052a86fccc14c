"""A broker that takes nobody's password: the protocol up to there, as Kafka's guide has it."""

from __future__ import annotations

import socket
import struct
from contextlib import closing, suppress

from tests.fakes.listener import Listener

_PATIENCE = 10.0
_API_VERSIONS, _SASL_HANDSHAKE, _SASL_AUTHENTICATE = 18, 17, 36
_OFFERED = {0: 7, 3: 5, _SASL_HANDSHAKE: 1, _API_VERSIONS: 0, 22: 1, _SASL_AUTHENTICATE: 0}
_UNSUPPORTED_VERSION = 35
_SASL_AUTHENTICATION_FAILED = 58
_REASON = b"Authentication failed: Invalid username or password"


class KafkaLogin(Listener):
    """Offers these mechanisms, and refuses whatever is shown by them.

    A context manager.
    """

    def __init__(self, *mechanisms: str) -> None:
        super().__init__()
        self._mechanisms = [each.encode() for each in mechanisms]
        self.servers = f"127.0.0.1:{self.port}"

    def serve(self, plain: socket.socket) -> None:
        """Answer one client until it leaves."""
        plain.settimeout(_PATIENCE)
        with closing(plain), suppress(OSError, struct.error), plain.makefile("rb") as asked:
            while not self.over.is_set():
                (size,) = struct.unpack(">i", asked.read(4))
                request = asked.read(size)
                kind, version, number = struct.unpack_from(">hhi", request)
                answer = struct.pack(">i", number) + self._answer(kind, version)
                plain.sendall(struct.pack(">i", len(answer)) + answer)

    def _answer(self, kind: int, version: int) -> bytes:
        if kind == _API_VERSIONS:
            error = _UNSUPPORTED_VERSION if version else 0
            offered = [struct.pack(">hhh", key, 0, top) for key, top in _OFFERED.items()]
            return struct.pack(">hi", error, len(offered)) + b"".join(offered)
        if kind == _SASL_HANDSHAKE:
            names = [_text(each) for each in self._mechanisms]
            return struct.pack(">hi", 0, len(names)) + b"".join(names)
        return struct.pack(">h", _SASL_AUTHENTICATION_FAILED) + _text(_REASON) + bytes(4)


def _text(value: bytes) -> bytes:
    return struct.pack(">h", len(value)) + value
