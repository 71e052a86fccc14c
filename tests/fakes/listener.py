"""A port on loopback whose connections are served each by a thread of its own."""

from __future__ import annotations

import socket
import threading
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import Self


class Listener(ABC):
    """Listens while the block lasts; ``over`` is set at its end, and then all threads are awaited.

    A context manager.
    """

    def __init__(self) -> None:
        self.over = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(0.02)
        self.port: int = self.listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> Self:
        """Start to listen."""
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop all threads."""
        self.over.set()
        for thread in self._threads:
            thread.join()
        self.listener.close()

    @abstractmethod
    def serve(self, plain: socket.socket) -> None:
        """Serve one connection, and close it."""

    def _accept(self) -> None:
        while not self.over.is_set():
            with suppress(TimeoutError):
                plain, _ = self.listener.accept()
                thread = threading.Thread(target=self.serve, args=(plain,))
                self._threads.append(thread)
                thread.start()
