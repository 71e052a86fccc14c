"""S3: which objects there are after resends, how they are put, and what each failure is called."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from collector.core import times
from collector.core.model import NO_TIME, SpooledBatch
from collector.errors import Undelivered
from collector.senders.base import Hold
from collector.senders.error_numbers import (
    NETWORK_FAILED,
    REFUSED,
    S3_BUCKET,
    S3_BUSY,
    S3_CHANGED,
    S3_DENIED,
    S3_FAILED,
    TLS_FILES,
    UNTRUSTED,
)
from collector.senders.parquet import parquet
from collector.senders.s3 import S3Sender
from collector.senders.s3_failures import raising
from collector.senders.s3_objects import Form, Partition, ndjson
from collector.senders.s3_settings import S3Settings
from collector.senders.s3_store import S3Store
from collector.senders.tls import ClientTls
from tests.fakes.batches import batch_of, numbered
from tests.fakes.connect_proxy import ConnectProxy
from tests.fakes.destinations import Authority
from tests.fakes.raw_server import RawServer, answer
from tests.fakes.receivers import StreamReceiver
from tests.fakes.s3_service import CREDENTIALS, Bucket, behind_tls, bucket, settings, table

HOURS = ("2026-01-01T10:59:59Z", "2026-01-01T11:00:00Z", "2026-01-02T00:30:00Z")


@pytest.fixture
def records() -> Bucket:
    """An empty bucket."""
    return bucket()


def sender_of(
    settings: S3Settings,
    *,
    form: Form | None = None,
    prefix: str = "logs/proofpoint",
    partition: Partition = "hour",
) -> S3Sender:
    """A sender that has been wound back, as the delivery loop does at its start."""
    made = S3Sender(
        settings,
        prefix=prefix,
        partition=partition,
        form=form or ndjson("none"),
        hold=Hold(seconds=300.0),
    )
    made.rewind(None)
    return made


def timed_batch(number: int, *instants: str, tag: str = "mail") -> SpooledBatch:
    """A batch of one record for each of these event times."""
    lines = [
        b'{"n":%d,"@collector":{"event_id":"%d-%d","event_time":"%b"}}'
        % (n, number, n, instant.encode())
        for n, instant in enumerate(instants)
    ]
    return batch_of(lines, number, tag)


def test_objects_by_tag_and_hour(records: Bucket) -> None:
    """One flush makes one object a tag and hour, of all batches, named after the first."""
    batches = [
        timed_batch(1, *HOURS),
        timed_batch(2, HOURS[1], HOURS[0]),
        timed_batch(3, HOURS[1], tag="audit"),
    ]
    sender = sender_of(records.settings, form=ndjson("gzip"))
    for batch in batches:
        sender.send(batch)
    assert records.names() == []
    sender.flush()
    sender.close()
    first, second, third = (batch.lines() for batch in batches)
    assert {name: records.lines(name) for name in records.names()} == {
        "logs/proofpoint/mail/dt=2026-01-01/hour=10/uid-1.ndjson.gz": [first[0], second[1]],
        "logs/proofpoint/mail/dt=2026-01-01/hour=11/uid-1.ndjson.gz": [first[1], second[0]],
        "logs/proofpoint/mail/dt=2026-01-02/hour=00/uid-1.ndjson.gz": [first[2]],
        "logs/proofpoint/audit/dt=2026-01-01/hour=11/uid-3.ndjson.gz": third,
    }


def test_objects_by_day_without_prefix(records: Bucket) -> None:
    """The hour and the prefix can be left out."""
    sender = sender_of(records.settings, form=ndjson("zstd"), prefix="", partition="day")
    sender.send(timed_batch(1, *HOURS))
    sender.flush()
    sender.close()
    assert records.names() == [
        "mail/dt=2026-01-01/uid-1.ndjson.zst",
        "mail/dt=2026-01-02/uid-1.ndjson.zst",
    ]
    assert len(records.all_lines()) == 3


def test_records_without_a_time(records: Bucket) -> None:
    """Where neither the record nor its batch has a time, the folder says so."""
    sender = sender_of(records.settings, prefix="")
    sender.send(batch_of([b"{}"], 1, "mail", NO_TIME))
    sender.flush()
    sender.close()
    null = "__HIVE_DEFAULT_PARTITION__"
    assert records.names() == [f"mail/dt={null}/hour={null}/uid-1.ndjson"]


def test_resend_in_other_groups(records: Bucket) -> None:
    """A crash amid the writes, then other groups: each record is in the bucket once."""
    batches = [timed_batch(n, *HOURS[n % 3 :]) for n in range(1, 7)]
    crashed = sender_of(records.settings)
    for batch in batches[:5]:
        crashed.send(batch)
    records.fault.refuse = _after(records, 2)
    with pytest.raises(Undelivered):
        crashed.flush()
    crashed.close()
    records.fault.refuse = lambda _: None
    assert len(records.names()) == 2
    sender = sender_of(records.settings)
    for group in (batches[:2], batches[2:3], batches[3:]):
        for batch in group:
            sender.send(batch)
        sender.flush()
    sender.close()
    expected = sorted(line for batch in batches for line in batch.lines())
    assert sorted(records.all_lines()) == expected


def test_nothing_is_held_after_a_rewind(records: Bucket) -> None:
    """What was held when a flush failed is not written besides what is sent again."""
    sender = sender_of(records.settings)
    sender.send(timed_batch(1, HOURS[0]))
    sender.rewind(None)
    sender.send(timed_batch(1, HOURS[0]))
    sender.flush()
    sender.close()
    assert len(records.all_lines()) == 1


def test_late_request_changes_nothing(records: Bucket) -> None:
    """A write that finds the object changed since it looked gives way, and is told."""
    store = S3Store(records.settings)
    store.put("a", b"earlier", "text/plain")
    first = records.fault.writes

    def meddle(count: int) -> None:
        if count == first + 1:  # between our look and our write
            records.client.put_object(Bucket=records.name, Key="a", Body=b"later")

    records.fault.refuse = meddle
    with pytest.raises(Undelivered) as failure:
        store.put("a", b"ours", "text/plain")
    assert failure.value.number == S3_CHANGED
    assert records.body("a") == b"later"
    store.put("a", b"ours", "text/plain")
    store.close()
    assert records.body("a") == b"ours"


def test_unconditional_writes(records: Bucket) -> None:
    """A service without conditions gets one plain request an object."""
    store = S3Store(msgspec.structs.replace(records.settings, conditional=False))
    first = records.fault.writes
    store.put("a", b"1", "text/plain")
    store.put("a", b"2", "text/plain")
    store.close()
    assert records.fault.writes == first + 2
    assert records.body("a") == b"2"


def test_encryption_and_storage_class(records: Bucket) -> None:
    """They are said of every object."""
    store = S3Store(
        msgspec.structs.replace(
            records.settings,
            encryption="aws:kms",
            kms_key_id="alias/logs",
            storage_class="STANDARD_IA",
        )
    )
    store.put("a", b"1", "application/x-ndjson")
    store.close()
    head = records.client.head_object(Bucket=records.name, Key="a")
    assert head["ServerSideEncryption"] == "aws:kms"
    assert head["SSEKMSKeyId"] == "alias/logs"
    assert head["StorageClass"] == "STANDARD_IA"
    assert head["ContentType"] == "application/x-ndjson"


def test_parquet(records: Bucket) -> None:
    """A table with the record as text, and the columns to filter by."""
    batch = timed_batch(4, *HOURS[:2])
    sender = sender_of(records.settings, form=parquet("zstd"), partition="day")
    sender.send(batch)
    sender.flush()
    sender.close()
    (name,) = records.names()
    assert name.endswith("/uid-4.parquet")
    found = table(records.body(name)).to_pylist()
    assert [row["record"].encode() for row in found] == batch.lines()
    assert len({row.pop("record_id") for row in found}) == 2
    del found[0]["record"]
    assert found[0] == {
        "event_id": "4-0",
        "event_time": times.to_datetime(times.parse(HOURS[0])),
        "tag": "mail",
        "source": "casb.alerts",
        "mode": "live",
        "batch": "uid-4",
        "position": 0,
    }


def test_parquet_is_the_same_at_every_try(records: Bucket) -> None:
    """The same batches give the same bytes."""
    bodies = []
    for _ in range(2):
        sender = sender_of(records.settings, form=parquet("gzip"))
        sender.send(timed_batch(1, HOURS[0], HOURS[0]))
        sender.flush()
        sender.close()
        (name,) = records.names()
        bodies.append(records.body(name))
    assert bodies[0] == bodies[1]


def test_parquet_refuses_what_is_no_text(records: Bucket) -> None:
    """Bytes that are not UTF-8 come back; their neighbours are written."""
    sender = sender_of(records.settings, form=parquet("none"))
    (refusal,) = sender.send(batch_of([b"{}", b'{"a":"\xff"}', b"{}"], 5))
    sender.flush()
    sender.close()
    assert (refusal.batch, refusal.index, refusal.raw) == (5, 1, b'{"a":"\xff"}')
    assert "not UTF-8 at byte 6" in refusal.reason
    assert records.all_lines() == [b"{}", b"{}"]


@pytest.mark.parametrize(
    ("status", "number"), [(403, S3_DENIED), (500, S3_BUSY), (501, S3_FAILED), (503, S3_BUSY)]
)
def test_answers(records: Bucket, status: int, number: int) -> None:
    """What the service answers has a number and a remedy, and shows no secret."""
    records.fault.refuse = lambda _: status
    store = S3Store(records.settings)
    with pytest.raises(Undelivered, match=str(status)) as failure:
        store.put("a", b"1", "text/plain")
    store.close()
    assert failure.value.number == number
    assert failure.value.remedy
    assert CREDENTIALS.secret_access_key not in str(failure.value)


def test_no_such_bucket(records: Bucket) -> None:
    """A bucket that is not there is named."""
    store = S3Store(msgspec.structs.replace(records.settings, bucket="no-such-bucket"))
    with pytest.raises(Undelivered, match="no-such-bucket") as failure:
        store.put("a", b"1", "text/plain")
    store.close()
    assert failure.value.number == S3_BUCKET


def test_nobody_listens(records: Bucket) -> None:
    """A port where nobody listens is named as the cause."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    sender = sender_of(msgspec.structs.replace(records.settings, endpoint_url=url))
    sender.send(batch_of(numbered(1, 2)))
    with pytest.raises(Undelivered) as failure:
        sender.flush()
    sender.close()
    assert failure.value.number == REFUSED


def test_missing_profile_and_file(records: Bucket, tmp_path: Path) -> None:
    """What our own side lacks is told by name."""
    nobody = msgspec.structs.replace(records.settings, credentials=None, profile="no-such-profile")
    with pytest.raises(Undelivered, match="no-such-profile") as failure:
        S3Store(nobody).put("a", b"1", "text/plain")
    assert failure.value.number == S3_DENIED
    unread = msgspec.structs.replace(
        records.settings, tls=ClientTls(ca=tmp_path / "gone.pem"), endpoint_url=None
    )
    with pytest.raises(Undelivered, match=r"gone\.pem") as failure:
        S3Store(unread).put("a", b"1", "text/plain")
    assert failure.value.number == TLS_FILES


def secure(records: Bucket, port: int, tls: ClientTls) -> S3Settings:
    """Settings that reach the same bucket over TLS."""
    url = f"https://127.0.0.1:{port}"
    return msgspec.structs.replace(records.settings, endpoint_url=url, tls=tls)


def test_over_tls(records: Bucket, tmp_path: Path) -> None:
    """Objects are written, and over what an earlier try left, with a certificate of ours."""
    authority = Authority(tmp_path)
    tls = ClientTls(ca=authority.ca, cert=authority.client()[0], key=authority.client()[1])
    with behind_tls(authority.server(client_certificates=True)) as port:
        store = S3Store(secure(records, port, tls))
        store.put("a/dt=2026-01-01/b", b"earlier", "text/plain")
        store.put("a/dt=2026-01-01/b", b"1" * 300_000, "text/plain")
        store.close()
    assert records.body("a/dt=2026-01-01/b") == b"1" * 300_000


def test_renewed_files_are_used_by_the_next_connection(records: Bucket, tmp_path: Path) -> None:
    """A new authority at the endpoint: refused until our files are renewed, then taken."""
    for name in ("former", "new"):
        (tmp_path / name).mkdir()
    former, new = Authority(tmp_path / "former"), Authority(tmp_path / "new")
    mine = (former.ca, *former.client())
    tls = ClientTls(ca=mine[0], cert=mine[1], key=mine[2])
    with behind_tls(new.server(client_certificates=True)) as port:
        sender = sender_of(secure(records, port, tls))
        sender.send(timed_batch(1, HOURS[0]))
        with pytest.raises(Undelivered) as failure:
            sender.flush()
        sender.rewind(None)
        for old, renewed in zip(mine, (new.ca, *new.client()), strict=True):
            old.write_bytes(renewed.read_bytes())
        sender.send(timed_batch(1, HOURS[0]))
        sender.flush()
        sender.close()
    assert failure.value.number == UNTRUSTED
    assert len(records.all_lines()) == 1


def test_over_tls_through_the_proxy_of_the_environment(
    records: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked for a tunnel with its user and password; a wrong one is named, not shown."""
    authority = Authority(tmp_path)
    tls = ClientTls(ca=authority.ca)
    monkeypatch.setenv("NO_PROXY", "")
    with behind_tls(authority.server()) as port, ConnectProxy("ann:p/w") as proxy:
        settings = secure(records, port, tls)
        store = S3Store(settings)
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("//", "//ann:canary-31@"))
        with pytest.raises(Undelivered, match="407") as failure:
            store.put("a", b"1", "text/plain")
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("//", "//ann:p%2Fw@"))
        store.put("a", b"1", "text/plain")
        store.close()
        assert f"127.0.0.1:{port}" in proxy.places
    assert failure.value.number == NETWORK_FAILED
    assert "canary" not in f"{failure.value}{failure.value!r}"
    assert records.body("a") == b"1"


REGION = "x-amz-bucket-region: eu-west-3"
ELSEWHERE = "Location: http://ann:canary-31@b.s3.example.com/records/a?token=canary-31"


def redirected(answered: bytes, context: ssl.SSLContext | None, tls: ClientTls) -> Undelivered:
    """The failure at an endpoint that gives one answer to all; it is asked once."""
    with RawServer(lambda peer: peer.send(answered), context) as server:
        store = S3Store(settings(server.url, checksums="when_required", tls=tls))
        with pytest.raises(Undelivered) as failure:
            store.put("a", b"1", "text/plain")
        store.close()
    assert len(server.heads) == 1
    assert "canary" not in f"{failure.value}{failure.value!r}"
    assert failure.value.number == S3_BUCKET
    return failure.value


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
def test_redirects_are_not_followed(tmp_path: Path, status: str, scheme: str) -> None:
    """The endpoint is asked once, and the host it points to is named, without the rest."""
    authority = Authority(tmp_path)
    tls = ClientTls(ca=authority.ca)
    context = authority.server("127.0.0.1") if scheme == "https" else None
    error = redirected(answer(b"", ELSEWHERE, status=status), context, tls)
    assert f"{status[:3]}" in error.cause
    assert "redirects to b.s3.example.com" in error.cause
    assert "endpoint_url" in error.remedy


@pytest.mark.parametrize("header", ["X: y", "Location: http://[", "Location: /elsewhere"])
def test_a_redirect_to_nowhere(tmp_path: Path, header: str) -> None:
    """A redirect that does not say where, or in no sense, is one all the same."""
    authority = Authority(tmp_path)
    told = answer(b"", header, status="302 Found")
    error = redirected(told, authority.server("127.0.0.1"), ClientTls(ca=authority.ca))
    assert "redirects elsewhere" in error.cause


@pytest.mark.parametrize(
    ("status", "code", "fields"),
    [
        ("301 Moved", "PermanentRedirect", "<Endpoint>records.s3.eu-west-3.example.com</Endpoint>"),
        ("307 Temporary", "TemporaryRedirect", "<Endpoint>records.s3.example.com</Endpoint>"),
        ("400 Bad Request", "AuthorizationHeaderMalformed", "<Region>eu-west-3</Region>"),
        ("400 Bad Request", "IllegalLocationConstraintException", ""),
    ],
)
def test_a_bucket_of_another_region(status: str, code: str, fields: str) -> None:
    """The region that the answer names is what the operator is told to set."""
    body = f"<Error><Code>{code}</Code><Message>Elsewhere.</Message>{fields}</Error>".encode()
    error = redirected(answer(body, REGION, status=status), None, ClientTls())
    assert code in error.cause
    assert "set region: eu-west-3" in error.remedy
    if "Endpoint" in fields:
        assert "redirects to records.s3." in error.cause


def test_a_region_that_is_none() -> None:
    """What cannot be a region is not repeated."""
    told = answer(b"", "x-amz-bucket-region: <b>canary</b>", status="301 Moved")
    assert "set region:" not in redirected(told, None, ClientTls()).remedy


def test_a_head_that_is_sent_elsewhere(records: Bucket) -> None:
    """The look at an object that is there is not redirected either."""
    conflict = answer(b"", status="412 Precondition Failed")
    moved = answer(b"", REGION, status="400 Bad Request")
    with RawServer(lambda peer: peer.send(moved if b"HEAD" in peer.head else conflict)) as server:
        store = S3Store(msgspec.structs.replace(records.settings, endpoint_url=server.url))
        with pytest.raises(Undelivered, match="400") as failure:
            store.put("a", b"1", "text/plain")
        store.close()
    assert [head.split()[0] for head in server.heads] == [b"PUT", b"HEAD"]
    assert failure.value.remedy


@pytest.mark.parametrize("defect", [RecursionError(), KeyError("a"), ValueError("canary-31")])
def test_defects_of_the_library(defect: Exception) -> None:
    """They are failures of this output, by the type of the error and without its text."""
    with pytest.raises(Undelivered, match=type(defect).__name__) as failure, raising("records"):
        raise defect
    assert failure.value.number == S3_FAILED
    assert "canary" not in str(failure.value)


@pytest.mark.parametrize("url", ["socks5://ann:canary-31@127.0.0.1:1", "http://ann:canary-31@[:1"])
def test_a_proxy_that_cannot_be_used(
    records: Bucket, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    """What the variable must hold is told, and not what it holds."""
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("HTTPS_PROXY", url)
    store = S3Store(secure(records, 1, ClientTls()))
    with pytest.raises(Undelivered, match="proxy") as failure:
        store.put("a", b"1", "text/plain")
    store.close()
    assert failure.value.number == NETWORK_FAILED
    assert "http://host:port" in failure.value.remedy
    assert "canary" not in f"{failure.value}{failure.value!r}"


def test_a_proxy_with_an_untrusted_certificate(
    records: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the proxy's certificate that is named, and why it is not taken."""
    (tmp_path / "ours").mkdir()
    stranger, ours = Authority(tmp_path), Authority(tmp_path / "ours")
    monkeypatch.setenv("NO_PROXY", "")
    with StreamReceiver(stranger.server("127.0.0.1")) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"https://ann:canary-31@127.0.0.1:{proxy.port}")
        store = S3Store(secure(records, 1, ClientTls(ca=ours.ca)))
        with pytest.raises(Undelivered) as failure:
            store.put("a", b"1", "text/plain")
        store.close()
    assert failure.value.number == UNTRUSTED
    assert "the certificate of the proxy before S3 bucket" in failure.value.cause
    assert "self-signed" in failure.value.cause or "issuer" in failure.value.cause
    assert "canary" not in f"{failure.value}{failure.value!r}"


def _after(records: Bucket, taken: int) -> Callable[[int], int | None]:
    """A fault that begins after so many more writes."""
    first = records.fault.writes
    return lambda count: 500 if count >= first + taken else None
