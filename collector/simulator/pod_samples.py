"""PoD records of true shape, with holes for what differs from record to record.

The shapes follow docs/vendor-notes.md, PoD 6, and the published samples;
all values are made up (``example.*`` domains, documentation addresses).  A hole
is a name between ``@`` signs, filled in by ``records``.
"""

from __future__ import annotations

from random import Random
from typing import Any

from collector.simulator.options import SimulatorOptions

PEOPLE = ("ada", "grace", "linus", "edsger", "barbara", "alan", "katherine", "dennis")
DOMAINS = ("example.com", "example.org", "example.net", "mail.example.com")
SUBJECTS = ("Invoice 4711", "Minutes of the meeting", "Grüße aus Köln", "=?utf-8?B?w5xiZXI=?=")
AGENT = "m0000001.pps.example.net"

Record = dict[str, Any]


def address(rng: Random) -> str:
    """A mail address."""
    return f"{rng.choice(PEOPLE)}@{rng.choice(DOMAINS)}"


def ip_address(rng: Random) -> str:
    """An address out of the documentation ranges."""
    if rng.random() < 0.1:
        return f"2001:db8::{rng.randrange(1, 65536):x}"
    return f"{rng.choice(('192.0.2', '198.51.100', '203.0.113'))}.{rng.randrange(1, 255)}"


def message(rng: Random, options: SimulatorOptions) -> Record:
    """A filtered mail: 2 to 6 kB."""
    sender, recipient = address(rng), address(rng)
    return {
        "guid": "@id@",
        "ts": "@ts@",
        "connection": _connection(rng),
        "envelope": {"from": sender, "rcpts": [recipient]},
        "filter": _filter(rng, recipient, sender.partition("@")[2]),
        "msg": _msg(rng, sender, recipient),
        "msgParts": [_part(rng, number) for number in range(rng.randrange(1, 5))],
        "metadata": {"origin": {"data": _gateway(options) | {"version": "8.21.0.1358"}}},
    }


def maillog(rng: Random, options: SimulatorOptions) -> Record:
    """A log line of the mail transfer agent, about 0.8 kB."""
    sm = _to_line(rng, options) if rng.random() < 0.6 else _from_line(rng)
    stat = sm.get("stat", "")
    line = ", ".join(f"{key}={_text(value)}" for key, value in sm.items() if key != "qid")
    data = f"@colon@ m0000001 sendmail[{rng.randrange(1000, 30000)}]: @qid@: {line}"
    if stat and rng.random() < options.truncated_stat_rate:
        sm["stat"] = stat.partition("=")[0]
    return {
        "id": "@id@",
        "ts": "@ts@",
        "data": data,
        "sm": sm,
        "pps": _gateway(options),
        "tls": {"cipher": "ECDHE-RSA-AES256-GCM-SHA384", "verify": "OK", "version": "TLSv1.3"},
        "metadata": {
            "customerId": "00000000-0000-4000-8000-000000000001",
            "origin": {"schemaVersion": "20200420", "data": _gateway(options)},
        },
    }


def audit(rng: Random, options: SimulatorOptions) -> Record:
    """An action of an administrator, about 0.7 kB."""
    action = rng.choice(("login", "logout", "create", "delete", "edit", "execute", "read"))
    return {
        "guid": "@id@",
        "ts": "@utc@",
        "audit": {
            "action": action,
            "level": "INFO",
            "resourceType": rng.choice(("authorization", "config", "policy_routes", "spam_module")),
            "resourceName": "example-resource",
            "tags": [
                {"name": "eventSubCategory", "value": action},
                {"name": f"{action}.session", "value": "true"},
            ],
            "user": {"email": address(rng), "id": "@hex@", "ipAddress": ip_address(rng)},
        },
        "metadata": {
            "customerId": "00000000-0000-4000-8000-000000000001",
            "origin": {
                "type": "cadmin-api-gateway",
                "schemaVersion": "1.0",
                "data": {"agent": "192.0.2.25", "cid": options.cluster_id, "version": "1.0"},
            },
            "trace": {"id": "@hex@", "ts": "@utc@"},
        },
    }


def _text(value: Any) -> str:
    return ",".join(value) if isinstance(value, list) else str(value)


def _gateway(options: SimulatorOptions) -> Record:
    return {"agent": AGENT, "cid": options.cluster_id}


def _connection(rng: Random) -> Record:
    return {
        "country": rng.choice(("us", "de", "nl", "**")),
        "helo": rng.choice(DOMAINS),
        "host": "smtp.example.org",
        "ip": ip_address(rng),
        "protocol": "smtp:smtp",
        "resolveStatus": "ok",
        "sid": "@qid@",
        "tls": {
            "inbound": {
                "cipher": "ECDHE-RSA-AES256-GCM-SHA384",
                "cipherBits": 256,
                "version": "TLSv1.2",
            }
        },
    }


def _filter(rng: Random, recipient: str, domain: str) -> Record:
    return {
        "qid": "@qid@",
        "disposition": rng.choice(("continue", "accept", "discard", "reject")),
        "routeDirection": rng.choice(("inbound", "outbound", "internal")),
        "routes": ["Verified_Recipients", "default_inbound"],
        "durationSecs": rng.randrange(1, 5_000_000) / 1_000_000,
        "startTime": "@ts@",
        "msgSizeBytes": rng.randrange(1_000, 200_000),
        "isMsgEncrypted": False,
        "isMsgReinjected": False,
        "suborgs": {"sender": "0", "rcpts": ["0"]},
        "verified": {"rcpts": [recipient]},
        "quarantine": {"folder": "", "rule": ""},
        # Sometimes text, sometimes objects: docs/vendor-notes.md, PoD 6.
        "pe": {"rcpts": [rng.choice((recipient, {"rcpt": recipient}))]},
        "actions": [
            {"module": "spf", "rule": "pass", "action": "continue"},
            {"module": "spam", "rule": "notspam", "action": "add-header"},
            {"module": "pdr", "rule": "pass", "action": "continue", "isFinal": True},
        ],
        "modules": _modules(rng, domain),
    }


def _modules(rng: Random, domain: str) -> Record:
    classifiers = ("adult", "bulk", "impostor", "lowpriority", "malware", "phish", "spam")
    return {
        "spf": {"domain": domain, "result": "pass"},
        "dkimv": [{"domain": domain, "selector": "selector1", "result": "pass"}],
        "dmarc": {
            "srvid": "pps.example.net",
            "filterdResult": "pass",
            "authResults": [
                {
                    "method": "spf",
                    "result": "pass",
                    "reason": "",
                    "emailIdentities": {"smtp.mailfrom": f"sender@{domain}"},
                },
                {"method": "dkim", "result": "pass", "propspec": {"header.d": domain}},
            ],
        },
        "pdr": {"v2": {"response": "pass"}},
        "zerohour": {"score": "unknown"},
        "spam": {
            "langs": ["en", "de"],
            "charsets": ["UTF-8"],
            "version": {"definitions": "main-2601010000", "engine": "8.12.0-2009150000"},
            "scores": {
                "overall": rng.randrange(100),
                "engine": 0,
                "classifiers": {name: rng.randrange(100) for name in classifiers},
            },
        },
        "urldefense": {"version": {"engine": "1.0"}, "counts": {"total": 3, "unique": 2}},
    }


def _msg(rng: Random, sender: str, recipient: str) -> Record:
    subject = rng.choice(SUBJECTS)
    header = {
        "from": [f"{sender.partition('@')[0]} <{sender}>"],
        "to": [recipient],
        "subject": [f"{subject}\r\n continued"],
        "message-id": ["<@hex@@example.org>"],
    }
    return {
        "sizeBytes": rng.randrange(1_000, 200_000),
        "lang": rng.choice(("en", "de", "und", "")),
        "header": header,
        "normalizedHeader": header | {"message-id": ["@hex@@example.org"], "subject": [subject]},
        "parsedAddresses": {"from": [sender], "to": [recipient]},
    }


def _part(rng: Random, number: int) -> Record:
    return {
        "structureId": str(number),
        "disposition": "inline" if number == 0 else "attached",
        "labeledName": f"file{number}.pdf",
        "labeledMime": "application/pdf",
        "detectedMime": "application/pdf",
        "detectedSizeBytes": rng.randrange(100, 100_000),
        "md5": f"{rng.getrandbits(128):032x}",
        "sha256": f"{rng.getrandbits(256):064x}",
        "isArchive": False,
        "isVirtual": number == 0,
        "urls": [{"url": f"https://example.com/{rng.randrange(1000)}", "src": ["filter"]}],
        "metadata": {"Author": rng.choice(PEOPLE), "Pages": rng.choice((3, "3"))},
        "dataBase64": "U0NBTEFSKDB4N2Y4MCk=",  # a reference, no content: the vendor's bug
    }


def _from_line(rng: Random) -> Record:
    return {
        "qid": "@qid@",
        "from": f"<{address(rng)}>",
        "sizeBytes": str(rng.randrange(1_000, 200_000)),
        "class": "0",
        "nrcpts": "1",
        "msgid": "<@hex@@example.org>",
        "proto": "ESMTP",
        "daemon": "MTA",
        "relay": f"smtp.example.org [{ip_address(rng)}]",
    }


def _to_line(rng: Random, options: SimulatorOptions) -> Record:
    pri = rng.randrange(100_000, 3_000_000)
    return {
        "qid": "@qid@",
        "to": [f"<{address(rng)}>"],
        "delay": f"00:00:{rng.randrange(60):02d}",
        "xdelay": "00:00:01",
        "mailer": "esmtp",
        "pri": pri if rng.random() < options.numeric_pri_rate else str(pri),
        "relay": f"smtp.example.org. [{ip_address(rng)}]",
        "dsn": "2.0.0",
        "stat": "Sent (<@hex@@example.org> [InternalId=3444563792735, Hostname=mx.example.org] "
        "45616 bytes in 0.073, 610.105 KB/sec Queued mail for delivery)",
    }
