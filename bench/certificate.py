"""A throw-away authority and its certificate for this machine, for all TLS of a run."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import NamedTuple

HOST = "127.0.0.1"


class Certificate(NamedTuple):
    """PEM files: the authority, and a certificate for ``127.0.0.1`` with its key."""

    ca: Path
    cert: Path
    key: Path

    @classmethod
    def issued(cls, folder: Path) -> Certificate:
        """Make an authority and a certificate in the folder."""
        import trustme  # noqa: PLC0415 - only this environment has it, and others read HOST

        files = cls.kept(folder)
        authority = trustme.CA()
        leaf = authority.issue_cert(HOST, "localhost")
        authority.cert_pem.write_to_path(files.ca)
        leaf.cert_chain_pems[0].write_to_path(files.cert)
        files.key.touch(0o600)
        leaf.private_key_pem.write_to_path(files.key)
        return files

    @classmethod
    def kept(cls, folder: Path) -> Certificate:
        """The files as they lie in a folder."""
        return cls(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")

    def server(self) -> ssl.SSLContext:
        """A context to serve with."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.cert, self.key)
        return context

    def client(self) -> ssl.SSLContext:
        """A context that verifies the servers of this run."""
        return ssl.create_default_context(cafile=self.ca)
