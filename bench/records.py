"""Records to measure with: true in shape and size, every value invented.

The shapes follow docs/vendor-notes.md, PoD 6 and CASB A5; the domains
are ``example.*``, the addresses those of documentations.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random
from typing import Any

SIZE = 2000
"""Bytes of a PoD message."""

_PART_BYTES = 360

_WORDS = ("invoice", "meeting", "weekly", "réunion", "prüfung", "re:", "contract", "notice")
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

Record = dict[str, Any]


_METADATA = (
    b',"@collector":{"input":"pod","service":"message","tag":"mail.proofpoint.pod.message",'
    b'"mode":"archive","pulling_id":"1767225600000","observed_time":"2026-01-01T01:00:00.123456Z",'
    b'"event_id":"%032x","event_time":"2026-01-01T00:%02d:%02d.%06dZ"}}'
)


def pod_messages(count: int, size: int = SIZE) -> list[bytes]:
    """PoD messages as compact JSON, their times spread in order over the hour 1970-01-01T00."""
    return [_compact(_message(number, count, size)) for number in range(count)]


def spooled(count: int) -> list[bytes]:
    """PoD messages as they lie in the collector's spool: with its metadata, 15 % longer."""
    return [
        message[:-1] + _METADATA % (number, number % 3600 // 60, number % 60, number)
        for number, message in enumerate(pod_messages(count))
    ]


def casb_page(alerts: int, children: int) -> bytes:
    """A page of CASB alerts, each with so many related events, as the vendor would answer it."""
    return _compact({"alerts": [_alert(Random(number), children) for number in range(alerts)]})


def guids(count: int, seed: int) -> Sequence[str]:
    """So many distinct ids of 32 characters, as PoD messages have them."""
    hexadecimal = Random(seed).randbytes(16 * count).hex()
    return [hexadecimal[at : at + 32] for at in range(0, 32 * count, 32)]


def _compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _message(number: int, count: int, size: int) -> Record:
    rng = Random(number)
    second, micros = divmod(number * 3_600_000_000 // count, 1_000_000)
    minute, second = divmod(second, 60)
    record: Record = {
        "guid": "".join(rng.choices(_ALPHABET, k=32)),
        "ts": f"1970-01-01T00:{minute:02d}:{second:02d}.{micros:06d}+0000",
        "connection": _connection(rng),
        "envelope": {"from": _address(rng), "rcpts": [_address(rng)]},
        "filter": _filter(rng),
        "msg": _msg(rng),
        "msgParts": [],
        "metadata": {"origin": {"data": {"agent": "m0000001.pps.example.net"}}},
        "pps": {"cid": "acme_hosted", "version": "8.21.0.1358"},
    }
    parts: list[Record] = record["msgParts"]
    while (missing := size - len(_compact(record))) > _PART_BYTES:
        parts.append(_part(rng))  # what makes real records long is their parts
    record["pps"]["version"] += "".join(rng.choices(_ALPHABET, k=max(missing, 0)))
    return record


def _address(rng: Random) -> str:
    return f"user{rng.randrange(20_000)}@mail{rng.randrange(5000)}.example.com"


def _connection(rng: Random) -> Record:
    cipher = {"cipher": "ECDHE-RSA-AES256-GCM-SHA384", "cipherBits": 256, "version": "TLSv1.2"}
    return {
        "country": rng.choice(("us", "de", "nl", "**")),
        "helo": "mx.example.org",
        "host": "mx.example.org",
        "ip": f"203.0.113.{rng.randrange(256)}",
        "protocol": "smtp:smtp",
        "resolveStatus": "ok",
        "sid": f"3jg{rng.getrandbits(28):07x}",
        "tls": {"inbound": cipher},
    }


def _filter(rng: Random) -> Record:
    classes = ("adult", "bulk", "impostor", "lowpriority", "malware", "phish", "spam", "suspect")
    scores = {"classifiers": {name: rng.randrange(100) for name in classes}, "overall": 42}
    return {
        "actions": [
            {"action": "add-header", "module": "av", "rule": "clean"},
            {"action": "continue", "isFinal": True, "module": "spam", "rule": "notspam"},
        ],
        "disposition": "continue",
        "durationSecs": round(rng.random(), 6),
        "modules": {"spam": {"langs": ["en"], "scores": scores, "version": {"engine": "8.19.0"}}},
        "msgSizeBytes": rng.randrange(1000, 90_000),
        "qid": f"3jg{rng.getrandbits(24):06x}-1",
        "routeDirection": "inbound",
        "routes": ["allow_relay", "default_inbound"],
    }


def _msg(rng: Random) -> Record:
    header = {
        "from": [_address(rng)],
        "to": [_address(rng)],
        "subject": [" ".join(rng.choices(_WORDS, k=6))],
        "message-id": [f"<{rng.getrandbits(128):032x}@example.org>"],
    }
    return {"header": header, "lang": "en", "sizeBytes": rng.randrange(1000, 90_000)}


def _part(rng: Random) -> Record:
    return {
        "detectedExt": "HTML",
        "detectedMime": "text/html",
        "detectedName": "text.html",
        "disposition": "inline",
        "isArchive": False,
        "md5": f"{rng.getrandbits(128):032x}",
        "sha256": f"{rng.getrandbits(256):064x}",
        "sizeDecodedBytes": rng.randrange(90_000),
        "urls": [{"src": ["filter"], "url": f"https://www.example.org/{rng.getrandbits(64):x}"}],
    }


def _alert(rng: Random, children: int) -> Record:
    return {
        "id": f"{rng.getrandbits(128):032x}",
        "tenant_id": "tenant_00000000000000000000000000000001",
        "timestamp": str(1_767_225_600_000 + rng.randrange(3_600_000)),
        "severity": rng.choice(("LOW", "MID", "HIGH", "CRITICAL")),
        "title": "Suspicious login to Example Apps",
        "description": "A login was seen from a place that this user has not been in before.",
        "type": "Footprint",
        "sub_type": "Suspicious Login",
        "related_events": [_related_event(rng) for _ in range(children)],
    }


def _related_event(rng: Random) -> Record:
    return {
        "event_id": f"flevent_{rng.getrandbits(128):032x}",
        "cloud_service": "Google Apps",
        "timestamp": str(1_767_225_600_000 + rng.randrange(3_600_000)),
        "user_email": _address(rng),
        "full_name": "Ada Example",
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64)",
        "event_classification": {"id": "29", "category": "Authorize", "threat": "Authorization"},
        "intelligence": [{"ip_address": f"198.51.100.{rng.randrange(256)}", "location": "NL"}],
        "meta_data": {"extracted_fields": [{"128042": '["Example App"]'}]},
    }
