"""A real rsyslog (Debian packages rsyslog and rsyslog-gnutls) as the receiver."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Self

from tests.fakes.pki import Issued, Pki

# The daemon lies where only root's search path leads.
PROGRAM = shutil.which("rsyslogd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
_START_SECONDS = 20.0

# Processed at once: what rsyslog has read is in the file before it closes a connection.
_CONFIG = """
global(
  workDirectory="{folder}"
  maxMessageSize="{max_message}"
  {tls_global}
)
main_queue(queue.type="direct")
module(load="imtcp" {tls_module})
template(name="record" type="list") {{
  constant(value="{{")
  property(name="rawmsg" format="jsonf" outname="raw")
  constant(value=",")
  property(name="hostname" format="jsonf")
  constant(value=",")
  property(name="app-name" format="jsonf" outname="app")
  constant(value=",")
  property(name="structured-data" format="jsonf" outname="data")
  constant(value=",")
  property(name="msg" format="jsonf")
  constant(value="}}\\n")
}}
ruleset(name="keep") {{ action(type="omfile" file="{folder}/records" template="record") }}
input(
  type="imtcp" address="127.0.0.1" port="{port}" listenPortFileName="{folder}/port"
  ruleset="keep"
)
"""
_TLS_GLOBAL = """
  defaultNetstreamDriverCAFile="{ca}"
  defaultNetstreamDriverCertFile="{cert}"
  defaultNetstreamDriverKeyFile="{key}"
"""
_TLS_MODULE = 'streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon"'


class Message(NamedTuple):
    """A message as rsyslog understood it; ``raw`` is what stood in the frame."""

    raw: bytes
    hostname: bytes
    app: bytes
    data: bytes
    msg: bytes


class Rsyslog:
    """A daemon with its files in a folder of its own, on a port that a restart keeps."""

    def __init__(self, folder: Path, pki: Pki | None = None, max_message: str = "128k") -> None:
        self.port = 0
        self._folder = folder
        self._max_message = max_message
        self._pki = pki
        self._server = pki.issue(issuer=pki.ca) if pki is not None else None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start to listen."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop in order."""
        self._end(signal.SIGTERM)

    def start(self) -> None:
        """Start, and return when it listens."""
        assert PROGRAM is not None
        config = self._folder / "rsyslog.conf"
        config.write_text(self._config(), encoding="utf-8")
        arguments = ["-n", "-f", str(config), "-i", str(self._folder / "pid")]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen([PROGRAM, *arguments], stdout=log, stderr=log)
        deadline = time.monotonic() + _START_SECONDS
        while not self._listening():
            assert self._process.poll() is None, (self._folder / "log").read_text()
            assert time.monotonic() < deadline, "rsyslog does not listen"
            time.sleep(0.02)

    def pause(self) -> None:
        """Read nothing until killed."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        """Die at once, with whatever was not read."""
        self._end(signal.SIGKILL)

    def messages(self) -> list[Message]:
        """All messages so far, in the order of arrival."""
        # Latin-1 gives each byte its own character, so bytes come back as they were.
        lines = (self._folder / "records").read_bytes().decode("latin-1").split("\n")
        return [
            Message(**{name: value.encode("latin-1") for name, value in _fields(line).items()})
            for line in lines
            if line
        ]

    def _listening(self) -> bool:
        """Whether connections are taken; learns the port at the first start."""
        written = self._folder / "port"
        if not self.port:
            self.port = int(written.read_text() or 0) if written.exists() else 0
        # rsyslog writes the file before it listens (``LstnInit`` in its nsd_ptcp.c).
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(_START_SECONDS)
        self._process = None

    def _config(self) -> str:
        return _CONFIG.format(
            folder=self._folder,
            max_message=self._max_message,
            port=self.port,
            tls_global=_tls_global(self._pki, self._server),
            tls_module=_TLS_MODULE if self._server else "",
        )


def _fields(line: str) -> dict[str, str]:
    fields: dict[str, str] = json.loads(line, strict=False)
    return fields


def _tls_global(pki: Pki | None, server: Issued | None) -> str:
    if pki is None or server is None:
        return ""
    return _TLS_GLOBAL.format(ca=pki.ca.cert, cert=server.cert, key=server.key)
