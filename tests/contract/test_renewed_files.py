"""Certificate files that are replaced while the collector runs (row 29): Devo and syslog.

For HTTP see ``test_tls_lab.py``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.errors import Undelivered
from collector.senders.devo import DevoSender
from collector.senders.syslog import SyslogSender
from collector.senders.tls import ClientTls, LastingContext
from tests.fakes.batches import FIRST, batch_of, numbered
from tests.fakes.clock import ManualClock
from tests.fakes.destinations import LOG, Authority
from tests.fakes.receivers import StreamReceiver


def sender(kind: str, port: int, ca: Path, cert: Path, key: Path) -> DevoSender | SyslogSender:
    """A sender with a client certificate."""
    clock = ManualClock(FIRST)
    if kind == "devo":
        return DevoSender(
            address="127.0.0.1", port=port, chain=ca, cert=cert, key=key, clock=clock, log=LOG
        )
    return SyslogSender(
        address="127.0.0.1", port=port, ca=ca, cert=cert, key=key, clock=clock, log=LOG
    )


@pytest.mark.parametrize("kind", ["devo", "syslog"])
def test_renewed_files_are_used_by_the_next_connection(tmp_path: Path, kind: str) -> None:
    """A new authority at the receiver: refused until our files are renewed, then taken."""
    for name in ("former", "new"):
        (tmp_path / name).mkdir()
    former, new = Authority(tmp_path / "former"), Authority(tmp_path / "new")
    mine = (former.ca, *former.client())
    batch = batch_of(numbered(1, 5))
    with StreamReceiver(new.server(client_certificates=True)) as receiver:
        made = sender(kind, receiver.port, *mine)
        for _ in range(2):
            with pytest.raises(Undelivered):
                made.send(batch)
            made.rewind(None)
        for old, renewed in zip(mine, (new.ca, *new.client()), strict=True):
            old.write_bytes(renewed.read_bytes())
        made.send(batch)
        made.flush()
        made.close()
        assert all(line in receiver.received for line in batch.lines())


def test_a_context_lasts_until_a_file_changes(tmp_path: Path) -> None:
    """It is made anew after a file was written, replaced by another one, or lay elsewhere."""
    for name in ("former", "new"):
        (tmp_path / name).mkdir()
    former, new = Authority(tmp_path / "former").ca, Authority(tmp_path / "new").ca
    ca = tmp_path / "ca.pem"
    ca.symlink_to(former)
    context = LastingContext(ClientTls(ca=ca))
    first = context()
    assert context() is first
    former.write_bytes(former.read_bytes() + b"\n")
    written = context()
    assert written is not first
    (tmp_path / "other").symlink_to(new)
    (tmp_path / "other").rename(ca)
    linked = context()
    assert linked is not written
    assert linked.get_ca_certs() != first.get_ca_certs()
    assert context() is linked


def test_a_context_does_not_outlast_its_files(tmp_path: Path) -> None:
    """Files that are gone fail the next connection, by name, and not the one after a restart."""
    ca = Authority(tmp_path).ca
    context = LastingContext(ClientTls(ca=ca))
    context()
    kept = ca.read_bytes()
    ca.unlink()
    with pytest.raises(Undelivered, match=ca.name):
        context()
    ca.write_bytes(kept)
    assert context().get_ca_certs()
