"""TLS before librdkafka's own broker, which speaks none."""

from __future__ import annotations

import select
import socket
import ssl
import threading
from contextlib import closing, suppress
from types import TracebackType
from typing import Self

_PATIENCE = 10.0
_HOST = "127.0.0.1"


class KafkaDoor:
    """Leads to a broker, and gives its own place wherever the broker gives its own.

    ``host`` is the name to be found under, of as many letters as 127.0.0.1 has.
    ``certificates`` are those of its clients (DER), one a connection, None for none.
    A context manager.
    """

    def __init__(self, context: ssl.SSLContext, broker: str, host: str = _HOST) -> None:
        assert len(host) == len(_HOST)
        self.certificates: list[bytes | None] = []
        self._context = context
        self._broker = int(broker.rpartition(":")[2])
        self._over = threading.Event()
        self._listener = socket.create_server((_HOST, 0))
        self._listener.settimeout(0.02)
        self._threads = [threading.Thread(target=self._accept)]
        port = self._listener.getsockname()[1]
        self.servers = f"{host}:{port}"
        self._theirs = _HOST.encode() + self._broker.to_bytes(4)
        self._ours = host.encode() + port.to_bytes(4)

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while not self._over.is_set():
            with suppress(TimeoutError):
                connection, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(connection,))
                self._threads.append(thread)
                thread.start()

    def _serve(self, plain: socket.socket) -> None:
        plain.settimeout(_PATIENCE)
        with closing(plain), suppress(OSError):
            client = self._context.wrap_socket(plain, server_side=True)
            with client, socket.create_connection((_HOST, self._broker)) as broker:
                self.certificates.append(client.getpeercert(binary_form=True))
                while not self._over.is_set() and self._carried(client, broker):
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
