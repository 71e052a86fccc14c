"""TLS towards Kafka: certificate files of any form as what librdkafka takes.

It takes PEM from memory (``ssl.*.pem``), so that nothing is written anywhere.  It has no
property for a name other than the broker's own (librdkafka issue 3321; ``kafka_aiokafka``
serves that), and none for the oldest version of TLS: that is OpenSSL's, 1.2, unless the
suites leave 1.3 alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from collector.errors import Undelivered
from collector.net.material import authorities, identity, pem, rooted_authorities
from collector.net.tls import system_authorities
from collector.senders.error_numbers import TLS_FILES
from collector.senders.kafka_settings import Property
from collector.senders.tls import ClientTls, naming_files

# ``ssl.cipher.suites`` is OpenSSL's list of suites up to TLS 1.2; those of 1.3 always stay
# (openssl-ciphers).  The list may not be empty.  This one needs a key that both sides know
# beforehand, which librdkafka never sets: OpenSSL then neither offers nor takes it, so that
# no session before 1.3 comes about.  An OpenSSL without the suite refuses the whole list.
_NOTHING_BEFORE_1_3 = "PSK-AES256-GCM-SHA384"


def tls_properties(tls: ClientTls | None) -> Mapping[str, Property]:
    """The properties, with the files as they are now; none without TLS.

    Raises ``Undelivered`` when a file cannot be used.
    """
    if tls is None:
        return {}
    tls.context()  # OpenSSL judges the files, by name; librdkafka would not know their names
    by_name = tls.checks.verify_certificate and tls.checks.verify_hostname
    with naming_files():
        return {
            "enable.ssl.certificate.verification": tls.checks.verify_certificate,
            "ssl.endpoint.identification.algorithm": "https" if by_name else "none",
            **_suites(tls),
            **_believed(tls),
            **_presented(tls),
        }


def _suites(tls: ClientTls) -> Mapping[str, Property]:
    """The suites up to TLS 1.2: the library's own, or none that can be agreed on."""
    return {"ssl.cipher.suites": _NOTHING_BEFORE_1_3} if tls.checks.min_version == "1.3" else {}


def _believed(tls: ClientTls) -> Mapping[str, Property]:
    """The authorities: the system's, ours, or both."""
    system = system_authorities()
    if tls.ca is None:
        return {} if system is None else {"ssl.ca.location": str(system)}
    if tls.checks.ca_mode == "replace":
        read = rooted_authorities if tls.checks.verify_certificate else authorities
        return {"ssl.ca.pem": pem(read(tls.ca)).decode()}
    return {"ssl.ca.location": str(_known(system)), "ssl.ca.pem": pem(authorities(tls.ca)).decode()}


def _known(system: Path | None) -> Path:
    if system is None:
        cause = "the system's authorities, to which those in ca are to be added, are not found"
        raise Undelivered(TLS_FILES, cause, "set SSL_CERT_FILE, or ca_mode: replace")
    return system


def _presented(tls: ClientTls) -> Mapping[str, Property]:
    """Our certificate with its issuers, and our key."""
    if tls.cert is None:
        return {}
    own = identity(tls.cert, tls.key, tls.password)
    return {
        "ssl.certificate.pem": pem(own.certificates).decode(),
        "ssl.key.pem": own.key_pem().decode(),
    }
