"""TLS before librdkafka's own broker, which speaks none."""

from __future__ import annotations

import select
import socket
import ssl
from contextlib import closing, suppress

from tests.fakes.listener import Listener

_PATIENCE = 10.0
_HOST = "127.0.0.1"


class KafkaDoor(Listener):
    """Leads to a broker, and gives its own place wherever the broker gives its own.

    ``host`` is the name to be found under, of as many letters as 127.0.0.1 has.
    ``certificates`` are those of its clients (DER), one a connection, None for none;
    ``versions`` those of TLS that were agreed on.
    A context manager.
    """

    def __init__(self, context: ssl.SSLContext, broker: str, host: str = _HOST) -> None:
        assert len(host) == len(_HOST)
        super().__init__()
        self.certificates: list[bytes | None] = []
        self.versions: list[str | None] = []
        self._context = context
        self._broker = int(broker.rpartition(":")[2])
        self.servers = f"{host}:{self.port}"
        self._theirs = _HOST.encode() + self._broker.to_bytes(4)
        self._ours = host.encode() + self.port.to_bytes(4)

    def serve(self, plain: socket.socket) -> None:
        """Carry one client's bytes to the broker, and back."""
        plain.settimeout(_PATIENCE)
        with closing(plain), suppress(OSError):
            client = self._context.wrap_socket(plain, server_side=True)
            with client, socket.create_connection((_HOST, self._broker)) as broker:
                self.certificates.append(client.getpeercert(binary_form=True))
                self.versions.append(client.version())
                while not self.over.is_set() and self._carried(client, broker):
                    pass

    def _carried(self, client: ssl.SSLSocket, broker: socket.socket) -> bool:
        """Carry what there is to the other side; false at an end."""
        ready = select.select([client, broker], [], [], 0.02)[0]
        if client in ready or client.pending():
            asked = client.recv(65_536)
            broker.sendall(asked)
            return bool(asked)
        if broker in ready:
            answered = broker.recv(65_536)
            client.sendall(answered.replace(self._theirs, self._ours))
            return bool(answered)
        return True
